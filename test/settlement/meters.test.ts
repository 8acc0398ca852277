import t from 'tap'
import { systemClock } from '../../src/actors/runtime/clock.ts'
import { page } from '../../src/monitoring/meters.ts'
import type { Milliseconds } from '../../src/protocol/identity.ts'
import { settlementActor } from '../../src/protocol/subjects.ts'
import { QuorumRpc } from '../../src/settlement/endpoints/quorumRpc.ts'
import { RpcMeters } from '../../src/settlement/endpoints/rpcMeters.ts'
import { SettlementMeters } from '../../src/settlement/settlementMeters.ts'
import type { SettlementStatus } from '../../src/settlement/settlementStatus.ts'
import type { LedgerReader, StellarRpc } from '../../src/settlement/stellarRpc.ts'
import { readPage, total } from '../monitoring/page.ts'
import { TestLog, until } from './waiting.ts'

const quiet: SettlementStatus = { channel: 0, epoch: 1, queued: 0, aside: { trades: 0, first: [] }, flight: null, settled: null, refusals: 0, lastRefusal: null, disagreeing: [], feesLow: [], cosigns: 0, reconciled: null, differences: { balances: 0, first: [] }, alarms: [] }

t.test('how far settlement is behind, and what its accounts have', async (t) => {
  const meters = new SettlementMeters()
  const at = (seconds: number): Milliseconds => (seconds * 1_000) as Milliseconds
  const first = readPage(await page([await meters.read({ status: quiet, oldest: null }, at(100))]))
  t.equal(total(first, 'darkpool_settlement_lag_seconds'), 0)
  t.equal(total(first, 'darkpool_settlement_least_balance_stroops'), null, 'nobody has looked')
  meters.balances([70_000_000n, 3n, 90_000_000n])
  meters.charged(1_234n)
  meters.charged(100n)
  meters.charged(-5n)
  const busy = { ...quiet, queued: 7, refusals: 5, feesLow: ['GAAA'], alarms: ['diverged'] } as const
  const text = await page([await meters.read({ status: busy, oldest: at(40) }, at(100))])
  const later = readPage(text)
  const values = ['lag_seconds', 'queued_trades', 'refusals', 'low_accounts', 'diverged', 'unregistered', 'least_balance_stroops', 'fee_stroops_total'].map((name) => total(later, `darkpool_settlement_${name}`))
  t.same(values, [60, 7, 5, 1, 1, 0, 3, 1_334])
  t.notMatch(text, /GAAA/, 'accounts are counted, not named')
  // The actor's clock may be ahead of the machine's.
  t.equal(total(readPage(await page([await meters.read({ status: busy, oldest: at(101) }, at(100))])), 'darkpool_settlement_lag_seconds'), 0)
})

t.test('of RPC endpoints, which answer and which do not', async (t) => {
  let away = true
  const fees = { sorobanInclusionFee: { p80: '100' } }
  const good = { getFeeStats: async () => fees } as unknown as StellarRpc & LedgerReader
  const poor = {
    getFeeStats: async () => {
      if (away) throw new Error('connect ECONNREFUSED')
      return fees
    },
  } as unknown as StellarRpc & LedgerReader
  const meters = new RpcMeters(settlementActor(0))
  const quorum = new QuorumRpc({ endpoints: [good, good, poor].map((server, n) => ({ name: `e${n}`, server })), log: new TestLog(), clock: systemClock, meter: meters })
  const read = async () => readPage(await page([await meters.read(quorum.health)]))
  await quorum.getFeeStats()
  await until('the third call has failed', () => quorum.health.down === 1)
  t.equal(quorum.health.enough, true, 'two are a quorum')
  const lonely = new QuorumRpc({ endpoints: [good, poor].map((server, n) => ({ name: `e${n}`, server })), log: new TestLog(), clock: systemClock })
  await t.rejects(lonely.getFeeStats())
  t.match(lonely.health, { endpoints: 2, down: 1, enough: false })
  const first = await read()
  t.same(['endpoints', 'endpoints_down', 'endpoints_disagreeing', 'calls_failed_total', 'call_seconds_count'].map((name) => total(first, `darkpool_rpc_${name}`, { actor: 'settlement.0' })), [3, 1, 0, 1, 3])
  away = false
  await quorum.getFeeStats()
  await until('it answers again', () => quorum.health.down === 0)
  t.equal(total(await read(), 'darkpool_rpc_calls_failed_total'), 1)
})
