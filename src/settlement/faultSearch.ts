import type { BatchFault } from './settlementLocal.ts'
import type { QueuedTrade } from './tradeQueue.ts'

/** Trades taken out of one batch at most; what stands behind the last of them waits for the next. */
const MOST_ASIDE = 16

/**
 * Finds the trades for which the chain does not take a batch, in about log2(trades) questions for each. The first at fault is where a run from the head
 * that is taken becomes one that is not: each trade is judged with all before it, whose proceeds it may spend.
 * @param queued trades that are not taken as they are
 * @param takes whether the chain takes a batch of these; null: it cannot be said
 * @returns null where it could not be said
 */
export async function findFault(queued: readonly QueuedTrade[], takes: (trades: readonly QueuedTrade[]) => Promise<boolean | null>): Promise<BatchFault | null> {
  const aside: number[] = []
  let places = queued.map((_trade, place) => place)
  const takesFirst = (count: number): Promise<boolean | null> => takes(places.slice(0, count).map((place) => queued[place] as QueuedTrade))
  let taken = 0
  while (aside.length < MOST_ASIDE) {
    let refused = places.length
    while (refused - taken > 1) {
      const middle = Math.floor((taken + refused) / 2)
      const answer = await takesFirst(middle)
      if (answer === null) return null
      if (answer) taken = middle
      else refused = middle
    }
    aside.push(places[taken] as number)
    places = places.filter((_place, n) => n !== taken)
    if (taken === places.length) break
    const rest = await takesFirst(places.length)
    if (rest === null) return null
    if (rest) return { aside, takes: places.length }
  }
  return { aside, takes: taken }
}
