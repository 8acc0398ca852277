import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node'
import type { NatsExchangeKey } from '../../enclave/natsKeys.ts'
import { Refusal } from '../../protocol/errors.ts'
import { failure } from '../log.ts'
import type { Log } from '../log.ts'
import type { Doorkeeper } from './doorkeeper.ts'
import { open, seal } from './exchange.ts'
import type { Admitted, Permits } from './permit.ts'

const SUBJECT = '$SYS.REQ.USER.AUTH'
const SERVER_KEY_HEADER = 'Nats-Server-Xkey'
/** Gateways share the questions. */
const QUEUE = 'gateways'
/** Questions of one gateway at a time: beyond it a connection is turned away, and its client tries again. */
const AT_ONCE = 1_024

/** Counts connections before and after it is known whose they are. @throws Refusal */
export interface Turnstile {
  fromAddress(host: string): void
  enter(admitted: Admitted): void
}

interface Question {
  readonly nats?: {
    readonly user_nkey?: string
    readonly server_id?: { readonly id?: string }
    readonly client_info?: { readonly host?: string; readonly nonce?: string }
    readonly connect_opts?: { readonly nkey?: string; readonly sig?: string; readonly user?: string; readonly auth_token?: string }
  }
}

/** Answers nats-server's questions (auth callout): who is it that connects, and what may it do? Without an answer the server lets nobody in. */
export class Callout {
  readonly #doorkeeper: Doorkeeper
  readonly #permits: Permits
  readonly #exchange: NatsExchangeKey
  readonly #turnstile: Turnstile
  readonly #log: Log
  readonly #subscription: Subscription
  #asked = 0

  /** @param connection in the server's account of the venue, where nobody but the server may ask */
  constructor(connection: NatsConnection, doorkeeper: Doorkeeper, permits: Permits, exchange: NatsExchangeKey, turnstile: Turnstile, log: Log) {
    this.#doorkeeper = doorkeeper
    this.#permits = permits
    this.#exchange = exchange
    this.#turnstile = turnstile
    this.#log = log
    this.#subscription = connection.subscribe(SUBJECT, {
      queue: QUEUE,
      callback: (broken, message) => {
        if (broken !== null) return this.#log.error({ at: 'callout', error: broken.name }, 'the subscription to questions about connections failed')
        void this.#hear(message)
      },
    })
  }

  close(): void {
    this.#subscription.unsubscribe()
  }

  async #hear(message: Msg): Promise<void> {
    const serverKey = message.headers?.get(SERVER_KEY_HEADER) ?? ''
    const question = this.#read(message, serverKey)
    const { user_nkey: user, server_id: server } = question?.nats ?? {}
    if (user === undefined || server?.id === undefined) return this.#log.error({ at: 'callout#hear', bytes: message.data.length }, 'a question about a connection could not be read: is its key the one in the server’s configuration?')
    const answer = await this.#answer(question!, user, server.id)
    message.respond(seal(answer, serverKey, this.#exchange.secret))
  }

  async #answer({ nats }: Question, user: string, server: string): Promise<string> {
    this.#asked++
    try {
      if (this.#asked > AT_ONCE) throw new Refusal('venue_overloaded')
      const { client_info: client = {}, connect_opts: options = {} } = nats!
      this.#turnstile.fromAddress(client.host ?? '')
      const admitted = await this.#doorkeeper.admit({ nkey: options.nkey, sig: options.sig, nonce: client.nonce, user: options.user, token: options.auth_token }, Date.now())
      this.#turnstile.enter(admitted)
      return this.#permits.grant(admitted, user, server)
    } catch (error) {
      if (!(error instanceof Refusal)) this.#log.error({ at: 'callout#answer', ...failure(error) }, 'a connection could not be decided on')
      return this.#permits.refuse(error instanceof Refusal ? error.code : 'internal_error', user, server)
    } finally {
      this.#asked--
    }
  }

  /** Payload of the server's JWT. That it is the server's is known by where it comes from, and by the key that opens it. */
  #read(message: Msg, serverKey: string): Question | undefined {
    const clear = open(message.data, serverKey, this.#exchange.secret)
    if (clear === undefined) return undefined
    try {
      return JSON.parse(Buffer.from(Buffer.from(clear).toString('latin1').split('.')[1] ?? '', 'base64url').toString()) as Question
    } catch {
      return undefined
    }
  }
}
