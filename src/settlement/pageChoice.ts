import { pageOf } from './tradePlace.ts'
import type { TradePlace } from './tradePlace.ts'

/**
 * Pages that many of some trades have in common, those of the first one among them: in its asset groups, the account pages among which most trade, taken greedily, each time
 * the one with the most trades with those there are. The best choice is a hard problem (densest subgraph of a size); this takes time in proportion to the trades and to what is chosen.
 * @param most pages at most
 */
export function sharedPages(places: readonly TradePlace[], most: number): Set<number> {
  const [first] = places
  if (first === undefined) return new Set()
  const groups = new Set(first.groups)
  const traded = tradedBetween(places.filter((place) => place.groups.every((group) => groups.has(group))))
  const chosen = new Set<number>()
  /** Trades that a page would add, by page. */
  const gains = new Map<number, number>()
  const add = (page: number): void => {
    chosen.add(page)
    gains.delete(page)
    for (const [other, trades] of traded.get(page) ?? []) if (!chosen.has(other)) gains.set(other, (gains.get(other) ?? traded.get(other)?.get(other) ?? 0) + trades)
  }
  for (const page of new Set(first.accountPages)) add(page)
  while ((chosen.size + 1) * groups.size <= most) {
    const best = mostOf(gains)
    if (best === undefined) break
    add(best)
  }
  return new Set([...chosen].flatMap((page) => Array.from(groups, (group) => pageOf(page, group))))
}

/** How many trades there are between two account pages, or within one, either way round. */
function tradedBetween(places: readonly TradePlace[]): Map<number, Map<number, number>> {
  const traded = new Map<number, Map<number, number>>()
  const count = (page: number, other: number): void => {
    const counts = traded.get(page) ?? new Map<number, number>()
    traded.set(page, counts)
    counts.set(other, (counts.get(other) ?? 0) + 1)
  }
  for (const { accountPages: [buyer, seller] } of places) {
    count(buyer, seller)
    if (seller !== buyer) count(seller, buyer)
  }
  return traded
}

/** The first of those with the largest number. */
function mostOf(numbers: ReadonlyMap<number, number>): number | undefined {
  let best: number | undefined
  let most = 0
  for (const [key, number] of numbers) if (number > most) [best, most] = [key, number]
  return best
}
