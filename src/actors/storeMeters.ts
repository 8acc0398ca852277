import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { Meters } from '../monitoring/meters.ts'
import type { Readings } from '../monitoring/meters.ts'
import { sentence } from './runtime/log.ts'
import type { Log } from './runtime/log.ts'

const ANSWER_MS = 2_000

/** How much the venue keeps at NATS. Without an answer there is no number: an old one would say that all is well. */
export class StoreMeters {
  readonly #connection: NatsConnection
  readonly #log: Log
  #silent = false

  constructor(connection: NatsConnection, log: Log) {
    this.#connection = connection
    this.#log = log
  }

  async read(): Promise<Readings> {
    const meters = new Meters()
    try {
      const manager = await jetstreamManager(this.#connection, { checkAPI: false, timeout: ANSWER_MS })
      meters.set('darkpool_nats_store_bytes', (await manager.getAccountInfo()).storage)
      this.#silent = false
    } catch (error) {
      if (!this.#silent) this.#log.warn('shard', 'NATS does not say how much it keeps', { reason: sentence(error) })
      this.#silent = true
    }
    return meters.read()
  }
}
