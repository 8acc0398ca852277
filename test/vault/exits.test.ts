import fc from 'fast-check'
import t from 'tap'
import { VaultMachine } from '../../src/actors/vault/vaultMachine.ts'
import type { Amount, ContractId, Seconds } from '../../src/protocol/identity.ts'
import { pairActor, watcherActor } from '../../src/protocol/subjects.ts'
import type { KnownWithdrawals, VaultAlarms } from '../../src/protocol/vault.ts'
import { account, AQ, assetA, assetQ } from '../pair/smallVenue.ts'
import { openVault, venue } from './openVault.ts'

const ann = account('ANN')

/** A vault actor to which the chain also speaks of exits. */
function exitVault(machine = new VaultMachine(0, venue)) {
  const vault = openVault(machine)
  let transactions = 0
  const moved = (asset: ContractId, amount: bigint) => ({ account: ann, asset, amount: amount as Amount, transaction: `x${++transactions}`, ledger: 5 })
  const exit = (asset: ContractId, amount: bigint, due = 900): void => machine.message(watcherActor, { kind: 'exit', ...moved(asset, amount), due: (amount === 0n ? 0 : due) as Seconds }, vault.effects)
  const claimed = (asset: ContractId, amount: bigint): void => machine.message(watcherActor, { kind: 'claimed', ...moved(asset, amount) }, vault.effects)
  const alarms = (): string[] => {
    const answer = machine.query({ kind: 'alarms' })
    return 'ok' in answer ? (answer.ok as VaultAlarms).recent.map(({ kind }) => kind) : []
  }
  return { ...vault, exit, claimed, alarms }
}

t.test('what is asked of the contract is held at once, and given back when the request is taken back', async (t) => {
  const { deposit, exit, place, balance, withdraw, refusal, effects } = exitVault()
  deposit(ann, assetQ, 1_000n)
  effects.take()
  exit(assetQ, 700n)
  t.strictSame(balance(ann, assetQ), [1_000n, 0n, 700n, 300n])
  t.equal(place('o1', ann, 'buy', 2, 100), 'funds_insufficient', '400 is more than what is left')
  t.equal(place('o2', ann, 'buy', 1, 100), null)
  t.equal(effects.sent.filter(({ message }) => (message as { kind: string }).kind === 'cancelAll').length, 0, 'orders that it does not need stay')
  exit(assetQ, 0n)
  t.strictSame(balance(ann, assetQ), [1_000n, 0n, 200n, 800n])
  t.equal(refusal(withdraw('w', ann, assetQ, 800n)), null)
})

t.test('orders that hold the money are taken back, and what they give back is held before anybody can promise it', async (t) => {
  const { deposit, exit, place, rested, closed, swept, balance, effects } = exitVault()
  deposit(ann, assetQ, 1_000n)
  deposit(ann, assetA, 1_000n)
  place('buy', ann, 'buy', 4, 100)
  place('sell', ann, 'sell', 4, 200)
  rested(ann, 'buy')
  effects.take()
  exit(assetQ, 1_000n)
  t.strictSame(balance(ann, assetQ), [1_000n, 0n, 1_000n, 0n])
  const [sent] = effects.sent
  t.match(sent, { to: pairActor(AQ), message: { kind: 'cancelAll', account: ann } })
  t.equal(effects.sent.length, 1)
  closed(ann, 'buy', 'cancelled')
  t.strictSame(balance(ann, assetQ), [1_000n, 0n, 1_000n, 0n], 'freed and held in one step')
  closed(ann, 'sell', 'cancelled')
  t.strictSame(balance(ann, assetA), [1_000n, 0n, 0n, 1_000n], 'the other asset is free')
  swept(ann, (sent?.message as { sweep: string }).sweep, 2)
  t.equal(place('again', ann, 'buy', 1, 1), 'funds_insufficient')
})

t.test('trades that were matched before still settle; what comes in is held up to what was asked for', async (t) => {
  const { deposit, exit, claimed, place, filled, closed, settled, balance, alarms } = exitVault()
  deposit(ann, assetQ, 1_000n)
  place('buy', ann, 'buy', 2, 100)
  const trade = filled(ann, 'buy', 2, 100)
  closed(ann, 'buy', 'filled')
  exit(assetQ, 1_000n)
  t.strictSame(balance(ann, assetQ), [1_000n, -400n, 600n, 0n])
  settled(ann, [trade], [[assetA, 20n, 0n], [assetQ, 0n, 400n]])
  t.strictSame(balance(ann, assetQ), [600n, 0n, 600n, 0n])
  deposit(ann, assetQ, 500n)
  t.strictSame(balance(ann, assetQ), [1_100n, 0n, 1_000n, 100n])
  claimed(assetQ, 1_000n)
  t.strictSame(balance(ann, assetQ), [100n, 0n, 0n, 100n])
  t.strictSame(alarms(), [])
})

t.test('an ordinary withdrawal of the money is the early answer; one that lapses leaves it held', async (t) => {
  const { deposit, exit, withdraw, cosigned, withdrawn, ledger, balance, refusal, alarms } = exitVault()
  deposit(ann, assetQ, 1_000n)
  exit(assetQ, 800n)
  t.equal(refusal(withdraw('w0', ann, assetQ, 1_001n)), 'funds_insufficient')
  t.equal(refusal(withdraw('w1', ann, assetQ, 500n)), null)
  t.strictSame(balance(ann, assetQ), [1_000n, 0n, 1_000n, 0n])
  cosigned(ann, 'w1', 10)
  ledger(11)
  t.strictSame(balance(ann, assetQ), [1_000n, 0n, 800n, 200n], 'held again')
  t.equal(refusal(withdraw('w2', ann, assetQ, 500n)), null)
  cosigned(ann, 'w2', 20)
  withdrawn(ann, assetQ, 500n)
  exit(assetQ, 300n)
  t.strictSame(balance(ann, assetQ), [500n, 0n, 300n, 200n])
  t.strictSame(alarms(), [])
})

t.test('an early answer frees no proceeds that are not settled yet: they cover the exit as before', async (t) => {
  const { deposit, exit, place, filled, closed, settled, withdraw, balance, refusal, machine } = exitVault()
  deposit(ann, assetQ, 1_000n)
  deposit(ann, assetA, 1_000n)
  place('buy', ann, 'buy', 2, 100)
  place('sell', ann, 'sell', 2, 100)
  const trades = [filled(ann, 'buy', 2, 100), filled(ann, 'sell', 2, 100)]
  for (const order of ['buy', 'sell']) closed(ann, order, 'filled')
  exit(assetQ, 1_000n)
  t.strictSame(balance(ann, assetQ), [1_000n, 0n, 1_000n, 0n], '400 are on their way out and 400 on their way in')
  t.equal(refusal(withdraw('w', ann, assetQ, 100n)), null)
  t.strictSame(balance(ann, assetQ), [1_000n, 0n, 1_000n, 0n])
  t.equal(machine.state.exits.get(ann)?.get(assetQ)?.held, 900n)
  t.equal(place('more', ann, 'buy', 1, 50), 'funds_insufficient')
  settled(ann, trades, [[assetA, 20n, 20n], [assetQ, 400n, 400n]])
  t.strictSame(balance(ann, assetQ), [1_000n, 0n, 1_000n, 0n])
})

t.test('a claim that was not announced, or that finds the money promised, is followed and raises an alarm', async (t) => {
  const { deposit, exit, claimed, place, balance, alarms } = exitVault()
  deposit(ann, assetQ, 1_000n)
  place('buy', ann, 'buy', 4, 100)
  exit(assetQ, 1_000n)
  // The market never gave the order back.
  claimed(assetQ, 1_000n)
  t.strictSame(alarms(), ['funds_short'])
  deposit(ann, assetA, 50n)
  claimed(assetA, 50n)
  t.strictSame(alarms(), ['funds_short', 'withdrawal_unmatched'])
  t.strictSame(balance(ann, assetA), [0n, 0n, 0n, 0n])
})

t.test('whatever comes in whatever order, nothing that is asked for can be promised, and a restart changes nothing', async (t) => {
  const step = fc.record({ what: fc.nat(6), amount: fc.integer({ min: 0, max: 600 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(40), (steps, restart) => {
      let vault = exitVault()
      const open: string[] = []
      let asked = 0n
      vault.deposit(ann, assetQ, 1_000n)
      for (const [n, { what, amount }] of steps.entries()) {
        if (n === restart) {
          const { machine } = vault
          const bytes = machine.snapshot()
          const copy = new VaultMachine(0, venue)
          copy.restore(bytes)
          t.ok(Buffer.from(copy.snapshot()).equals(Buffer.from(bytes)))
          vault = exitVault(copy)
          vault.effects.time = (vault.effects.time + n * 1_000) as typeof vault.effects.time
        }
        const [settled = 0n] = vault.balance(ann, assetQ)
        if (what === 0) vault.deposit(ann, assetQ, BigInt(amount) + 1n)
        if (what === 1) {
          asked = BigInt(amount) < settled ? BigInt(amount) : settled
          vault.exit(assetQ, asked)
        }
        if (what === 2 && asked > 0n && settled > 0n) {
          vault.claimed(assetQ, asked < settled ? asked : settled)
          asked = 0n
        }
        if (what === 3 && vault.place(`o${n}`, ann, 'buy', (amount % 3) + 1, 50) === null) open.push(`o${n}`)
        const first = open[0]
        if (what === 4 && first !== undefined) {
          open.shift()
          vault.closed(ann, first, 'cancelled')
        }
        if (what === 5 && first !== undefined) {
          const { lots } = vault.orderOf(ann, first)
          open.shift()
          const trade = vault.filled(ann, first, lots, 50)
          vault.closed(ann, first, 'filled')
          vault.settled(ann, [trade], [[assetA, BigInt(lots) * 10n, 0n], [assetQ, 0n, BigInt(lots) * 100n]])
        }
        if (what === 6) vault.withdraw(`w${n}`, ann, assetQ, BigInt(amount) + 1n)
        const exit = vault.machine.state.exits.get(ann)?.get(assetQ)
        const [, , reserved = 0n, available = 0n] = vault.balance(ann, assetQ)
        const orders = open.reduce((sum, id) => sum + BigInt(vault.orderOf(ann, id).lots) * 100n, 0n)
        const withdrawals = (vault.machine.state.accounts.get(ann)?.inFlight ?? []).reduce((sum, item) => sum + item.amount, 0n)
        t.equal(reserved, orders + withdrawals + (exit?.held ?? 0n), 'every reservation has its owner')
        t.equal(exit?.asked ?? 0n, asked)
        t.ok(available <= 0n || (exit?.held ?? 0n) === asked, 'nothing is free while something that was asked for is not held')
      }
    }),
  )
})

t.test('an operator sees what was asked of the contract, what of it is held, and when it is paid', async (t) => {
  const { machine, deposit, exit, place, effects } = exitVault()
  const list = (): KnownWithdrawals => (machine.query({ kind: 'withdrawals', account: null, closed: false, limit: 10 }) as { ok: KnownWithdrawals }).ok
  deposit(ann, assetQ, 1_000n)
  place('o', ann, 'buy', 2, 100)
  exit(assetQ, 700n, 900)
  const { time: created } = effects
  t.strictSame(list().exits, [{ account: ann, asset: assetQ, asked: 700n, held: 600n, due: 900, created }])
  exit(assetQ, 300n, 950)
  t.strictSame(list(), { ...list(), counts: { ...list().counts, exits: 1 }, exits: [{ account: ann, asset: assetQ, asked: 300n, held: 300n, due: 950, created }] })
  exit(assetQ, 0n)
  t.strictSame(list().exits, [])
})
