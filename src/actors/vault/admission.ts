import type { ErrorCode } from '../../protocol/errors.ts'
import type { Amount, ContractId, Lots, Milliseconds, Seconds, Ticks } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { Market } from '../../protocol/market.ts'
import { conflictOf } from '../../protocol/terms.ts'
import type { PlaceOrder } from '../../protocol/vault.ts'

/** The rules that every signed command meets before anything is looked up: pure questions, answered with a refusal or null. */

/** An id is remembered until its message expires, so how far ahead that may be bounds the memory. */
export function expiryFault(expires: Seconds, maxLifetime_s: number, time: Milliseconds): ErrorCode | null {
  if (!Number.isSafeInteger(expires)) return 'message_malformed'
  if (time >= expires * 1000) return 'message_expired'
  return expires * 1000 > time + maxLifetime_s * 1000 ? 'expiry_too_far' : null
}

const sides: ReadonlySet<string> = new Set(['buy', 'sell'])
const lifetimes: Readonly<Partial<Record<string, ReadonlySet<string>>>> = { limit: new Set(['GTC', 'GTD', 'IOC', 'FOK']), market: new Set(['IOC', 'FOK']) }

/** The market's ranges once more: a gateway has checked them, but what is journaled must never depend on that. */
export function termsFault(place: PlaceOrder, market: Market): ErrorCode | null {
  if (!(place.clientOrderId.length >= 1 && place.clientOrderId.length <= limits.clientOrderIdLength)) return 'message_malformed'
  if (!sides.has(place.side) || !lifetimes[place.type]?.has(place.timeInForce)) return 'message_malformed'
  if (place.spend !== 0n) {
    const bySpend = place.type === 'market' && place.side === 'buy' && place.timeInForce === 'IOC' && place.ticks === 0 && place.lots === 0
    if (!bySpend) return 'message_malformed'
    if (place.spend < 1n) return 'quantity_out_of_range'
    if (!market.takesBudget(place.spend)) return 'order_value_exceeded'
    return conflictOf(place.terms, place.lots, place.type, place.timeInForce)
  }
  return rangeFault(place.ticks, place.lots, market) ?? conflictOf(place.terms, place.lots, place.type, place.timeInForce)
}

/** Price and quantity against the market's bounds. */
export function rangeFault(ticks: Ticks, lots: Lots, market: Market): ErrorCode | null {
  const { minLots, maxLots, maxTicks } = market.rules
  if (!Number.isInteger(ticks) || ticks < 1 || ticks > maxTicks) return 'price_out_of_range'
  if (!Number.isInteger(lots) || lots < minLots || lots > maxLots) return 'quantity_out_of_range'
  return market.takes(ticks, lots) ? null : 'order_value_exceeded'
}

/** What an order may cost at most, and in which asset: held before the order reaches its market. */
export function costOf(place: PlaceOrder, market: Market): { readonly asset: ContractId; readonly amount: Amount } {
  const { base, quote } = market.rules
  if (place.side === 'sell') return { asset: base.contract, amount: market.baseAmount(place.lots) }
  return { asset: quote.contract, amount: place.spend > 0n ? place.spend : market.quoteAmount(place.ticks, place.lots) }
}
