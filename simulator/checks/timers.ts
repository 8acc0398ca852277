import type { PairMachine } from '../../src/actors/pair/pairMachine.ts'
import type { AccountId, ActorName, Milliseconds, OrderId } from '../../src/protocol/identity.ts'
import type { PairMessage, Trade } from '../../src/protocol/pair.ts'
import type { PairReport, TimerState } from '../../src/protocol/vault.ts'
import type { HistoryReader, SentMessage } from '../history.ts'
import type { Verdict } from '../violation.ts'

/** What has set a timer: a trader's message, or a connection. */
interface Source {
  /** What was asked and not answered. */
  asked: number
  /** An answer never came: what the source stands at is not known any more. */
  doubtful: boolean
  /** What the trader relies on; null where that is nothing. */
  deadline: Milliseconds | null
}

interface Covered {
  readonly account: AccountId
  readonly signer: AccountId
  readonly created: Milliseconds
}

const RULE = 'timers hold'
const keyOf = (account: AccountId, signer: AccountId): string => `${account} ${signer}`

/**
 * What traders were promised about their timers, kept from the outside. Whoever was told of a deadline, and has asked for nothing else since, relies on it: of the orders
 * that it covers none trades and none rests in a market whose record's time has come to it.
 */
export class TimerPromises implements HistoryReader {
  readonly #verdict: Verdict
  /** By key and by what has set it. */
  readonly #keys = new Map<string, Map<string, Source>>()
  readonly #orders = new Map<OrderId, Covered>()
  /** Deadlines that were relied on. */
  #told = 0
  #takenBack = 0

  constructor(verdict: Verdict) {
    this.#verdict = verdict
  }

  get told(): number {
    return this.#told
  }

  /** Orders that timers have taken back. */
  get takenBack(): number {
    return this.#takenBack
  }

  /** Something is asked of a timer: until the answer comes nobody relies on it. */
  asked(account: AccountId, signer: AccountId, source: string): void {
    const key = keyOf(account, signer)
    const sources = this.#keys.get(key) ?? new Map<string, Source>()
    this.#keys.set(key, sources)
    const known = sources.get(source) ?? { asked: 0, doubtful: false, deadline: null }
    sources.set(source, known)
    known.asked++
    known.deadline = null
  }

  /** The answer; null where there is none that says anything. */
  answered(account: AccountId, signer: AccountId, source: string, state: TimerState | null): void {
    const known = this.#keys.get(keyOf(account, signer))?.get(source)
    if (known === undefined) throw new Error('nobody has asked for that')
    known.asked--
    if (state === null) known.doubtful = true
    if (state === null || state.waiting.length > 0 || known.doubtful || known.asked > 0) return
    known.deadline = state.deadline
    if (state.deadline !== null) this.#told++
  }

  sent(_from: ActorName, { message }: SentMessage): void {
    const said = message as PairMessage | PairReport | Trade
    switch (said.kind) {
      case 'place':
        this.#orders.set(said.order, { account: said.account, signer: said.signer ?? said.account, created: said.created })
        return
      case 'trade':
        for (const order of [said.buyOrder, said.sellOrder]) {
          const covered = this.#orders.get(order)
          if (covered !== undefined) this.#verdict.holds(!this.#over(covered, said.time), RULE, () => `an order trades in ${said.market} although its owner's timer has run out`)
        }
        return
      case 'closed':
        if (said.reason === 'dead_man') this.#close(said.order)
        return
      default:
        return
    }
  }

  /** Looks at every order that rests in a market, whose time has come to `time`. */
  check(actor: ActorName, market: PairMachine, time: number): void {
    for (const order of resting(market)) this.#verdict.holds(!this.#over(order, time), RULE, () => `an order rests in ${actor} although its owner's timer has run out`)
  }

  /** Whether an order rests in the market that a timer is to take back. */
  waits(market: PairMachine): boolean {
    for (const order of resting(market)) if (this.#over(order, Infinity)) return true
    return false
  }

  #close(order: OrderId): void {
    this.#takenBack++
    const covered = this.#orders.get(order)
    const set = covered !== undefined && (this.#keys.has(keyOf(covered.account, covered.account)) || this.#keys.has(keyOf(covered.account, covered.signer)))
    this.#verdict.holds(set, RULE, () => 'an order is taken back by a timer that nobody has set')
  }

  #over({ account, signer, created }: Covered, time: number): boolean {
    return this.#overBy(keyOf(account, account), created, time) || (signer !== account && this.#overBy(keyOf(account, signer), created, time))
  }

  /** Orders that came when the time was over are not covered. */
  #overBy(key: string, created: Milliseconds, time: number): boolean {
    for (const { deadline } of this.#keys.get(key)?.values() ?? []) if (deadline !== null && created < deadline && deadline <= time) return true
    return false
  }
}

function* resting(market: PairMachine): IterableIterator<Covered> {
  for (const side of ['buy', 'sell'] as const) {
    for (const { order } of market.resting(side)) yield { account: order.account, signer: order.signer ?? order.account, created: order.created }
  }
}
