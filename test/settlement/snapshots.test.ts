import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { encode } from '../../src/protocol/codec.ts'
import type { Amount, ContractId, MessageId } from '../../src/protocol/identity.ts'
import type { SettlementMessage } from '../../src/protocol/settlement.ts'
import type { SettlementLocal } from '../../src/settlement/settlementLocal.ts'
import { SettlementMachine } from '../../src/settlement/settlementMachine.ts'
import type { SettlementOptions } from '../../src/settlement/settlementMachine.ts'
import type { SettlementQuery } from '../../src/settlement/settlementStatus.ts'
import { WatcherMachine } from '../../src/settlement/watcherMachine.ts'
import type { WatcherLocal } from '../../src/settlement/watcherMachine.ts'
import type { WatcherQuery } from '../../src/settlement/watcherStatus.ts'
import { interrupted } from '../runtime/interrupted.ts'
import { JournaledActor } from './journaledActor.ts'
import { accountOf, anyTrades, assetsOf, salts } from './trades.ts'

const asset = `C${'A'.repeat(55)}` as ContractId
const every = fc.integer({ min: 1, max: 30 })

type Settlement = JournaledActor<SettlementQuery, SettlementMessage, SettlementLocal, SettlementMachine>
const what = ['trades', 'trades', 'time', 'time', 'register', 'submit', 'submit', 'confirm', 'confirm', 'dead', 'refuse', 'tooLarge', 'fault', 'diverge', 'cosign', 'cosign', 'decide', 'refuseCosign', 'endpoints', 'fees'] as const

t.test('a settlement actor that goes on from snapshots does what one does that never stopped', async (t) => {
  const seen = new Set<string>()
  const steps = fc.array(fc.constantFrom(...what), { minLength: 20, maxLength: 120, size: 'max' })
  fc.assert(
    fc.property(anyTrades({ minLength: 10, maxLength: 60 }), steps, every, (trades, steps, every) => {
      const options: SettlementOptions = { channel: 0, vaultPartitions: 3, maxAge_ms: 5_000, maxAccounts: 5, maxTrades: 4, assetsOf, salts }
      const make = (): SettlementMachine => new SettlementMachine(options)
      const run = (actor: Settlement): Settlement => {
        let [sent, registered, transactions, asked] = [0, 0, 0, 0]
        for (const step of steps) {
          const { flight, cosign } = actor.machine.work
          const tell = (input: SettlementLocal | undefined): void => {
            if (input === undefined) return
            seen.add(step)
            actor.apply([{ local: input }])
          }
          if (step === 'trades') actor.hear('pair.A0-A1', ...trades.slice(sent, (sent += 3)))
          if (step === 'time') actor.apply([], 2_000)
          if (step === 'register') for (let n = 0; n < 4; n++) actor.hear('watcher.0', { kind: 'registered', account: accountOf(registered), index: 90 - registered++ * 7 })
          if (step === 'cosign') actor.hear('vault.0', { kind: 'cosign', withdrawal: `w${asked++ >> 1}` as MessageId, account: accountOf(1), asset, amount: 5n as Amount })
          if (step === 'decide' && cosign) tell({ kind: 'cosigned', withdrawal: cosign.withdrawal, authorization: `a${asked}`, validUntil: asked })
          if (step === 'refuseCosign' && cosign) tell({ kind: 'cosignRefused', withdrawal: cosign.withdrawal, reason: 'no' })
          if (step === 'endpoints') tell({ kind: 'endpoints', disagreeing: asked % 2 === 0 ? ['a.example'] : [] })
          if (step === 'fees') tell({ kind: 'fees', low: sent % 2 === 0 ? ['G1'] : [] })
          if (flight === null) continue
          const live = flight.live
          if (step === 'submit' && live === null) tell({ kind: 'submitted', ...flight.id, hash: `t${++transactions}`, envelope: 'AAAA', maxTime: transactions, ledger: 5 })
          if (step === 'confirm' && live) tell({ kind: 'confirmed', ...flight.id, hash: live.hash, ledger: 7 })
          if (step === 'dead' && live) tell({ kind: 'dead', ...flight.id, hash: live.hash, reason: 'expired' })
          if ((step === 'refuse' || step === 'tooLarge') && live === null) tell({ kind: 'refused', ...flight.id, reason: 'no', tooLarge: step === 'tooLarge', fault: null })
          if (step === 'fault' && live === null) tell({ kind: 'refused', ...flight.id, reason: 'no', tooLarge: false, fault: { aside: [0], takes: flight.queued.length - 1 } })
          if (step === 'diverge') tell({ kind: 'diverged', ...flight.id, chainEpoch: 1, chainSequence: 9 })
        }
        return actor
      }
      const one = run(new JournaledActor(make))
      const other = run(new JournaledActor(() => interrupted(make, (call) => call % every === 0)))
      assert.deepEqual(one.sent, other.sent)
      assert.deepEqual(one.machine.snapshot(), other.machine.snapshot())
      assert.deepEqual(one.machine.query({ kind: 'status' }), other.machine.query({ kind: 'status' }))
    }),
    { numRuns: 150 },
  )
  for (const step of ['submit', 'confirm', 'dead', 'refuse', 'tooLarge', 'fault', 'diverge', 'decide', 'refuseCosign', 'endpoints', 'fees']) t.ok(seen.has(step), `the runs came across: ${step}`)
})

t.test('a watcher that goes on from snapshots does what one does that never stopped', async () => {
  const make = (): WatcherMachine => new WatcherMachine(2, 10)
  const pages = fc.array(fc.record({ accounts: fc.array(fc.nat(9), { maxLength: 5 }), late: fc.boolean(), gap: fc.boolean() }), { maxLength: 30 })
  fc.assert(
    fc.property(pages, every, (pages, every) => {
      const run = (actor: JournaledActor<WatcherQuery, never, WatcherLocal, WatcherMachine>): typeof actor => {
        for (const [n, { accounts, late, gap }] of pages.entries()) {
          const events = accounts.map((account) => ({ kind: 'deposited', account: accountOf(account), index: account, asset, amount: 5n as Amount, due: null, transaction: `t${n}`, ledger: 11 + n }) as const)
          if (gap) actor.apply([{ local: { kind: 'gap', needed: n, oldest: n + 5 } }])
          actor.apply([{ local: { kind: 'page', after: late ? 'another' : actor.machine.cursor, cursor: `c${n}`, complete: 11 + n, events } }])
        }
        return actor
      }
      const one = run(new JournaledActor(make))
      const other = run(new JournaledActor(() => interrupted(make, (call) => call % every === 0)))
      assert.deepEqual(one.sent, other.sent)
      assert.deepEqual(one.machine.snapshot(), other.machine.snapshot())
      assert.deepEqual(one.machine.query({ kind: 'status' }), other.machine.query({ kind: 'status' }))
    }),
  )
})

t.test('snapshots of another version are refused', async (t) => {
  const settlement = new SettlementMachine({ channel: 0, vaultPartitions: 1, maxAge_ms: 0, maxAccounts: 2, maxTrades: 1, assetsOf, salts })
  for (const machine of [settlement, new WatcherMachine(2, 10)]) {
    const before = machine.snapshot()
    t.throws(() => machine.restore(encode({ version: 99 })), { message: /version 99/ })
    t.throws(() => machine.restore(new Uint8Array([1, 2, 3])))
    t.same(machine.snapshot(), before)
  }
})
