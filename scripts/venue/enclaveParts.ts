import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { holderSocket } from '../../src/enclave/holder/keyHolder.ts'
import type { KeyRole } from '../../src/enclave/holder/roles.ts'
import { paths } from '../setup/paths.ts'
import { checkout } from './programs.ts'
import type { Programs, Start } from './programs.ts'
import { ServerProcess } from './serverProcess.ts'
import type { ServerEvents, ServerPlan } from './serverProcess.ts'
import type { StateFolder } from './stateFolder.ts'

const GRACE_ms = 5_000
/** What a folder's path may have, so that the sockets in it have names that the system takes. */
const LONGEST_FOLDER = 80

/** What an enclave would bring along, here as two processes: the guest agent, which has the root key, and the one process that may ask it. */
export class EnclaveParts {
  readonly agent: ServerProcess
  readonly holder: ServerProcess
  readonly #folder: string
  readonly #temporary: boolean

  constructor(state: StateFolder, venuePath: string, programs: Programs, events: ServerEvents) {
    const own = state.file('run')
    this.#temporary = Buffer.byteLength(own) > LONGEST_FOLDER
    this.#folder = this.#temporary ? mkdtempSync(join(tmpdir(), 'darkpool-')) : own
    const socket = join(this.#folder, 'agent.sock')
    const collateral = state.file('run', 'collateral.json')
    const program = (name: string, start: Start, args: readonly string[]): ServerPlan => ({
      name,
      start,
      args: () => args,
      log: state.file('logs', `${name}.log`),
      ipc: true,
      grace_ms: GRACE_ms,
    })
    this.agent = new ServerProcess(program('guest-agent', checkout.venue(paths.guestAgent), ['--root', state.file('keys', 'root'), '--socket', socket, '--collateral', collateral]), events)
    this.holder = new ServerProcess(program('key-holder', programs.venue(paths.keyHolder), ['--venue', venuePath, '--sockets', this.#folder, '--agent', socket, '--collateral', collateral]), events)
  }

  socket(role: KeyRole): string {
    return holderSocket(this.#folder, role)
  }

  /** The ones that others depend on first. */
  get servers(): readonly ServerProcess[] {
    return [this.agent, this.holder]
  }

  async start(): Promise<void> {
    for (const server of this.servers) await server.start()
  }

  /** Once they have ended. */
  forget(): void {
    if (this.#temporary) rmSync(this.#folder, { recursive: true, force: true })
  }
}
