import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { answers, freePort } from '../../scripts/venue/ports.ts'
import { natsConfiguration } from '../../src/natsServer/configuration.ts'
import type { NatsKeys } from '../../src/enclave/natsKeys.ts'

export interface NatsOptions {
  /** Keep the data here instead of in a directory that goes with the server. */
  readonly directory?: string
  /** Listen here instead of on a free port. */
  readonly port?: number
  readonly user?: string
  readonly password?: string
  /** Configured as a venue's is, so that traders connect to it too; `venue` is its name. */
  readonly traders?: { readonly venue: string; readonly keys: NatsKeys }
  /** Further lines of the server's configuration. */
  readonly configuration?: string
  /** Whether what is stored is on disk before it is acknowledged, as a venue has it: yes, unless a test stores much and never stops its server. */
  readonly synced?: boolean
}

/** A real nats-server with JetStream on loopback, for one test. */
export interface NatsServer {
  readonly url: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly directory: string
  /** Ends it in order and removes the directory that it made. */
  stop(): Promise<void>
  /** SIGKILL: what was not synced is in the page cache still, but nothing was closed. The data stays. */
  kill(): Promise<void>
  /** Kills it if it runs, and starts it again over the same data on the same port. */
  restart(): Promise<void>
}

const started_ms = 20_000

export async function startNats(options: NatsOptions = {}): Promise<NatsServer> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'darkpool-nats-'))
  const port = options.port ?? (await freePort())
  const user = options.user ?? 'darkpool'
  const password = options.traders?.keys.password ?? options.password ?? 'only-on-loopback'
  const file = join(directory, 'nats.conf')
  writeFileSync(
    file,
    options.traders !== undefined
      ? `${natsConfiguration({ name: 'test', port, storeFolder: join(directory, 'jetstream'), user, ...options.traders })}
${options.configuration ?? ''}`
      : `host: "127.0.0.1"
port: ${port}
max_payload: 8388608
max_pending: 268435456
authorization { user: "${user}", password: "${password}" }
jetstream { store_dir: ${JSON.stringify(join(directory, 'jetstream'))}, max_file_store: 68719476736, sync_interval: ${options.synced === false ? '"2m"' : 'always'} }
${options.configuration ?? ''}
`,
  )
  let server = await launch(file, port)
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const gone = once(server, 'exit')
    server.kill(signal)
    await gone
  }
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    user,
    password,
    directory,
    stop: async () => {
      await kill('SIGTERM')
      if (options.directory === undefined) rmSync(directory, { recursive: true, force: true })
    },
    kill: () => kill('SIGKILL'),
    restart: async () => {
      await kill('SIGKILL')
      server = await launch(file, port)
    },
  }
}

async function launch(file: string, port: number): Promise<ChildProcess> {
  const server = spawn(binary(), ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  server.stderr?.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4_096)
  })
  // A test that dies takes its server with it.
  const orphan = (): void => void server.kill('SIGKILL')
  process.once('exit', orphan)
  server.once('exit', () => process.removeListener('exit', orphan))
  await once(server, 'spawn')
  for (const end = Date.now() + started_ms; ; await delay(20)) {
    if (server.exitCode !== null) throw new Error(`nats-server ended with ${server.exitCode}: ${log}`)
    if (await answers(port, true)) return server
    if (Date.now() > end) throw new Error(`nats-server does not answer on port ${port}: ${log}`)
  }
}

/** The venue's own build first, then whatever is installed. */
function binary(): string {
  const own = join(import.meta.dirname, '../../.darkpool/bin/nats-server')
  const installed = [...(process.env.PATH ?? '').split(delimiter), join(homedir(), 'go/bin')].map((folder) => join(folder, 'nats-server'))
  const found = [own, ...installed].find((candidate) => existsSync(candidate))
  if (found === undefined) throw new Error('no nats-server: run `npm start` once, or put nats-server 2.14 on the PATH')
  return found
}
