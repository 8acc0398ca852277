import { Refusal } from '../protocol/errors.ts'
import type { AccountId, Amount, Lots, MarketName, MessageId, Seconds, Ticks } from '../protocol/identity.ts'
import { parseAmount } from '../protocol/market.ts'
import type { Market } from '../protocol/market.ts'
import type { OrderMessage } from '../protocol/messages/order.ts'
import type { PairOutcome } from '../protocol/pair.ts'
import { conflictOf } from '../protocol/terms.ts'
import type { OrderTerms } from '../protocol/terms.ts'
import type { OrderState, PlaceOrder } from '../protocol/vault.ts'
import type { Venue } from '../protocol/venue.ts'

/** The market a message names, if its assets are what the venue trades under that name: a symbol alone could be re-mapped. */
export function marketOf(message: OrderMessage, venue: Venue): Market {
  const market = venue.markets.get(message.market as MarketName)
  if (market === undefined) throw new Refusal('market_unknown')
  if (message.base !== market.rules.base.contract || message.quote !== market.rules.quote.contract) throw new Refusal('asset_mismatch')
  return market
}

/**
 * A signed order in ticks, lots and smallest units.
 * @throws Refusal decimal_malformed, price_off_tick, price_out_of_range, quantity_off_lot, quantity_out_of_range, minimum_out_of_range, terms_conflict, order_value_exceeded
 */
export function placeOrder(message: OrderMessage, market: Market, id: MessageId, signer: AccountId, expires: Seconds): PlaceOrder {
  const bounded = 'quantity' in message
  const spend = bounded ? (0n as Amount) : parseAmount(message.spend, market.rules.quote)
  if (!bounded && spend < 1n) throw new Refusal('quantity_out_of_range', 'spend')
  const ticks = bounded ? market.parsePrice(message.price) : (0 as Ticks)
  const lots = bounded ? market.parseQuantity(message.quantity) : (0 as Lots)
  if (!market.takes(ticks, lots) || !market.takesBudget(spend)) throw new Refusal('order_value_exceeded')
  const terms = termsOf(message, market)
  const conflict = conflictOf(terms, lots, message.type, message.timeInForce)
  if (conflict !== null) throw new Refusal(conflict)
  return {
    kind: 'place',
    id,
    clientOrderId: message.nonce,
    account: message.account as AccountId,
    signer,
    market: market.name,
    side: message.side,
    type: message.type,
    ticks,
    lots,
    spend,
    timeInForce: message.timeInForce,
    terms,
    expires,
  }
}

/** What the order asks for besides; where it does not say how it meets its own account, the market's default. */
function termsOf(message: OrderMessage, market: Market): OrderTerms {
  const selfTrade = message.selfTrade ?? market.rules.selfTrade
  const minimum = 'minimum' in message && message.minimum !== undefined ? market.parseMinimum(message.minimum) : (0 as Lots)
  const perCounterparty = 'minimumPer' in message && message.minimumPer !== undefined
  const allOrNone = 'allOrNone' in message && message.allOrNone !== undefined
  if ((allOrNone && minimum > 0) || (perCounterparty && minimum === 0)) throw new Refusal('terms_conflict')
  const condition = allOrNone ? 'allOrNone' : minimum === 0 ? 'none' : perCounterparty ? 'perCounterparty' : 'aggregate'
  return { postOnly: 'postOnly' in message && message.postOnly !== undefined, condition, minimum, returnRemainder: 'remainder' in message && message.remainder !== undefined, selfTrade }
}

/** An order as the market left it: what was asked, with what became of it. */
export function orderAfter(command: PlaceOrder, outcome: PairOutcome): OrderState {
  if (outcome.order !== command.id) throw new Error('an outcome reached the request of another order')
  const { kind: _kind, signer: _signer, ...asked } = command
  const { status, reason, filledLots, filledQuote, created, time } = outcome
  // Self-trade prevention may have taken something off the total; a budget has none.
  const lots = command.spend > 0n ? asked.lots : outcome.lots
  return { ...asked, lots, status, reason, filledLots, filledQuote, created, updated: time }
}
