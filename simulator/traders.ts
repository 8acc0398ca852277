import type { ErrorCode } from '../src/protocol/errors.ts'
import type { AccountId, ActorName, Amount, Lots, MessageId, OrderId, Seconds, Ticks, TimeInForce } from '../src/protocol/identity.ts'
import type { Market } from '../src/protocol/market.ts'
import type { Answer } from '../src/protocol/packets.ts'
import { vaultOf } from '../src/protocol/subjects.ts'
import { plainTerms } from '../src/protocol/terms.ts'
import type { OrderTerms } from '../src/protocol/terms.ts'
import type { SetDeadMan, SignedCommand, TimerState, VaultQuery } from '../src/protocol/vault.ts'
import type { Venue } from '../src/protocol/venue.ts'
import type { TimerPromises } from './checks/timers.ts'
import type { Circumstances } from './circumstances.ts'
import type { Gateway, Item } from './gateway.ts'
import type { Random } from './random.ts'

/** What a client that is told this does: it sends the same message again. Anything else is an answer. */
const tryAgain: ReadonlySet<ErrorCode> = new Set(['venue_not_ready', 'venue_overloaded', 'account_unavailable', 'market_unavailable', 'outcome_unknown'])
const RETRY_us = { least: 50_000, most: 800_000 }
/** Orders of one account that its owner remembers well enough to cancel them. */
const REMEMBERED = 48
/** What sets a timer beside connections. */
const BY_MESSAGE = ''
/** Old messages that are sent once more after somebody was away. */
const REPEATED = 60
const REPEATED_us = { least: 2_000_000, most: 5_000_000 }
/** Messages without an answer, all traders together. */
const MOST_WAITING = 4_000

/** A signed message, which is sent until it is answered. */
export interface ClientMessage {
  readonly command: SignedCommand
  readonly vault: ActorName
  attempts: number
  answer: Answer | null
}

interface Question {
  readonly vault: ActorName
  readonly query: VaultQuery
}

/** How much traders do, by the seed. */
export interface Workload {
  readonly accounts: number
  /** Commands of one burst at most. */
  readonly burst: number
  /** Between two bursts at most. */
  readonly gap_us: number
  /** How far around the middle prices lie, in ticks. */
  readonly spread: number
  readonly mostLots: number
  /** Of a hundred messages, how many may be about a timer: a third of them are. */
  readonly timers: number
}

/** `timers`: a stream of its own. In one run of three traders trust the venue little, and set timers all the time. */
export const workloadOf = (random: Random, timers: Random): Workload => ({
  accounts: random.pick([6, 12, 24]),
  burst: random.pick([8, 32, 96]),
  gap_us: random.pick([4_000, 10_000, 20_000]),
  spread: random.pick([3, 10, 40]),
  mostLots: random.pick([10, 50, 200]),
  timers: timers.pick([1, 1, 20]),
})

const MIDDLE_ticks = 1_000

/** Everybody who trades: what they want, what they sent, and what they were told. */
export class Traders {
  readonly #circumstances: Circumstances
  readonly #random: Random
  readonly #venue: Venue
  readonly #markets: readonly Market[]
  readonly #accounts: readonly AccountId[]
  readonly #workload: Workload
  readonly #promises: TimerPromises
  readonly #gateways: () => readonly Gateway[]
  /** The last message that each key has set its timer with. */
  readonly #timers = new Map<string, ClientMessage>()
  readonly #recent = new Map<AccountId, OrderId[]>()
  /** Sent and not answered, by the gateway that has it. */
  readonly #inFlight = new Map<Gateway, Set<ClientMessage>>()
  readonly #messages = new Map<MessageId, ClientMessage>()
  readonly #answered: ClientMessage[] = []
  /** Those that are to be sent again. */
  #again: ClientMessage[] = []
  #waiting = 0
  #resting = false
  /** Nobody asks again before. */
  #waitUntil_us = 0

  constructor(circumstances: Circumstances, venue: Venue, accounts: readonly AccountId[], workload: Workload, promises: TimerPromises, gateways: () => readonly Gateway[]) {
    this.#circumstances = circumstances
    this.#random = circumstances.random.fork('traders')
    this.#venue = venue
    this.#markets = [...venue.markets.values()]
    this.#accounts = accounts
    this.#workload = workload
    this.#promises = promises
    this.#gateways = gateways
    this.#next()
  }

  /** Messages without an answer. */
  get waiting(): number {
    return this.#waiting
  }

  /** Every message that was ever sent. */
  get messages(): Iterable<ClientMessage> {
    return this.#messages.values()
  }

  get sent(): number {
    return this.#messages.size
  }

  /** No new messages; what is not answered is still asked again. */
  rest(): void {
    this.#resting = true
  }

  /** What is not answered is not asked again before then. */
  wait(until_us: number): void {
    this.#waitUntil_us = until_us
  }

  /** Soon somebody sends again what was sent before, answered or not and however old. */
  repeat(): void {
    this.#circumstances.scheduler.after(this.#random.between(REPEATED_us.least, REPEATED_us.most), 'sends old messages', 'traders', () => {
      const gateways = this.#gateways()
      const known = [...this.#messages.values()]
      if (gateways.length > 0 && known.length > 0) this.#send(this.#random.pick(gateways), Array.from({ length: REPEATED }, () => this.#random.pick(known)))
    })
  }

  /** A gateway is gone, and whoever waited for it hears nothing more. */
  lost(gateway: Gateway): void {
    for (const message of this.#inFlight.get(gateway) ?? []) this.#retry(message)
    this.#inFlight.delete(gateway)
  }

  #next(): void {
    this.#circumstances.scheduler.after(this.#random.between(500, this.#workload.gap_us), 'burst', 'traders', () => {
      if (this.#resting) return
      this.#burst()
      this.#next()
    })
  }

  #burst(): void {
    const gateways = this.#gateways()
    if (gateways.length === 0 || this.#waiting >= MOST_WAITING) return
    const wanted = Array.from({ length: this.#random.between(1, this.#workload.burst) }, () => {
      const account = this.#random.pick(this.#accounts)
      return this.#want(account, vaultOf(account, this.#venue.file.vaultPartitions))
    })
    this.#send(this.#random.pick(gateways), wanted)
  }

  #send(gateway: Gateway, all: readonly (ClientMessage | Question)[]): void {
    this.#circumstances.trace.event(this.#circumstances.scheduler.now_us, 'messages', gateway.name, all.length)
    const items = new Map<ActorName, { item: Item; answered: (answer: Answer) => void }[]>()
    for (const wanted of all) {
      const some = items.get(wanted.vault) ?? []
      items.set(wanted.vault, some)
      if ('query' in wanted) {
        some.push({ item: { query: wanted.query }, answered: () => undefined })
      } else {
        // The gateway may die of sending: what it had is known before.
        this.#sent(gateway, wanted)
        some.push({ item: { command: wanted.command }, answered: (answer) => this.#answer(gateway, wanted, answer) })
      }
    }
    for (const [vault, some] of items) gateway.send(vault, some)
  }

  #want(account: AccountId, vault: ActorName): ClientMessage | Question {
    const random = this.#random
    const roll = random.below(100)
    const recent = this.#recent.get(account) ?? []
    const expires = this.#expires()
    const id = random.hex(64) as MessageId
    const signed = { id, account, signer: random.chance(0.04) ? random.pick(this.#accounts) : account, expires }
    if (roll < 4) return { vault, query: this.#query(account, recent) }
    if (roll < 7 && this.#answered.length > 0) return random.pick(this.#answered)
    if (roll < 18 && recent.length > 0) return this.#message(vault, { kind: 'cancel', ...signed, ...this.#named(random.pick(recent)) })
    if (roll < 28 && recent.length > 0) return this.#message(vault, this.#amend(signed, random.pick(recent)))
    if (roll === 28 && random.chance(0.3)) return this.#message(vault, { kind: 'cancelAll', ...signed, market: random.chance(0.5) ? null : random.pick(this.#markets).name })
    if (roll === 29 && random.chance(0.3)) {
      const asset = random.pick(this.#venue.assets).contract
      return this.#message(vault, { kind: 'withdraw', ...signed, asset, amount: BigInt(random.between(1, 2_000)) * 1_000_000n as Amount })
    }
    if (roll === 30 && random.chance(0.5)) return this.#message(vault, this.#delegation({ ...signed, signer: account }))
    if (roll >= 31 && roll < 31 + this.#workload.timers && random.chance(0.3)) {
      const timer = this.#timer(vault, signed)
      if (timer !== null) return timer
    }
    recent.push(id)
    if (recent.length > REMEMBERED) recent.shift()
    this.#recent.set(account, recent)
    return this.#message(vault, this.#order(signed))
  }

  #order(signed: { id: OrderId; account: AccountId; signer: AccountId; expires: Seconds }): SignedCommand {
    const random = this.#random
    const market = random.pick(this.#markets)
    const side = random.chance(0.5) ? 'buy' : 'sell'
    const [ticks, lots] = [this.#ticks(), this.#lots()]
    const terms = { ...plainTerms, selfTrade: random.pick(['cancelNewest', 'cancelOldest', 'cancelBoth', 'decrement'] as const) }
    // Some reuse their names, as soon as they may and sooner.
    const clientOrderId = random.chance(0.1) ? random.pick(['a', 'b', 'c']) : signed.id.slice(0, 32)
    const order = { kind: 'place', ...signed, clientOrderId, market: market.name, side, ticks, lots, spend: 0n as Amount, terms } as const
    const roll = random.below(100)
    if (roll < 4 && side === 'buy') return { ...order, type: 'market', timeInForce: 'IOC', ticks: 0 as Ticks, lots: 0 as Lots, spend: market.quoteAmount(ticks, lots) }
    if (roll < 8) return { ...order, type: 'market', timeInForce: 'IOC' }
    const timeInForce = random.pick(['GTC', 'GTC', 'GTC', 'GTC', 'GTD', 'IOC', 'FOK'] as const)
    return { ...order, type: 'limit', timeInForce, terms: { ...terms, ...this.#terms(timeInForce, lots) } }
  }

  /** Traders let each other trade, for a while or until they think better of it. */
  #delegation(signed: { id: MessageId; account: AccountId; signer: AccountId; expires: Seconds }): SignedCommand {
    const random = this.#random
    const key = random.pick(this.#accounts)
    if (random.chance(0.3)) return { kind: 'revoke', ...signed, key }
    const until = (signed.expires + random.between(0, 60)) as Seconds
    const scope = random.chance(0.2) ? 'read' : 'trade'
    return { kind: 'delegate', ...signed, key, scope, market: scope === 'read' || random.chance(0.5) ? null : random.pick(this.#markets).name, until }
  }

  /** A timer is set, renewed, ended or left to run out. Each key waits for the answer before it asks for something else; null where it still does. */
  #timer(vault: ActorName, { id, account, signer }: { readonly id: MessageId; readonly account: AccountId; readonly signer: AccountId }): ClientMessage | null {
    const random = this.#random
    const key = `${account} ${signer}`
    const last = this.#timers.get(key)
    if (last !== undefined && last.answer === null) return null
    const command: SetDeadMan = { kind: 'deadMan', id, account, signer, timeout_s: random.pick([5, 5, 6, 8, 12, 0]), expires: this.#expires(20) }
    this.#promises.asked(account, signer, BY_MESSAGE)
    const message = this.#message(vault, command)
    this.#timers.set(key, message)
    return message
  }

  /** An order by its id, or by the one of its owner's choice. */
  #named(order: OrderId): { order: OrderId | null; clientOrderId: string | null } {
    const placed = this.#messages.get(order)?.command
    return placed?.kind === 'place' && this.#random.chance(0.3) ? { order: null, clientOrderId: placed.clientOrderId } : { order, clientOrderId: null }
  }

  /** Mostly in the steps of the order's market. */
  #amend(signed: { id: MessageId; account: AccountId; signer: AccountId; expires: Seconds }, order: OrderId): SignedCommand {
    const placed = this.#messages.get(order)?.command
    const name = placed?.kind === 'place' && this.#random.chance(0.98) ? placed.market : this.#random.pick(this.#markets).name
    const market = this.#venue.markets.get(name) ?? this.#random.pick(this.#markets)
    return { kind: 'amend', ...signed, order, price: market.formatPrice(this.#ticks()), quantity: market.formatQuantity(this.#lots()) }
  }

  #terms(timeInForce: TimeInForce, lots: Lots): Partial<OrderTerms> {
    const rests = timeInForce === 'GTC' || timeInForce === 'GTD'
    switch (this.#random.below(rests ? 24 : 0)) {
      case 1:
        return { postOnly: true }
      case 2:
        return { condition: 'allOrNone' }
      case 3:
        return { condition: 'aggregate', minimum: this.#random.between(1, lots) as Lots, returnRemainder: this.#random.chance(0.5) }
      case 4:
        return { condition: 'perCounterparty', minimum: this.#random.between(1, lots) as Lots, returnRemainder: this.#random.chance(0.5) }
      default:
        return {}
    }
  }

  #ticks(): Ticks {
    return (MIDDLE_ticks + this.#random.between(-this.#workload.spread, this.#workload.spread)) as Ticks
  }

  #lots(): Lots {
    return this.#random.between(1, this.#workload.mostLots) as Lots
  }

  #query(account: AccountId, recent: readonly OrderId[]): VaultQuery {
    const roll = this.#random.below(3)
    if (roll === 0 && recent.length > 0) return { kind: 'order', account, id: this.#random.pick(recent) }
    return roll === 1 ? { kind: 'orders', account, market: null, open: true, limit: 10 } : { kind: 'balances', account }
  }

  #expires(most_s = 60): Seconds {
    return (Math.floor(this.#circumstances.scheduler.now_ms / 1_000) + this.#random.between(2, most_s)) as Seconds
  }

  #message(vault: ActorName, command: SignedCommand): ClientMessage {
    const message: ClientMessage = { command, vault, attempts: 0, answer: null }
    this.#messages.set(command.id, message)
    this.#waiting++
    return message
  }

  #sent(gateway: Gateway, message: ClientMessage): void {
    message.attempts++
    const inFlight = this.#inFlight.get(gateway) ?? new Set()
    this.#inFlight.set(gateway, inFlight.add(message))
  }

  #answer(gateway: Gateway, message: ClientMessage, answer: Answer): void {
    this.#inFlight.get(gateway)?.delete(message)
    if ('refused' in answer && tryAgain.has(answer.refused)) return this.#retry(message)
    if (message.answer === null) {
      const { command } = message
      if (command.kind === 'deadMan') this.#promises.answered(command.account, command.signer, BY_MESSAGE, 'ok' in answer ? (answer.ok as TimerState) : null)
      this.#waiting--
      this.#answered.push(message)
      if (this.#answered.length > 256) this.#answered.splice(0, 128)
    }
    // The last word counts: an order that rested when it was first told may be filled by now.
    message.answer = answer
  }

  #retry(message: ClientMessage): void {
    if (message.answer !== null) return
    this.#again.push(message)
    if (this.#again.length === 1) this.#askAgain()
  }

  #askAgain(): void {
    const { scheduler } = this.#circumstances
    const wait_us = Math.max(0, this.#waitUntil_us - scheduler.now_us)
    scheduler.after(wait_us + this.#random.between(RETRY_us.least, RETRY_us.most), 'ask again', 'traders', () => {
      const gateways = this.#gateways()
      if (gateways.length === 0 || scheduler.now_us < this.#waitUntil_us) return this.#askAgain()
      const again = this.#again.filter(({ answer }) => answer === null)
      this.#again = []
      if (again.length > 0) this.#send(this.#random.pick(gateways), again)
    })
  }
}
