import { Refusal } from '../../protocol/errors.ts'
import type { AccountId, MarketName } from '../../protocol/identity.ts'
import type { OwnedMessage } from '../../protocol/owned.ts'
import type { Standing } from '../../protocol/vault.ts'
import { balancesView } from '../balanceView.ts'
import type { Gateway } from '../gateway.ts'
import { customerOf } from '../limits/address.ts'
import { failure } from '../log.ts'
import { batchResult } from '../orderEntry.ts'
import type { BatchEntry, Entry } from '../orderEntry.ts'
import type { SignedBody } from '../submission.ts'
import type { AccountFeeds } from './accountFeeds.ts'
import type { Replay } from './accountFeed.ts'
import type { Asker, Connection, Operator, Request } from './connection.ts'
import type { FeedChannel } from './feedItem.ts'
import type { Login, Logins } from './logins.ts'
import type { MarketWatch } from './marketWatch.ts'
import type { Channel, Requests } from './messages.ts'
import type { Presences } from './presences.ts'
import { Subscription } from './subscription.ts'
import type { TapeFeeds } from './tapeFeeds.ts'

/** Orders in one message of a snapshot. */
const SNAPSHOT_ORDERS = 500
const isFeedChannel = (channel: Channel): channel is Exclude<FeedChannel, 'tape'> => channel !== 'balances' && channel !== 'market' && channel !== 'tape'
const batches = { placeBatch: 'place', cancelBatch: 'cancel' } as const satisfies Record<string, BatchEntry>

/** A tape that somebody is about to follow, with what of it is to be read from the store first. */
interface Opened {
  readonly market: MarketName
  readonly subscription: Subscription
  readonly first: readonly OwnedMessage[] | null
}

export interface Parts {
  readonly gateway: Gateway
  readonly logins: Logins
  readonly feeds: AccountFeeds
  readonly replay: Replay
  readonly markets: MarketWatch
  readonly tapes: TapeFeeds
  readonly presences: Presences
  /** Connections that one account may have. */
  readonly perAccount: number
}

/** What a client can ask for on a stream. */
export class Operations implements Operator {
  readonly #parts: Parts
  readonly #byAccount = new Map<AccountId, Set<Connection>>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  perform(connection: Connection, request: Request, asker: Asker): void {
    const { rates } = this.#parts.gateway
    const cancels = request.op === 'cancel' || request.op === 'cancelAll' || request.op === 'cancelBatch' || request.op === 'deadMan'
    rates.fromAddress(cancels ? 'addressCancels' : 'requests', connection, asker)
    switch (request.op) {
      case 'ping': {
        const now = new Date()
        return asker.answer(200, { time: now.toISOString(), unix_ms: now.getTime() })
      }
      case 'login':
        rates.fromAddress('logins', connection, asker)
        connection.loggingIn = this.#run(connection, asker, () => this.#login(connection, request, asker))
        return
      case 'subscribe':
        void this.#run(connection, asker, () => this.#subscribe(connection, request, asker))
        return
      case 'unsubscribe':
        this.#leave(connection, request)
        return asker.answer(200, { channels: subscribed(connection) })
      case 'place':
      case 'amend':
      case 'cancel':
      case 'cancelAll':
      case 'deadMan':
        return this.#enter(connection, request.op, request, asker)
      case 'placeBatch':
      case 'cancelBatch': {
        const done = connection.busy()
        return this.#parts.gateway.orderEntry.submitAll(batches[request.op], request.messages, asker, (results) => {
          done()
          asker.answer(200, { results: results.map(batchResult) })
        })
      }
    }
  }

  gone(connection: Connection): void {
    for (const subscription of new Set(connection.subscriptions.values())) this.#end(subscription)
    connection.subscriptions.clear()
    this.#leaveBalances(connection)
    for (const market of [...connection.markets.keys()]) this.#parts.markets.leave(connection, market)
    for (const subscription of connection.tapes.values()) subscription.end()
    connection.tapes.clear()
    this.#parts.presences.leave(connection, true)
    if (connection.login !== null) this.#forget(connection.login.account, connection)
  }

  #enter(connection: Connection, entry: Entry, { message, signature, signer }: SignedBody, asker: Asker): void {
    const done = connection.busy()
    this.#parts.gateway.orderEntry.submit(entry, { message, signature, ...(signer !== undefined && { signer }) }, asker, (result) => {
      done()
      if ('problem' in result) asker.answerProblem(result.problem)
      else asker.answer(result.status, result.body)
    })
  }

  /** What takes more than one step. Whatever is thrown becomes the answer. */
  #run(connection: Connection, asker: Asker, work: () => Promise<void>): Promise<void> {
    const done = connection.busy()
    return work()
      .catch((error: unknown) => {
        if (!(error instanceof Refusal)) this.#parts.gateway.log.error({ at: 'operations#run', requestId: asker.requestId, ...failure(error) }, 'a request failed')
        // What goes wrong behind the answer would leave a gap.
        if (asker.answered) connection.lost()
        else asker.refuse(error instanceof Refusal ? error : new Refusal('internal_error'))
      })
      .finally(done)
  }

  async #login(connection: Connection, request: Requests['login'], asker: Asker): Promise<void> {
    const { logins, presences } = this.#parts
    const login = 'token' in request ? await logins.byToken(request.token) : await logins.bySignature(request, connection.challenge)
    const { account, key, until_ms } = login
    const before = connection.login
    if (before !== null && (before.account !== account || before.key !== key)) throw new Refusal('login_conflict')
    const watched = 'cancelOnDisconnect' in request ? request.cancelOnDisconnect : undefined
    if (watched === true) await presences.watch(connection, login)
    else if (watched === false) presences.leave(connection, false)
    // Gone while its signature was checked: nobody would ever take it off the count.
    if (connection.open) this.#enterAccount(connection, login)
    asker.answer(200, { account, key, until: new Date(until_ms).toISOString() })
  }

  #enterAccount(connection: Connection, login: Login): void {
    const connections = this.#byAccount.get(login.account) ?? new Set()
    if (!connections.has(connection) && connections.size >= this.#parts.perAccount) throw new Refusal('streams_exceeded')
    this.#byAccount.set(login.account, connections.add(connection))
    connection.login = login
  }

  #forget(account: AccountId, connection: Connection): void {
    const connections = this.#byAccount.get(account)
    connections?.delete(connection)
    if (connections?.size === 0) this.#byAccount.delete(account)
  }

  async #subscribe(connection: Connection, { channels, markets, after, tapeAfter }: Requests['subscribe'], asker: Asker): Promise<void> {
    const { gateway, feeds, replay } = this.#parts
    const ofFeed = channels.filter(isFeedChannel)
    const wanted = channels.includes('market') ? this.#markets(markets) : []
    const taped = channels.includes('tape') ? this.#taped(markets) : []
    if (tapeAfter !== undefined && !Object.keys(tapeAfter).every((market) => taped.includes(market as MarketName))) throw new Refusal('request_malformed', 'tapeAfter')
    if (markets !== undefined && wanted.length === 0 && taped.length === 0) throw new Refusal('request_malformed', 'markets')
    if (after !== undefined && ofFeed.length === 0) throw new Refusal('request_malformed', 'after')
    const balances = channels.includes('balances')
    const tapes = taped.length === 0 ? [] : await this.#openTapes(connection, taped, tapeAfter, asker)
    if (ofFeed.length === 0 && !balances) {
      asker.answer(200, { channels: [...new Set([...subscribed(connection), ...channels])] })
      await this.#followMarkets(connection, wanted)
      return this.#followTapes(connection, tapes)
    }
    await connection.loggingIn
    if (connection.login === null) throw new Refusal('login_missing')
    const { account, key } = connection.login
    gateway.rates.policies.reads.take(key, asker)
    const { feed, balances: watch } = feeds.acquire(account)
    let kept = false
    try {
      const standing = await gateway.read<Standing>({ kind: 'standing', account, orders: ofFeed.includes('orders') && after === undefined, balances })
      feed.begin(standing.fed)
      if (after !== undefined && after > standing.fed) throw new Refusal('resume_ahead')
      const subscription = new Subscription(feed, connection, ofFeed, after ?? standing.fed)
      const first = await subscription.firstPage(replay, standing.fed)
      if (!connection.open) return
      this.#leave(connection, { channels: channels.filter((channel) => channel !== 'market' && channel !== 'tape') })
      kept = ofFeed.length > 0
      for (const channel of ofFeed) connection.subscriptions.set(channel, subscription)
      asker.answer(200, { channels: [...new Set([...subscribed(connection), ...channels])], ...(ofFeed.length > 0 && { seq: subscription.position }) })
      if (balances) {
        connection.respond({ type: 'snapshot', channel: 'balances', seq: standing.fed, data: balancesView(standing.balances, gateway.venue) })
        connection.balancesAt = standing.fed
        feeds.acquire(account)
        watch.join(connection)
      }
      if (after === undefined && ofFeed.includes('orders')) await this.#snapshot(connection, standing)
      if (ofFeed.length > 0) await subscription.follow(replay, first)
    } finally {
      if (!kept) feeds.release(account)
    }
    await this.#followMarkets(connection, wanted)
    await this.#followTapes(connection, tapes)
  }

  /** In messages of a bounded size, each sent when the one before it has left. */
  async #snapshot(connection: Connection, { fed, orders }: Standing): Promise<void> {
    const parts = Math.max(1, Math.ceil(orders.length / SNAPSHOT_ORDERS))
    for (let part = 1; part <= parts && connection.open; part++) {
      const data = orders.slice((part - 1) * SNAPSHOT_ORDERS, part * SNAPSHOT_ORDERS).map((order) => this.#parts.gateway.view(order))
      connection.respond({ type: 'snapshot', channel: 'orders', seq: fed, part, parts, data })
      if (part < parts) await connection.flushed()
    }
  }

  #markets(named: readonly string[] | undefined): MarketName[] {
    const known = this.#parts.gateway.venue.markets
    if (named === undefined) return [...known.keys()]
    for (const market of named) if (!known.has(market as MarketName)) throw new Refusal('market_unknown')
    return named as MarketName[]
  }

  async #followMarkets(connection: Connection, wanted: readonly MarketName[]): Promise<void> {
    if (wanted.length === 0) return
    const { markets } = this.#parts
    const states = await Promise.all(wanted.map((market) => markets.current(market)))
    if (!connection.open) return
    connection.send(`{"type":"snapshot","channel":"market","data":[${states.join(',')}]}`)
    for (const [n, market] of wanted.entries()) markets.join(connection, market, states[n]!)
  }

  #taped(named: readonly string[] | undefined): MarketName[] {
    const { markets } = this.#parts.gateway.venue
    const taped = this.#markets(named).filter((market) => markets.get(market)!.rules.tape !== null)
    if (taped.length === 0 || taped.length < (named?.length ?? 0)) throw new Refusal('tape_off')
    return taped
  }

  /** @throws Refusal where one of them cannot be read from there on */
  async #openTapes(connection: Connection, taped: readonly MarketName[], places: Readonly<Record<string, number>> | undefined, asker: Asker): Promise<Opened[]> {
    const { gateway, tapes } = this.#parts
    gateway.rates.policies.history.take(customerOf(connection.remoteAddress), asker)
    return Promise.all(
      taped.map(async (market) => {
        const { feed, printed } = await tapes.open(market)
        const after = places?.[market] ?? printed
        if (after > printed) throw new Refusal('resume_ahead', market)
        const subscription = new Subscription(feed, connection, ['tape'], after)
        return { market, subscription, first: await subscription.firstPage(gateway.prints, printed) }
      }),
    )
  }

  async #followTapes(connection: Connection, opened: readonly Opened[]): Promise<void> {
    if (opened.length === 0 || !connection.open) return
    for (const { market, subscription } of opened) {
      connection.tapes.get(market)?.end()
      connection.tapes.set(market, subscription)
    }
    connection.respond({ type: 'snapshot', channel: 'tape', data: opened.map(({ market, subscription }) => ({ market, seq: subscription.position })) })
    await Promise.all(opened.map(({ subscription, first }) => subscription.follow(this.#parts.gateway.prints, first)))
  }

  #leave(connection: Connection, { channels, markets }: Pick<Requests['unsubscribe'], 'channels' | 'markets'>): void {
    for (const channel of channels) {
      if (channel === 'market') for (const market of (markets as MarketName[] | undefined) ?? [...connection.markets.keys()]) this.#parts.markets.leave(connection, market)
      else if (channel === 'tape') {
        for (const market of (markets as MarketName[] | undefined) ?? [...connection.tapes.keys()]) {
          connection.tapes.get(market)?.end()
          connection.tapes.delete(market)
        }
      } else if (channel === 'balances') this.#leaveBalances(connection)
      else {
        const subscription = connection.subscriptions.get(channel)
        connection.subscriptions.delete(channel)
        if (subscription?.drop(channel) === true) this.#end(subscription)
      }
    }
  }

  #leaveBalances(connection: Connection): void {
    if (connection.balancesAt === null) return
    connection.balancesAt = null
    const { account } = connection.login!
    this.#parts.feeds.get(account)?.balances.leave(connection)
    this.#parts.feeds.release(account)
  }

  #end(subscription: Subscription): void {
    subscription.end()
    this.#parts.feeds.release(subscription.feed.owner as AccountId)
  }
}

const subscribed = (connection: Connection): Channel[] => [...connection.subscriptions.keys(), ...(connection.balancesAt === null ? [] : (['balances'] as const)), ...(connection.markets.size === 0 ? [] : (['market'] as const)), ...(connection.tapes.size === 0 ? [] : (['tape'] as const))]
