import type { MarketName, MarketState } from '../protocol/identity.ts'
import type { MarketStatus, Swept } from '../protocol/pair.ts'
import { pairActor } from '../protocol/subjects.ts'
import type { Operation } from './operation.ts'

/** Halts, restricts or opens a market; its price band stays. */
export async function setState(operation: Operation, market: MarketName, state: MarketState): Promise<MarketStatus> {
  const actor = pairActor(market)
  const { lowTicks, highTicks } = await operation.ask<MarketStatus>(actor, { kind: 'market' })
  return operation.tell<MarketStatus>(actor, { kind: 'control', state, lowTicks, highTicks })
}

/** Takes every open order out of a market that is halted, some accounts at a time, and says how many there were. */
export async function takeOrders(operation: Operation, market: MarketName): Promise<number> {
  for (let taken = 0; ; ) {
    const { cancelled, open } = await operation.tell<Swept>(pairActor(market), { kind: 'sweep' })
    taken += cancelled
    if (open === 0) return taken
    if (cancelled === 0) throw new Error(`${market} has open orders, and takes none of them out`)
  }
}
