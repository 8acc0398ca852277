import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { VaultMachine } from '../../src/actors/vault/vaultMachine.ts'
import type { AccountId, Amount } from '../../src/protocol/identity.ts'
import { settlementActor, watcherActor } from '../../src/protocol/subjects.ts'
import { Recorder } from '../pair/recorder.ts'
import { account, assetA, assetQ } from '../pair/smallVenue.ts'
import { openVault, START, venue } from './openVault.ts'

const [ann, ben] = [account('ANN'), account('BEN')]
const settlement = settlementActor(0)

interface Move {
  readonly ledger: number
  readonly by: 'watcher' | 'settlement'
  readonly account: AccountId
  readonly amount: bigint
}

/** Both queues as they come: the watcher reports custody and then its ledger, settlement its batches and what was read from the chain, each in its order and as late as it likes. */
type Said = { readonly from: 'watcher' | 'settlement'; readonly say: (machine: VaultMachine, effects: Recorder) => void }

function saidOf(moves: readonly Move[], readings: readonly number[], ledgers: number, made: bigint): Record<Said['from'], Said[]> {
  const [watcher, settled]: [Said[], Said[]] = [[], []]
  const asOf = (owner: AccountId, ledger: number): bigint => moves.filter((move) => move.ledger <= ledger && move.account === owner).reduce((sum, { amount }) => sum + amount, made * (owner === ann ? 1n : 0n))
  for (let ledger = 1; ledger <= ledgers; ledger++) {
    for (const move of moves.filter((each) => each.ledger === ledger)) {
      const { account: owner, amount } = move
      if (move.by === 'watcher') watcher.push({ from: 'watcher', say: (machine, effects) => machine.message(watcherActor, { kind: 'deposited', account: owner, asset: assetQ, amount: amount as Amount, transaction: `d${ledger}`, ledger }, effects) })
      else settled.push({ from: 'settlement', say: (machine, effects) => machine.message(settlement, { kind: 'settled', account: owner, trades: [], leaves: [], size: 2, from: 1, moves: [{ asset: assetQ, in: amount as Amount, out: 0n as Amount }], sequence: ledger, transaction: `s${ledger}`, ledger }, effects) })
    }
    watcher.push({ from: 'watcher', say: (machine, effects) => machine.message(watcherActor, { kind: 'ledger', ledger }, effects) })
    if (!readings.includes(ledger)) continue
    const accounts = [ann, ben].map((owner) => ({ account: owner, amounts: [asOf(owner, ledger) as Amount, null] }))
    settled.push({ from: 'settlement', say: (machine, effects) => machine.message(settlement, { kind: 'holdings', ledger, assets: [assetQ, assetA], accounts }, effects) })
  }
  return { watcher, settlement: settled }
}

const history = fc.record({
  moves: fc.array(fc.record({ ledger: fc.integer({ min: 2, max: 8 }), by: fc.constantFrom('watcher' as const, 'settlement' as const), account: fc.constantFrom(ann, ben), amount: fc.bigInt(1n, 5n) }), { maxLength: 12 }),
  readings: fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { maxLength: 6 }),
  order: fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
  snapshots: fc.boolean(),
})

/** Runs a history whose last reading is of its last ledger. */
function run({ moves, readings, order, snapshots }: typeof history extends fc.Arbitrary<infer Value> ? Value : never, made: bigint): { machine: VaultMachine; told: unknown[] } {
  const first: Move[] = [ann, ben].map((owner) => ({ ledger: 1, by: 'watcher', account: owner, amount: 10n }))
  const { watcher, settlement: settled } = saidOf([...first, ...moves], [...readings, 9], 9, made)
  let machine = new VaultMachine(0, venue)
  const effects = new Recorder(START)
  // Accounts are known before anything of theirs settles.
  for (const { say } of watcher.splice(0, 3)) say(machine, effects)
  for (const late of [...order, ...Array<boolean>(200).fill(false)]) {
    const next = (late ? watcher.shift() : settled.shift()) ?? settled.shift() ?? watcher.shift()
    next?.say(machine, effects)
    if (!snapshots) continue
    const bytes = machine.snapshot()
    machine = new VaultMachine(0, venue)
    machine.restore(bytes)
  }
  return { machine, told: effects.sent.filter(({ to }) => to === settlement).map(({ message }) => message) }
}

t.test('books that are right never differ, however late who reports', async () => {
  fc.assert(
    fc.property(history, (past) => {
      const { machine, told } = run(past, 0n)
      assert.deepEqual(told, [])
      for (const owner of [ann, ben]) assert.equal(machine.state.compared.get(owner)?.get(assetQ)?.agreed, 9, 'and the last reading was compared')
    }),
    { numRuns: 100 },
  )
})

t.test('a single unit is found, for the one account that lacks it', async () => {
  fc.assert(
    fc.property(history, fc.constantFrom(1n, -1n), (past, made) => {
      const { machine, told } = run(past, made)
      assert.equal(told.length, 1)
      const { kind, account: owner, asset } = told[0] as { kind: string; account: AccountId; asset: string }
      assert.deepEqual([kind, owner, asset], ['differs', ann, assetQ])
      assert.deepEqual(machine.state.alarms.map(({ kind, account: whose }) => [kind, whose]), [['books_differ', ann]])
    }),
    { numRuns: 100 },
  )
})

t.test('withdrawals are refused while the books differ; the first record behind the last agreement is named', async (t) => {
  const { machine, effects, deposit, ledger, withdraw, refusal } = openVault()
  const held = (at: number, amount: bigint | null): void => machine.message(settlement, { kind: 'holdings', ledger: at, assets: [assetQ], accounts: [{ account: ann, amounts: [amount as Amount | null] }] }, effects)
  effects.record = 3
  deposit(ann, assetQ, 100n)
  ledger(5)
  held(5, 100n)
  effects.record = 7
  deposit(ann, assetQ, 20n)
  effects.record = 8
  deposit(ann, assetQ, 1n)
  deposit(ben, assetQ, 1n)
  effects.take()
  held(6, 100n)
  t.strictSame(effects.sent, [], 'not before everything up to that ledger is reported')
  held(6, null)
  ledger(6)
  t.strictSame(effects.take().sent, [{ to: settlement, message: { kind: 'differs', account: ann, asset: assetQ, ledger: 6, agreed: 5, first: { record: 7, transaction: 'tx' } } }])
  ledger(7)
  held(7, 100n)
  t.strictSame(effects.sent, [], 'told once')
  t.equal(refusal(withdraw('w1', ann, assetQ, 1n)), 'books_differ')
  t.equal(refusal(withdraw('w2', ben, assetQ, 1n)), null)
  effects.take()
  held(7, 121n)
  t.strictSame(effects.take().sent, [{ to: settlement, message: { kind: 'agrees', account: ann, asset: assetQ } }])
  t.equal(refusal(withdraw('w3', ann, assetQ, 1n)), null)
})

t.test('readings that a watcher which stands cannot be held against are bounded', async (t) => {
  const { machine, effects } = openVault()
  for (let at = 1; at <= 50; at++) machine.message(settlement, { kind: 'holdings', ledger: at, assets: [assetQ], accounts: [{ account: ann, amounts: [1n as Amount] }] }, effects)
  t.strictSame(machine.state.holdings.map(({ ledger }) => ledger), [47, 48, 49, 50])
})
