import t from 'tap'
import { limit_ms, setting, torture } from './torture.ts'

const markets = [
  ['XLM', 'USDC'],
  ['EURC', 'USDC'],
  ['XLM', 'EURC'],
] as const

t.setTimeout(limit_ms)
t.test(`three nodes and replicated streams: everything is killed at random ${setting}, and every order, fill and balance is accounted for`, (t) => torture(t, { nodes: 3, markets, vaultPartitions: 3 }))
