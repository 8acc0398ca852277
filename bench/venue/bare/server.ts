import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { connectNats } from '../../../src/actors/runtime/transport.ts'
import type { NatsAccess } from '../../../src/protocol/natsAccess.ts'

export interface BareSetting {
  readonly access: NatsAccess
  /** Of the two appends, in turn. */
  readonly subjects: readonly string[]
}

const STREAM = 'bench_bare_path'
const subjects = ['bench.bare.first', 'bench.bare.second']

/** The bare path in a process of its own, with a stream of its own in a venue's nats-server. */
export class BareServer {
  readonly url: string
  readonly #child: ChildProcess
  readonly #connection: NatsConnection

  private constructor(url: string, child: ChildProcess, connection: NatsConnection) {
    this.url = url
    this.#child = child
    this.#connection = connection
  }

  static async start(access: NatsAccess): Promise<BareServer> {
    const connection = await connectNats(access, 'bench')
    await (await jetstreamManager(connection)).streams.add({ name: STREAM, subjects: ['bench.bare.>'], storage: StorageType.File, retention: RetentionPolicy.Limits })
    const child = fork(fileURLToPath(new URL('./path.ts', import.meta.url)), { serialization: 'advanced' })
    child.send({ access, subjects } satisfies BareSetting)
    const [url] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(([code]) => Promise.reject(new Error(`the bare path ended (${String(code)})`)))])) as [string]
    return new BareServer(url, child, connection)
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit')
    this.#child.disconnect()
    await gone
    await (await jetstreamManager(this.#connection)).streams.delete(STREAM)
    await this.#connection.close()
  }
}
