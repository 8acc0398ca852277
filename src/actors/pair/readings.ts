import { Meters } from '../../monitoring/meters.ts'
import type { Readings } from '../../monitoring/meters.ts'
import type { MarketName } from '../../protocol/identity.ts'
import type { PairMachine } from './pairMachine.ts'

/** What a market shows its operator: how many orders and trades, and nothing of what they say. */
export function pairReadings(market: MarketName, machine: Pick<PairMachine, 'trades' | 'book' | 'status'>): () => Promise<Readings> {
  const meters = new Meters()
  return () => {
    meters.set('darkpool_matches_total', machine.trades, { market })
    meters.set('darkpool_open_orders', machine.book.size, { market })
    meters.set('darkpool_market_open', machine.status.state === 'open' ? 1 : 0, { market })
    return meters.read()
  }
}
