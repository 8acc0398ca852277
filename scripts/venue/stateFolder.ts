import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Fault } from '../setup/fault.ts'
import { identityOf, isAlive } from './processIdentity.ts'
import type { ProcessIdentity } from './processIdentity.ts'

/** What a venue keeps; `--fresh` removes these and nothing else. */
const owned = /^(chain|run|nats|nats-[a-z]|keys|logs|deployment\.json|venue\.json|nats(-[a-z])?\.conf|processes\.json|policy\.json|development-root)$/
const GRACE_ms = 5_000

/** The folder in which one local venue lives. One process at a time holds it. */
export class StateFolder {
  readonly path: string
  #held = false

  constructor(path: string) {
    this.path = resolve(path)
  }

  file(...names: string[]): string {
    return join(this.path, ...names)
  }

  /**
   * Takes the folder for this process, and ends what an earlier one left running because it was killed.
   * @throws Fault where another venue runs in it
   */
  async hold(say: (text: string) => void): Promise<void> {
    mkdirSync(this.path, { recursive: true })
    const self = identityOf(process.pid)
    if (!self) throw new Error('this process cannot find itself')
    const lock = this.file('lock')
    for (let attempt = 0; !this.#held; attempt++) {
      try {
        const descriptor = openSync(lock, 'wx', 0o600)
        writeSync(descriptor, JSON.stringify(self))
        closeSync(descriptor)
        this.#held = true
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw new Fault(`${this.path} cannot be used: ${(error as Error).message}`)
        const holder = readIdentity(lock)
        if ((holder && isAlive(holder)) || attempt > 2) {
          throw new Fault(`A venue is running in ${this.path} already${holder ? ` (process ${holder.pid})` : ''}: end it, or choose another folder with --state DIR.`)
        }
        rmSync(lock, { force: true })
      }
    }
    await this.#endLeftovers(say)
  }

  release(): void {
    if (!this.#held) return
    this.#held = false
    rmSync(this.file('processes.json'), { force: true })
    rmSync(this.file('lock'), { force: true })
  }

  /**
   * Remembers what was started, so that it can be found when this process is killed. Where it cannot be written (a full disk), the venue goes on:
   * its servers matter more than this note.
   */
  recordProcesses(processes: Readonly<Record<string, number | undefined>>, say: (text: string) => void): void {
    if (!this.#held) return
    const identities: Record<string, ProcessIdentity> = {}
    for (const [name, pid] of Object.entries(processes)) {
      const identity = pid === undefined ? undefined : identityOf(pid)
      if (identity) identities[name] = identity
    }
    try {
      writeDurably(this.file('processes.json'), JSON.stringify(identities, null, 2))
    } catch (error) {
      say(`${this.file('processes.json')} cannot be written (${(error as Error).message}): should this process be killed, end its servers by hand`)
    }
  }

  clear(): void {
    if (!this.#held) throw new Error('only who holds a state folder may clear it')
    for (const name of readdirSync(this.path)) if (owned.test(name)) rmSync(this.file(name), { recursive: true, force: true })
  }

  async #endLeftovers(say: (text: string) => void): Promise<void> {
    const file = this.file('processes.json')
    if (!existsSync(file)) return
    const left = JSON.parse(readFileSync(file, 'utf8')) as Record<string, ProcessIdentity>
    for (const [name, identity] of Object.entries(left)) {
      if (!isAlive(identity)) continue
      say(`Ending ${name} (process ${identity.pid}), which an earlier run left behind`)
      process.kill(identity.pid, 'SIGTERM')
      for (const end = Date.now() + GRACE_ms; isAlive(identity); await delay(50)) if (Date.now() > end) process.kill(identity.pid, 'SIGKILL')
    }
    rmSync(file, { force: true })
  }
}

function readIdentity(file: string): ProcessIdentity | undefined {
  try {
    const { pid, started } = JSON.parse(readFileSync(file, 'utf8')) as Partial<ProcessIdentity>
    return typeof pid === 'number' && typeof started === 'string' ? { pid, started } : undefined
  } catch {
    // Written half, or by nobody we know: whoever it was, it does not run.
    return undefined
  }
}

/** Replaces a file so that a crash leaves the old one or the new one. */
export function writeDurably(file: string, text: string, mode = 0o600): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const descriptor = openSync(`${file}.new`, 'w', mode)
  try {
    writeSync(descriptor, `${text}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(`${file}.new`, file)
}
