import type { ActorName } from '../protocol/identity.ts'
import { formatAmount } from '../protocol/market.ts'
import type { Market } from '../protocol/market.ts'
import type { PairOutcome } from '../protocol/pair.ts'
import { pairActor } from '../protocol/subjects.ts'
import type { AmendState, OrderState } from '../protocol/vault.ts'
import type { Venue } from '../protocol/venue.ts'
import { isoTime } from '../protocol/view.ts'

/** What became of an order that exists already, as a pair or a vault actor tells it. */
export type ToldOrder = OrderState | PairOutcome

/** Shows orders to their owners, whoever told of them: a pair actor trades one market and does not name it; a vault actor knows them all and does. */
export class OutcomeViews {
  readonly #venue: Venue
  readonly #byActor: ReadonlyMap<ActorName, Market>

  constructor(venue: Venue) {
    this.#venue = venue
    this.#byActor = new Map([...venue.markets.values()].map((market) => [pairActor(market.name), market]))
  }

  /** How far the order came. */
  cancelled(told: ToldOrder, from: ActorName) {
    const market = this.#marketOf(told, from)
    return {
      id: 'order' in told ? told.order : told.id,
      market: market.name,
      status: told.status,
      reason: told.reason,
      filledQuantity: market.formatQuantity(told.filledLots),
      filledQuote: formatAmount(told.filledQuote, market.rules.quote),
      updated: isoTime('time' in told ? told.time : told.updated),
    }
  }

  /** An answer to an amend, and whether the order is on its way to be amended still: the pair actor says what it did, the vault actor what it remembers. */
  amendAnswer(value: PairOutcome | AmendState, from: ActorName) {
    if ('amended' in value) return { waiting: value.waiting, view: this.amended(value.amended, from) }
    return { waiting: false, view: this.amended(value, from) }
  }

  /** Also its price and total quantity, for an order that has them. */
  amended(told: ToldOrder, from: ActorName) {
    const market = this.#marketOf(told, from)
    return { ...this.cancelled(told, from), price: market.formatPrice(told.ticks), quantity: market.formatQuantity(told.lots) }
  }

  #marketOf(told: ToldOrder, from: ActorName): Market {
    const market = 'market' in told ? this.#venue.markets.get(told.market) : this.#byActor.get(from)
    if (market === undefined) throw new Error('an order was told of a market that the venue does not have')
    return market
  }
}
