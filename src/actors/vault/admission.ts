import type { ErrorCode } from '../../protocol/errors.ts'
import type { AccountId, Amount, ContractId, Lots, Milliseconds, Seconds } from '../../protocol/identity.ts'
import type { Market } from '../../protocol/market.ts'
import type { PlaceOrder } from '../../protocol/vault.ts'

/** The rules that every signed command meets before anything is looked up: pure questions, answered with a refusal or null. */

/** Delegated keys would be looked up here; so far only the account itself may act. */
export const signerFault = (command: { readonly account: AccountId; readonly signer: AccountId }): ErrorCode | null =>
  command.signer === command.account ? null : 'signer_not_allowed'

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
  const { minLots, maxLots, maxTicks } = market.rules
  if (!sides.has(place.side) || !lifetimes[place.type]?.has(place.timeInForce)) return 'message_malformed'
  if (place.spend !== 0n) {
    const bySpend = place.type === 'market' && place.side === 'buy' && place.timeInForce === 'IOC' && place.ticks === 0 && place.lots === 0
    if (!bySpend) return 'message_malformed'
    return place.spend >= 1n ? null : 'quantity_out_of_range'
  }
  if (!Number.isInteger(place.ticks) || place.ticks < 1 || place.ticks > maxTicks) return 'price_out_of_range'
  if (!Number.isInteger(place.lots) || place.lots < minLots || place.lots > maxLots) return 'quantity_out_of_range'
  return null
}

/** What an order may cost at most, and in which asset: held before the order reaches its market. */
export function costOf(place: PlaceOrder, market: Market): { readonly asset: ContractId; readonly amount: Amount } {
  const { base, quote } = market.rules
  if (place.side === 'sell') return { asset: base.contract, amount: market.baseAmount(place.lots) }
  return { asset: quote.contract, amount: place.spend > 0n ? place.spend : market.quoteAmount(place.ticks, place.lots) }
}

/** What of an order's reservation a fill uses up: the part held at the order's own price, which may be worse than the fill's. */
export function heldFor(order: { readonly side: 'buy' | 'sell'; readonly ticks: number; readonly spend: bigint }, lots: Lots, quote: Amount, market: Market): Amount {
  if (order.side === 'sell') return market.baseAmount(lots)
  return order.spend > 0n ? quote : market.quoteAmount(order.ticks as PlaceOrder['ticks'], lots)
}
