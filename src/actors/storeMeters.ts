import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { Meters } from '../monitoring/meters.ts'
import type { Readings } from '../monitoring/meters.ts'
import { shownCertificateEnd } from '../monitoring/shownCertificate.ts'
import { sentence } from './runtime/log.ts'
import type { Log } from './runtime/log.ts'

const ANSWER_MS = 2_000

/** How much the venue keeps at NATS, and for how long its server's certificate is good. Without an answer there is no number: an old one would say that all is well. */
export class StoreMeters {
  readonly #connection: NatsConnection
  readonly #tls: boolean
  readonly #log: Log
  #silent = false

  /** @param tls whether nats-server speaks TLS */
  constructor(connection: NatsConnection, tls: boolean, log: Log) {
    this.#connection = connection
    this.#tls = tls
    this.#log = log
  }

  async read(): Promise<Readings> {
    const meters = new Meters()
    try {
      await Promise.all([this.#kept(meters), this.#tls && this.#certificate(meters)])
      this.#silent = false
    } catch (error) {
      if (!this.#silent) this.#log.warn('store', 'nats-server does not say how it is', { reason: sentence(error) })
      this.#silent = true
    }
    return meters.read()
  }

  async #kept(meters: Meters): Promise<void> {
    const manager = await jetstreamManager(this.#connection, { checkAPI: false, timeout: ANSWER_MS })
    meters.set('darkpool_nats_store_bytes', (await manager.getAccountInfo()).storage)
  }

  /** Of the server that this process is connected to. */
  async #certificate(meters: Meters): Promise<void> {
    const { hostname, port } = new URL(`tls://${this.#connection.getServer()}`)
    meters.set('darkpool_nats_certificate_expiry_seconds', await shownCertificateEnd(hostname.replace(/^\[|\]$/g, ''), Number(port), ANSWER_MS))
  }
}
