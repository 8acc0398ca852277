import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { paths } from '../../scripts/setup/paths.ts'
import { GuestAgent } from '../../src/enclave/guestAgent.ts'
import { holderSocket, KeyHolder } from '../../src/enclave/holder/keyHolder.ts'
import type { KeyRole } from '../../src/enclave/holder/roles.ts'
import { DevelopmentAgent } from '../../src/enclave/simulator/agent.ts'
import { KeyChain } from '../../src/enclave/simulator/keyChain.ts'
import { DevelopmentPlatform } from '../../src/enclave/simulator/platform.ts'
import type { VenueFile } from '../../src/protocol/venue.ts'
import { until } from '../settlement/waiting.ts'

export interface Place {
  readonly name: string
  readonly nats: number
  readonly route: number
}

/** What a VM has of the enclave: a guest agent and a key holder of its own, and nats-server as it runs there. The same app has the same keys in each. */
export class Machine {
  readonly place: Place
  readonly keys: GuestAgent
  readonly #folder: string
  /** In memory, as the VM's are. */
  readonly #run: string
  readonly #agent: DevelopmentAgent
  #holder: KeyHolder | undefined
  #server: ChildProcess | undefined
  #log = ''

  private constructor(place: Place, agent: DevelopmentAgent, folder: string, run: string) {
    this.place = place
    this.#agent = agent
    this.#folder = folder
    this.#run = run
    this.keys = new GuestAgent(join(folder, 'agent.sock'))
  }

  /** @param root of the key management service, which may have many apps */
  static async open(place: Place, root: Uint8Array, appId: Uint8Array): Promise<Machine> {
    const folder = mkdtempSync(join(tmpdir(), 'darkpool-vm-'))
    const chain = new KeyChain(root, appId)
    const agent = await DevelopmentAgent.open(join(folder, 'agent.sock'), chain, new DevelopmentPlatform(root, chain.rootPublicKey, new Date()), (error) => process.stderr.write(`${String(error)}\n`))
    return new Machine(place, agent, folder, mkdtempSync('/dev/shm/darkpool-vm-'))
  }

  get log(): string {
    return this.#log
  }

  get venuePath(): string {
    return join(this.#folder, 'venue.json')
  }

  keySocket(role: KeyRole): string {
    return `unix:${holderSocket(join(this.#folder, 'keys'), role)}`
  }

  /** Starts what it runs, of a venue's file: resolves when nats-server greets. @param all of every node */
  async start(venue: VenueFile, all: readonly Place[], trust: string): Promise<void> {
    writeFileSync(this.venuePath, JSON.stringify(venue))
    this.#holder = await KeyHolder.open(venue, this.keys, null, join(this.#folder, 'keys'), { refused: () => undefined, failed: (_, error) => (this.#log += String(error)) })
    mkdirSync(join(this.#folder, 'store'), { recursive: true })
    const { name, nats, route } = this.place
    const nodes = all.map((other) => `${other.name}=127.0.0.1:${other.route}`).join(',')
    const options = { venue: this.venuePath, keys: this.keySocket('nats'), store: join(this.#folder, 'store'), run: this.#run, port: String(nats), program: paths.natsServer, node: name, nodes, 'route-port': String(route) }
    const server = spawn(process.execPath, [join(paths.root, 'src/natsServer/main.ts'), ...Object.entries(options).flatMap(([option, value]) => [`--${option}`, value])], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#server = server
    server.stderr.on('data', (chunk: Buffer) => (this.#log += chunk.toString()))
    // A test that dies takes its server with it.
    const orphan = (): void => void server.kill('SIGTERM')
    process.once('exit', orphan)
    server.once('exit', () => process.removeListener('exit', orphan))
    await until(`the nats-server of ${name} greets`, async () => {
      if (server.exitCode !== null) throw new Error(`nats-server of ${name} ended: ${this.#log}`)
      return (await greeting(nats, { ca: trust })).startsWith('INFO ')
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#server?.kill(signal)
  }

  async stop(): Promise<void> {
    const server = this.#server
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      const gone = once(server, 'exit')
      server.kill('SIGTERM')
      await gone
    }
    await this.#holder?.close()
  }

  async close(): Promise<void> {
    await this.stop()
    await this.#agent.close()
    for (const folder of [this.#folder, this.#run]) rmSync(folder, { recursive: true, force: true })
  }
}

/** What somebody who begins with TLS is told at a port of this machine; nothing where the connection ends before. */
export function greeting(port: number, options: { readonly ca: string; readonly key?: string; readonly cert?: string }): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', ...options })
    const finish = (text: string): void => {
      socket.destroy()
      resolve(text)
    }
    socket.once('data', (bytes: Buffer) => finish(bytes.toString('latin1')))
    // Nothing was said: that is the answer.
    socket.once('error', () => finish(''))
    socket.once('close', () => finish(''))
  })
}
