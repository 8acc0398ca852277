import type { Amount, ContractId, Lots, Ticks } from '../../protocol/identity.ts'
import type { Market } from '../../protocol/market.ts'
import type { AmendedTerms, Order } from './state.ts'

interface Version {
  readonly ticks: Ticks
  readonly lots: Lots
}

/**
 * What must be held for an open order, in its asset's smallest units: enough for whatever it may still trade, as it is and as amends on their way to its market may
 * make it. The n-th lot from here can be bought at the highest price of any version that has that many open, so the sum of these prices covers every order
 * in which fills, amends and refusals of amends can come; where no amend is on its way it is price × open quantity.
 */
export function holdOf(order: Order, market: Market, more?: AmendedTerms): Amount {
  if (order.spend > 0n) return (order.spend - order.filledQuote) as Amount
  if (order.amends.length === 0 && more === undefined) return costOfOpen(order.ticks, (order.lots - order.filledLots) as Lots, order.side, market)
  const versions: Version[] = [order, ...order.amends, ...(more === undefined ? [] : [more])]
  versions.sort((a, b) => b.lots - a.lots)
  let held = 0n
  let dearest = 0 as Ticks
  for (const [place, { ticks, lots }] of versions.entries()) {
    if (ticks > dearest) dearest = ticks
    const next = Math.max(versions[place + 1]?.lots ?? 0, order.filledLots)
    if (lots > next) held += costOfOpen(dearest, (lots - next) as Lots, order.side, market)
  }
  return held as Amount
}

/** Which asset an order's reservation is in. */
export const heldAsset = (order: Order, { rules }: Market): ContractId => (order.side === 'buy' ? rules.quote : rules.base).contract

const costOfOpen = (ticks: Ticks, open: Lots, side: Order['side'], market: Market): Amount => (side === 'sell' ? market.baseAmount(open) : market.quoteAmount(ticks, open))
