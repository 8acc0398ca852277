import type { AccountId, ActorName, Amount, Lots, Milliseconds, OrderId, Seconds, Side, Ticks } from '../../protocol/identity.ts'
import { Link } from './queues.ts'

/** What is fixed when an order comes in. */
export interface OrderTerms {
  readonly id: OrderId
  readonly account: AccountId
  /** The vault actor that owns the account and hears what becomes of the order. */
  readonly vault: ActorName
  readonly side: Side
  /** Limit or worst price; 0 where a budget bounds the order instead. */
  readonly ticks: Ticks
  readonly lots: Lots
  readonly expires: Seconds
  /** When the vault actor took it. */
  readonly created: Milliseconds
}

/** An order in the book or on its way into it. */
export class Order {
  readonly id: OrderId
  readonly account: AccountId
  readonly vault: ActorName
  readonly side: Side
  readonly ticks: Ticks
  readonly expires: Seconds
  readonly created: Milliseconds
  /** What is left to trade. */
  lots: Lots
  filledLots = 0 as Lots
  filledQuote = 0n as Amount
  /** Its place in the queue of its price and in that of its expiry. */
  readonly inLevel: Link<Order> = new Link<Order>(this)
  readonly inExpiry: Link<Order> = new Link<Order>(this)

  constructor(terms: OrderTerms) {
    this.id = terms.id
    this.account = terms.account
    this.vault = terms.vault
    this.side = terms.side
    this.ticks = terms.ticks
    this.lots = terms.lots
    this.expires = terms.expires
    this.created = terms.created
  }
}
