import fc from 'fast-check'
import t from 'tap'
import type { AccountId, ActorName, Amount, MessageId } from '../../src/protocol/identity.ts'
import type { Trade } from '../../src/protocol/pair.ts'
import type { SettlementMessage } from '../../src/protocol/settlement.ts'
import { vaultOf } from '../../src/protocol/subjects.ts'
import type { SettlementReport } from '../../src/protocol/vault.ts'
import type { Batch } from '../../src/settlement/batch.ts'
import { decodeDeltas } from '../../src/settlement/deltas.ts'
import { feesOf } from '../../src/settlement/netting.ts'
import type { BatchFault, SettlementLocal } from '../../src/settlement/settlementLocal.ts'
import { SettlementMachine } from '../../src/settlement/settlementMachine.ts'
import type { SettlementOptions } from '../../src/settlement/settlementMachine.ts'
import type { SettlementQuery, SettlementStatus } from '../../src/settlement/settlementStatus.ts'
import { stateRoot } from '../../src/settlement/stateRoot.ts'
import { JournaledActor } from './journaledActor.ts'
import { accountOf, anyTrades, assets, assetsOf, salts, trade } from './trades.ts'

const PARTITIONS = 3
type Actor = JournaledActor<SettlementQuery, SettlementMessage, SettlementLocal, SettlementMachine>

function actorWith(options: Partial<SettlementOptions> = {}, register = 10): Actor {
  const actor: Actor = new JournaledActor(
    () => new SettlementMachine({ channel: 0, vaultPartitions: PARTITIONS, maxAge_ms: 5_000, maxAccounts: 100, maxTrades: 1_000, assetsOf, salts, ...options }),
  )
  for (let n = 0; n < register; n++) actor.hear('watcher.0', registered(n))
  return actor
}

// Indexes in another order than the accounts' names, so that nothing sorts by accident.
const registered = (n: number): SettlementMessage => ({ kind: 'registered', account: accountOf(n), index: 90 - n * 7 })
const status = (actor: Actor): SettlementStatus => actor.machine.status
const flightOf = (actor: Actor) => {
  const { flight } = actor.machine.work
  if (!flight) throw new Error('no batch on its way')
  return flight
}
const reports = (actor: Actor): SettlementReport[] => actor.sent.map(({ message }) => message as SettlementReport)
const local = (actor: Actor, ...inputs: SettlementLocal[]): void => actor.apply(inputs.map((input) => ({ local: input })))
const submitted = (actor: Actor, hash: string): SettlementLocal => ({ kind: 'submitted', ...flightOf(actor).id, hash, envelope: 'AAAA', maxTime: 100, ledger: 5 })
const settle = (actor: Actor, hash = 'aa', ledger = 7): void => {
  local(actor, submitted(actor, hash))
  local(actor, { kind: 'confirmed', ...flightOf(actor).id, hash, ledger })
}

t.test('with a full queue it has room for no market, and for everybody whom the queue may wait for', async (t) => {
  const actor = actorWith({ maxQueued: 3 })
  const room = (): boolean[] => (['pair.A0-A1', 'watcher.0', 'vault.1'] as ActorName[]).map((from) => actor.machine.hasRoom(from))
  for (let n = 1; n <= 3; n++) {
    t.same(room(), [true, true, true])
    actor.hear('pair.A0-A1', trade(n, { buyer: 1, seller: 2, base: 10n, quote: 35n }))
  }
  t.same(room(), [false, true, true])
  actor.apply([], 5_000)
  t.same(room(), [true, true, true], 'the batch on its way is not in the queue')
})

t.test('a trade waits its age, is batched, submitted and reported', async (t) => {
  const actor = actorWith()
  actor.hear('pair.A0-A1', trade(1, { buyer: 1, seller: 2, base: 10n, quote: 35n }))
  actor.apply([], 4_999)
  t.equal(actor.machine.work.flight, null)
  actor.apply([], 1)
  t.same(status(actor).flight, { sequence: 1, trades: 1, accounts: 2, attempts: 0, hash: null })
  // Indexes 83 and 76: the seller's record comes first.
  t.same(decodeDeltas(flightOf(actor).batch.deltas).deltas, [
    { account: 76, asset: 0, delta: -10n },
    { account: 76, asset: 1, delta: 35n },
    { account: 83, asset: 0, delta: 10n },
    { account: 83, asset: 1, delta: -35n },
  ])
  settle(actor, 'ab', 9)
  const buyer = { kind: 'settled', account: accountOf(1), trades: ['A0-A1:1'], size: 2, from: 1, sequence: 1, transaction: 'ab', ledger: 9 }
  t.match(actor.sent, [
    { to: vaultOf(accountOf(2), PARTITIONS), message: { ...buyer, account: accountOf(2), moves: [{ asset: assets[0]?.contract, in: 0n, out: 10n }, { asset: assets[1]?.contract, in: 35n, out: 0n }] } },
    { to: vaultOf(accountOf(1), PARTITIONS), message: { ...buyer, moves: [{ asset: assets[0]?.contract, in: 10n, out: 0n }, { asset: assets[1]?.contract, in: 0n, out: 35n }] } },
  ])
  t.same(status(actor).settled, { sequence: 1, transaction: 'ab', ledger: 9 })
  t.equal(actor.machine.deadline(), null)
  actor.restart()
  t.same(status(actor).settled, { sequence: 1, transaction: 'ab', ledger: 9 })
})

t.test('a full queue does not wait; one batch at a time; sequences and state roots follow each other', async (t) => {
  const actor = actorWith({ maxTrades: 2 })
  actor.hear('pair.A0-A1', ...[1, 2, 3, 4, 5].map((n) => trade(n, { buyer: 1, seller: 2, base: BigInt(n), quote: 1n })))
  actor.apply([])
  const first = flightOf(actor).batch
  t.same(first.trades.map(({ id }) => id), ['A0-A1:1', 'A0-A1:2'])
  actor.apply([], 60_000)
  t.equal(flightOf(actor).batch, first, 'the next batch waits for this one')
  settle(actor)
  actor.apply([])
  const second = flightOf(actor).batch
  t.equal(second.sequence, 2)
  t.same(second.stateRoot, stateRoot(first.stateRoot, 2, second.tradesRoot, second.deltas))
})

t.test('the bound on accounts cuts a batch, and reaching it ends the wait', async (t) => {
  const actor = actorWith({ maxAccounts: 3 })
  actor.hear('pair.A0-A1', trade(1, { buyer: 1, seller: 2, base: 1n, quote: 1n }))
  actor.apply([])
  t.equal(actor.machine.work.flight, null)
  actor.hear('pair.A0-A1', trade(2, { buyer: 3, seller: 4, base: 1n, quote: 1n }), trade(3, { buyer: 1, seller: 2, base: 1n, quote: 1n }))
  actor.apply([])
  t.same(flightOf(actor).batch.trades.map(({ id }) => id), ['A0-A1:1'])
  t.equal(status(actor).queued, 2)
})

t.test('an account without an index holds its trade back, and says so after a minute', async (t) => {
  const actor = actorWith({}, 2)
  actor.hear('pair.A0-A1', trade(1, { buyer: 0, seller: 1, base: 1n, quote: 1n }), trade(2, { buyer: 2, seller: 1, base: 1n, quote: 1n }))
  actor.apply([], 5_000)
  t.same(flightOf(actor).batch.trades.map(({ id }) => id), ['A0-A1:1'])
  settle(actor)
  actor.apply([], 50_000)
  t.equal(actor.machine.work.flight, null)
  t.equal(actor.machine.deadline(), null, 'time does not help')
  t.same(status(actor).alarms, [])
  actor.apply([], 10_000)
  t.same(status(actor).alarms, ['unregistered'])
  actor.hear('watcher.0', registered(2))
  actor.apply([])
  t.same(flightOf(actor).batch.trades.map(({ id }) => id), ['A0-A1:2'])
  t.same(status(actor).alarms, [])
  t.throws(() => actor.machine.message('watcher.0' as never, { kind: 'registered', account: accountOf(2), index: 5 }, undefined as never), /two indexes/)
})

t.test('trades that cancel out still settle, with empty deltas', async (t) => {
  const actor = actorWith()
  actor.hear('pair.A0-A1', trade(1, { buyer: 1, seller: 2, base: 10n, quote: 35n }), trade(2, { buyer: 2, seller: 1, base: 10n, quote: 35n }))
  actor.apply([], 5_000)
  t.equal(flightOf(actor).batch.deltas.length, 0)
  t.equal(flightOf(actor).batch.trades.length, 2)
  settle(actor)
  t.same(reports(actor).map((report) => report.kind === 'settled' && report.trades.length), [2, 2])
})

t.test('a refused batch goes back to the head and is tried with more trades, later and later', async (t) => {
  const actor = actorWith({ maxTrades: 1 })
  actor.hear('pair.A0-A1', ...[1, 2, 3].map((n) => trade(n, { buyer: 1, seller: 2, base: 1n, quote: 1n })))
  const sizes: number[] = []
  const waits: number[] = []
  for (let i = 0; i < 6; i++) {
    const due = actor.machine.deadline() ?? 0
    let waited = 0
    while (!actor.machine.work.flight) {
      actor.apply([], 1)
      if (waited++ > 100_000) throw new Error(`never due (${due})`)
    }
    sizes.push(flightOf(actor).batch.trades.length)
    waits.push(waited)
    t.equal(flightOf(actor).sequence, 1)
    local(actor, { kind: 'refused', ...flightOf(actor).id, reason: 'contract error 23', tooLarge: false, fault: null })
    t.equal(status(actor).queued, 3)
  }
  t.same(sizes, [1, 2, 3, 3, 3, 3])
  t.same(waits, [1, 250, 500, 1_000, 2_000, 4_000])
  t.same(status(actor).alarms, ['refused'])
  t.equal(status(actor).lastRefusal, 'contract error 23')
  actor.apply([], 60_000)
  settle(actor)
  t.same(status(actor).alarms, [])
  t.equal(status(actor).refusals, 0)
  t.same(reports(actor).map((report) => report.kind === 'settled' && report.trades.length), [3, 3])
})

t.test('a batch that is too large is halved at once, and grows again', async (t) => {
  const actor = actorWith()
  actor.hear('pair.A0-A1', ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => trade(n, { buyer: 1, seller: 2, base: 1n, quote: 1n })))
  actor.apply([], 5_000)
  t.equal(flightOf(actor).batch.trades.length, 8)
  for (const size of [4, 2]) {
    local(actor, { kind: 'refused', ...flightOf(actor).id, reason: 'over', tooLarge: true, fault: null })
    actor.apply([])
    t.equal(flightOf(actor).batch.trades.length, size)
  }
  t.equal(status(actor).refusals, 0, 'nothing is wrong with the trades')
  t.same(status(actor).alarms, [])
  settle(actor)
  actor.apply([])
  t.same(flightOf(actor).batch.trades.map(({ id }) => id), ['A0-A1:3', 'A0-A1:4', 'A0-A1:5', 'A0-A1:6'])
})

t.test('trades that share pages of balances go together; after a refusal and when too large, otherwise', async (t) => {
  // 32 accounts, each in a page of its own, and assets of two groups: 64 pages. Accounts 0 and 1 trade last as well as first.
  const actor = actorWith({ maxTrades: 200 }, 0)
  for (let n = 0; n < 32; n++) actor.hear('watcher.0', { kind: 'registered', account: accountOf(n), index: n * 32 })
  const made = Array.from({ length: 31 }, (_, n) => trade(n + 1, { market: 'A4-A1', buyer: n === 30 ? 0 : n, seller: n === 30 ? 1 : n + 1, base: 1n, quote: 1n }))
  actor.hear('pair.A4-A1', ...made, ...Array.from({ length: 9 }, (_, n) => trade(40 + n, { market: 'A4-A1', buyer: 31, seller: 31, base: 1n, quote: 1n })), trade(60, { market: 'A4-A1', buyer: 0, seller: 1, base: 1n, quote: 1n }))
  actor.apply([], 5_000)
  const ids = (): string[] => flightOf(actor).batch.trades.map(({ id }) => id.replace('A4-A1:', ''))
  const first = ids()
  t.equal(first[0], '1')
  t.ok(first.includes('60') && first.length < 41, String(first))
  local(actor, { kind: 'refused', ...flightOf(actor).id, reason: 'contract error 23', tooLarge: false, fault: null })
  actor.apply([], 250)
  t.same(ids().slice(0, first.length), first, 'what came back stands first, and is taken as it stands')
  local(actor, { kind: 'refused', ...flightOf(actor).id, reason: 'over', tooLarge: true, fault: null })
  actor.apply([])
  const pages = new Set(flightOf(actor).batch.trades.flatMap(({ buyer, seller }) => [buyer, seller])).size * 2
  t.ok(pages <= 30, `${pages} pages`)
  actor.restart()
  t.same(ids(), flightOf(actor).batch.trades.map(({ id }) => id.replace('A4-A1:', '')))
})

t.test('what the chain does not take is looked for after some refusals, set aside with an alarm, and tried again', async (t) => {
  const actor = actorWith({ faults: { afterRefusals: 2, aside_ms: 10_000 } })
  actor.hear('pair.A0-A1', ...[1, 2, 3, 4, 5].map((n) => trade(n, { buyer: n, seller: 6, base: 1n, quote: 1n })))
  const ids = (): string[] => flightOf(actor).batch.trades.map(({ id }) => id.replace('A0-A1:', ''))
  const refuse = (fault: BatchFault | null): void => local(actor, { kind: 'refused', ...flightOf(actor).id, reason: 'contract error 23', tooLarge: false, fault })
  actor.apply([], 5_000)
  for (const wait of [250, 500]) {
    t.equal(actor.machine.work.search, false)
    refuse(null)
    actor.apply([], wait)
  }
  t.equal(actor.machine.work.search, true)
  refuse({ aside: [1, 3], takes: 2 })
  t.same(status(actor).aside, { trades: 2, first: ['A0-A1:2', 'A0-A1:4'] })
  actor.apply([])
  t.same(ids(), ['1', '3'], 'at once, what the chain was found to take and no more')
  settle(actor)
  actor.apply([])
  t.same(ids(), ['5'])
  settle(actor)
  t.same(status(actor).alarms, ['aside'])
  t.equal(actor.machine.work.flight, null)
  const again = actor.machine.deadline()
  actor.restart()
  t.equal(actor.machine.deadline(), again, 'a successor tries them again at the same time')
  actor.apply([], 9_999)
  t.equal(actor.machine.work.flight, null)
  // One that came meanwhile stands behind what is older than it.
  actor.hear('pair.A0-A1', trade(6, { buyer: 1, seller: 6, base: 1n, quote: 1n }))
  actor.apply([], 1)
  t.same(ids(), ['2', '4', '6'])
  t.equal(actor.machine.work.search, true, 'what was at fault once is looked for at once')
  refuse({ aside: [0, 1], takes: 1 })
  // The third came just now, and waits for others as any trade does.
  actor.apply([], 5_000)
  t.same(ids(), ['6'])
  settle(actor)
  actor.apply([], 14_999)
  t.equal(actor.machine.work.flight, null, 'the second time they wait twice as long')
  actor.apply([], 1)
  t.same(ids(), ['2', '4'])
  settle(actor)
  t.same(status(actor).alarms, [])
  t.same(status(actor).aside, { trades: 0, first: [] })
  t.equal(actor.machine.work.search, false)
})

t.test('trades set aside count as unsettled: markets wait where there are too many', async (t) => {
  const actor = actorWith({ maxQueued: 3 })
  actor.hear('pair.A0-A1', ...[1, 2].map((n) => trade(n, { buyer: 1, seller: 2, base: 1n, quote: 1n })))
  actor.apply([], 5_000)
  local(actor, { kind: 'refused', ...flightOf(actor).id, reason: 'no', tooLarge: false, fault: { aside: [0, 1], takes: 0 } })
  t.equal(actor.machine.hasRoom('pair.A0-A1' as ActorName), true)
  actor.hear('pair.A0-A1', trade(3, { buyer: 1, seller: 2, base: 1n, quote: 1n }))
  t.equal(actor.machine.hasRoom('pair.A0-A1' as ActorName), false)
})

t.test('a live transaction is never displaced; a dead one makes room; a late repeat changes nothing', async (t) => {
  const actor = actorWith()
  actor.hear('pair.A0-A1', trade(1, { buyer: 1, seller: 2, base: 1n, quote: 1n }))
  actor.apply([], 5_000)
  const { id } = flightOf(actor)
  local(actor, submitted(actor, 'aa'), submitted(actor, 'bb'))
  t.equal(flightOf(actor).live?.hash, 'aa')
  t.throws(() => local(actor, { kind: 'refused', ...id, reason: 'no', tooLarge: false, fault: null }), /may still apply/)
  local(actor, { kind: 'dead', ...id, hash: 'bb', reason: 'expired' })
  t.equal(flightOf(actor).live?.hash, 'aa')
  local(actor, { kind: 'dead', ...id, hash: 'aa', reason: 'expired' })
  t.equal(flightOf(actor).live, null)
  t.equal(flightOf(actor).settlesUntil, 100)
  local(actor, submitted(actor, 'cc'))
  local(actor, { kind: 'diverged', ...id, chainEpoch: 1, chainSequence: 1 })
  t.same(status(actor).alarms, ['diverged'])
  local(actor, { kind: 'compared', agrees: true, chainEpoch: 1, chainSequence: 1 })
  t.same(status(actor).alarms, ['diverged'], 'with a batch on its way only that one counts')
  // The one that was thought dead is what the chain has.
  local(actor, { kind: 'confirmed', ...id, hash: 'aa', ledger: 9 })
  t.same(status(actor).alarms, [])
  const before = actor.sent.length
  local(actor, { kind: 'confirmed', ...id, hash: 'aa', ledger: 9 }, { kind: 'dead', ...id, hash: 'cc', reason: 'expired' })
  t.equal(actor.sent.length, before)
  actor.hear('pair.A0-A1', trade(2, { buyer: 1, seller: 2, base: 1n, quote: 1n }))
  actor.apply([], 5_000)
  local(actor, { kind: 'confirmed', ...id, hash: 'aa', ledger: 9 })
  t.equal(status(actor).flight?.sequence, 2)
})

t.test('while the chain shows another history markets wait, and accounts’ indexes and withdrawals do not; a successor knows', (t) => {
  const actor = actorWith()
  const compared = (agrees: boolean): void => local(actor, { kind: 'compared', agrees, chainEpoch: 1, chainSequence: 9 })
  const room = (): boolean[] => ['pair.A0-A1', 'watcher.0', 'vault.0'].map((from) => actor.machine.hasRoom(from as ActorName))
  t.same([actor.machine.diverged, ...room()], [false, true, true, true])
  compared(false)
  actor.restart()
  t.same([actor.machine.diverged, ...room()], [true, false, true, true])
  t.same(status(actor).alarms, ['diverged'])
  compared(true)
  t.same([actor.machine.diverged, ...room()], [false, true, true, true])
  t.end()
})

t.test('inputs of a batch that was formed anew under the same sequence do not touch its successor', async (t) => {
  const actor = actorWith()
  actor.hear('pair.A0-A1', trade(1, { buyer: 1, seller: 2, base: 1n, quote: 1n }))
  actor.apply([], 5_000)
  const { id } = flightOf(actor)
  const old = submitted(actor, 'aa')
  local(actor, { kind: 'refused', ...id, reason: 'no', tooLarge: false, fault: null })
  actor.hear('pair.A0-A1', trade(2, { buyer: 1, seller: 2, base: 1n, quote: 1n }))
  actor.apply([], 5_000)
  t.equal(flightOf(actor).sequence, id.sequence)
  local(actor, old, { kind: 'confirmed', ...id, hash: 'aa', ledger: 3 })
  t.same(status(actor).flight, { sequence: 1, trades: 2, accounts: 2, attempts: 0, hash: null })
})

t.test('a withdrawal is authorised once, however often it is asked for', async (t) => {
  const actor = actorWith()
  const ask = (withdrawal: string): SettlementMessage => ({ kind: 'cosign', withdrawal: withdrawal as MessageId, account: accountOf(1), asset: assets[0]?.contract as never, amount: 5n as Amount })
  actor.hear('vault.0', ask('w1'), ask('w1'), ask('w2'))
  t.equal(status(actor).cosigns, 2)
  t.equal(actor.machine.work.cosign?.withdrawal, 'w1')
  local(actor, { kind: 'cosigned', withdrawal: 'w1' as MessageId, authorization: 'first', validUntil: 9 })
  local(actor, { kind: 'cosigned', withdrawal: 'w1' as MessageId, authorization: 'second', validUntil: 99 })
  t.equal(actor.machine.work.cosign?.withdrawal, 'w2')
  const standing = (...withdrawals: string[]): unknown => actor.machine.query({ kind: 'cosigns', withdrawals: withdrawals as MessageId[] })
  t.same(standing('w2', 'w1', 'w9'), { ok: [{ state: 'waiting', before: 0 }, { state: 'decided' }, { state: 'unknown' }] }, 'an operator sees how far each has come')
  t.same(standing(...Array.from({ length: 1_001 }, () => 'w1')), { refused: 'request_malformed' })
  local(actor, { kind: 'cosignRefused', withdrawal: 'w2' as MessageId, reason: 'contract error 25' })
  actor.hear('vault.0', ask('w1'), ask('w2'))
  const account: AccountId = accountOf(1)
  const expected = [
    { kind: 'cosigned', withdrawal: 'w1', account, authorization: 'first', validUntil: 9 },
    { kind: 'cosignRefused', withdrawal: 'w2', account },
    { kind: 'cosigned', withdrawal: 'w1', account, authorization: 'first', validUntil: 9 },
    { kind: 'cosignRefused', withdrawal: 'w2', account },
  ]
  t.same(actor.sent, expected.map((message) => ({ to: vaultOf(account, PARTITIONS), message })))
  t.equal(actor.machine.work.cosign, undefined)
})

/** A chain that takes batches by the contract's rules, as far as sequences go. */
class ModelChain {
  readonly batches: Batch[] = []
  get sequence(): number {
    return this.batches.length
  }
}

t.test('whatever happens in whatever order, every trade settles exactly once and nothing is lost on the way', async () => {
  const events = fc.array(fc.constantFrom('trades', 'time', 'submit', 'apply', 'confirm', 'expire', 'refuse', 'tooLarge', 'aside', 'restart', 'register'), { minLength: 20, maxLength: 120 })
  fc.assert(
    fc.property(anyTrades({ minLength: 10, maxLength: 60 }), events, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 2, max: 6 }), (trades, steps, maxTrades, maxAccounts) => {
      let outOfOrder = false
      const actor = actorWith({ maxTrades, maxAccounts }, 3)
      const chain = new ModelChain()
      let sent = 0
      let registrations = 3
      let transactions = 0
      const step = (name: string): void => {
        const { flight } = actor.machine.work
        const onChain = flight !== null && chain.sequence >= flight.sequence
        switch (name) {
          case 'trades':
            actor.hear('pair.A0-A1', ...trades.slice(sent, (sent += 3)))
            return
          case 'register':
            if (registrations < 10) actor.hear('watcher.0', registered(registrations++))
            return
          case 'time':
            actor.apply([], 2_000)
            return
          case 'restart':
            actor.restart()
            return
          case 'submit':
            if (flight && !flight.live && !onChain) local(actor, submitted(actor, `t${++transactions}`))
            return
          case 'apply':
            if (flight?.live && !onChain) chain.batches.push(flight.batch)
            return
          case 'confirm':
            if (flight && onChain) local(actor, { kind: 'confirmed', ...flight.id, hash: flight.submissions.at(-1)?.hash ?? '', ledger: chain.sequence })
            return
          case 'expire':
            if (flight?.live && !onChain) local(actor, { kind: 'dead', ...flight.id, hash: flight.live.hash, reason: 'expired' })
            return
          case 'aside':
            if (flight === null || flight.live || onChain) return
            // Every other trade is at fault, and of the rest the chain takes all but the last.
            outOfOrder = true
            local(actor, { kind: 'refused', ...flight.id, reason: 'no', tooLarge: false, fault: { aside: flight.queued.flatMap((_queued, n) => (n % 2 === 0 ? [n] : [])), takes: Math.max(0, Math.floor(flight.queued.length / 2) - 1) } })
            return
          case 'refuse':
          case 'tooLarge':
            // With fewer pages than there are, trades that share some go first.
            if (name === 'tooLarge') outOfOrder = true
            if (flight && !flight.live && !onChain) local(actor, { kind: 'refused', ...flight.id, reason: 'no', tooLarge: name === 'tooLarge', fault: null })
        }
      }
      for (const name of steps) step(name)
      // Then all goes well for long enough.
      while (sent < trades.length) step('trades')
      while (registrations < 10) step('register')
      for (let round = 0; round < 200 && (status(actor).queued > 0 || status(actor).aside.trades > 0 || actor.machine.work.flight); round++) {
        actor.apply([], 3_600_000)
        for (const name of ['submit', 'apply', 'confirm']) step(name)
      }
      actor.restart()

      const settled = chain.batches.flatMap((batch) => batch.trades.map(({ id }) => id))
      const all = trades.map(({ id }: Trade) => id)
      // In their order, but for what was set aside or passed over.
      const ordered = (ids: readonly string[]): readonly string[] => (outOfOrder ? ids.toSorted() : ids)
      if (JSON.stringify(ordered(settled)) !== JSON.stringify(ordered(all))) return false
      // Each account is told of each of its trades once, and what it is told sums to what its trades moved.
      const told = new Map<string, number>()
      const totals = new Map<string, bigint>()
      for (const report of reports(actor)) {
        if (report.kind !== 'settled') return false
        for (const id of report.trades) told.set(`${report.account} ${id}`, (told.get(`${report.account} ${id}`) ?? 0) + 1)
        for (const move of report.moves) totals.set(move.asset, (totals.get(move.asset) ?? 0n) + move.in - move.out)
      }
      // What accounts do not have any more the venue has.
      for (const { asset, amount } of feesOf(trades, assetsOf)) totals.set(asset.contract, (totals.get(asset.contract) ?? 0n) + amount)
      if ([...totals.values()].some((total) => total !== 0n) || [...told.values()].some((count) => count !== 1)) return false
      return told.size === trades.reduce((sides, { buyer, seller }) => sides + (buyer === seller ? 1 : 2), 0)
    }),
    { numRuns: 150 },
  )
})
