import type { NatsConnection } from '@nats-io/nats-core'
import type { FeedMessage, OrderView } from '../protocol/feed.ts'
import type { Operation } from '../protocol/nats.ts'
import { Subjects } from '../protocol/subjects.ts'
import { FeedKeyring } from './feedKeyring.ts'
import type { FeedKeySource } from './feedKeyring.ts'
import type { SignedRequest } from './messages.ts'
import type { NatsAccess } from './natsAccess.ts'
import { natsExchange } from './natsExchange.ts'
import { problemError } from './problem.ts'
import type { BalanceView } from './views/account.ts'

const TIMEOUT_MS = 15_000
/** A page that was lost with its connection is asked for again soon: reading twice harms nobody. */
const REPLAY_TIMEOUT_MS = 3_000

/** A page of a replayed feed. `last` is the number to go on from, and `more` says whether there is more to go on to. */
export interface ReplayPage {
  readonly messages: readonly FeedMessage[]
  readonly last: number
  readonly more: boolean
}

/** What a trader asks over NATS: the same bodies and answers as over HTTP. Errors: NeverSent, Refused, OutcomeUnknown. */
export class NatsRequests {
  readonly #connection: NatsConnection
  readonly #access: NatsAccess
  readonly #subjects: Subjects

  readonly #keyring: FeedKeyring | null

  /** @param keys of the account's feed, for a venue that seals: `() => client.feedKeys()` */
  constructor(connection: NatsConnection, venue: string, access: NatsAccess, keys?: FeedKeySource | FeedKeyring) {
    this.#keyring = typeof keys === 'function' ? new FeedKeyring(venue, access.account, keys) : (keys ?? null)
    this.#connection = connection
    this.#access = access
    this.#subjects = new Subjects(venue)
  }

  /** A signed order, amend, cancel, cancel-all or dead-man timer. */
  send<View = OrderView>(request: SignedRequest): Promise<View> {
    return this.#ask('orders', request)
  }

  /** Up to 100 signed orders, or cancels; results in their order. */
  sendAll<Result>(messages: readonly SignedRequest[]): Promise<{ readonly results: readonly Result[] }> {
    return this.#ask('orders', { messages })
  }

  /** @param after the last number known; left out: no messages, and `last` is the newest number */
  replay(after?: number, limit?: number): Promise<ReplayPage> {
    return this.#ask('replay', { after, limit }, REPLAY_TIMEOUT_MS)
  }

  async balances(): Promise<readonly BalanceView[]> {
    return (await this.#ask<{ balances: BalanceView[] }>('balances', {})).balances
  }

  async openOrders(): Promise<readonly OrderView[]> {
    return (await this.#ask<{ orders: OrderView[] }>('openOrders', {})).orders
  }

  async #ask<Body>(operation: Operation, body: object, timeout = TIMEOUT_MS): Promise<Body> {
    const { account, key } = this.#access
    const { status, body: answer, retryAfter } = await natsExchange(this.#connection, this.#subjects.traderRequest(account, key, operation), JSON.stringify(body), timeout, this.#keyring)
    if (status < 300) return answer as Body
    throw problemError({ ...answer, status }, retryAfter === null ? undefined : Number(retryAfter) * 1000)
  }
}
