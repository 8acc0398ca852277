import fc from 'fast-check'
import t from 'tap'
import type { AccountId, Amount, ContractId, Seconds } from '../../src/protocol/identity.ts'
import { vaultOf } from '../../src/protocol/subjects.ts'
import { completeLedger, cursorLedger } from '../../src/settlement/eventCursor.ts'
import type { AccountEvent, CustodyEvent } from '../../src/settlement/vaultContract.ts'
import { WatcherMachine } from '../../src/settlement/watcherMachine.ts'
import type { WatcherLocal } from '../../src/settlement/watcherMachine.ts'
import type { WatcherQuery } from '../../src/settlement/watcherStatus.ts'
import { JournaledActor } from './journaledActor.ts'
import { accountOf } from './trades.ts'

const PARTITIONS = 2
const FROM = 10
type Actor = JournaledActor<WatcherQuery, never, WatcherLocal, WatcherMachine>
const watcher = (): Actor => new JournaledActor(() => new WatcherMachine(PARTITIONS, FROM))
const event = (n: number, ledger: number, kind: CustodyEvent['kind'] = 'deposited'): CustodyEvent => ({
  kind,
  account: accountOf(n),
  index: n,
  asset: 'CAAA' as ContractId,
  amount: 5n as Amount,
  due: kind === 'exit' ? (900 as Seconds) : null,
  transaction: `t${ledger}`,
  ledger,
})
const page = (after: string | null, cursor: string, complete: number, ...events: AccountEvent[]): WatcherLocal => ({ kind: 'page', after, cursor, complete, events })
const apply = (actor: Actor, ...inputs: WatcherLocal[]): void => actor.apply(inputs.map((local) => ({ local })))

t.test('an account’s first deposit registers it, and the ledger follows what it completes', async (t) => {
  const actor = watcher()
  apply(actor, page(null, 'a', 11, event(1, 11)), page('a', 'b', 12), page('b', 'c', 12, event(1, 13), event(1, 13, 'withdrawn')))
  const to = vaultOf(accountOf(1), PARTITIONS)
  const report = { account: accountOf(1), asset: 'CAAA', amount: 5n }
  t.same(actor.sent, [
    { to: 'settlement.0', message: { kind: 'registered', account: accountOf(1), index: 1 } },
    { to, message: { kind: 'deposited', ...report, transaction: 't11', ledger: 11 } },
    { to: 'vault.0', message: { kind: 'ledger', ledger: 11 } },
    { to: 'vault.1', message: { kind: 'ledger', ledger: 11 } },
    { to: 'vault.0', message: { kind: 'ledger', ledger: 12 } },
    { to: 'vault.1', message: { kind: 'ledger', ledger: 12 } },
    { to, message: { kind: 'deposited', ...report, transaction: 't13', ledger: 13 } },
    { to, message: { kind: 'withdrawn', ...report, transaction: 't13', ledger: 13 } },
  ])
  t.same(actor.machine.query({ kind: 'status' }), { ok: { cursor: 'c', ledger: 12, accounts: 1, gap: null, disagreeing: [] } })
  actor.restart()
  t.equal(actor.machine.cursor, 'c')
})

t.test('exits and claims go to the owner of the account', async (t) => {
  const actor = watcher()
  apply(actor, page(null, 'a', 11, event(1, 11)), page('a', 'b', 12, event(1, 12, 'exit'), { ...event(1, 12, 'exit'), amount: 0n as Amount, due: 0 as Seconds }, event(1, 12, 'claimed')))
  const to = vaultOf(accountOf(1), PARTITIONS)
  const report = { account: accountOf(1), asset: 'CAAA', transaction: 't12', ledger: 12 }
  t.same(actor.sent.slice(4, 7), [
    { to, message: { kind: 'exit', ...report, amount: 5n, due: 900 } },
    { to, message: { kind: 'exit', ...report, amount: 0n, due: 0 } },
    { to, message: { kind: 'claimed', ...report, amount: 5n } },
  ])
})

t.test('the trading key of a contract account goes to its owner, that of a classic account to nobody', async (t) => {
  const actor = watcher()
  const wallet = `C${'A'.repeat(55)}` as AccountId
  const named = (account: AccountId, key: AccountId | null, ledger: number): AccountEvent => ({ kind: 'tradingKey', account, key, transaction: `t${ledger}`, ledger })
  apply(actor, page(null, 'a', 11, named(wallet, accountOf(2), 11), named(accountOf(1), accountOf(2), 11), named(wallet, null, 11)))
  const to = vaultOf(wallet, PARTITIONS)
  t.same(actor.sent.slice(0, -PARTITIONS), [{ to, message: named(wallet, accountOf(2), 11) }, { to, message: named(wallet, null, 11) }])
  t.throws(() => apply(actor, page('a', 'b', 12, named(wallet, accountOf(2), 11))), /reported complete/)
})

t.test('a page that continues another cursor changes nothing', async (t) => {
  const actor = watcher()
  apply(actor, page(null, 'a', 11, event(1, 11)), page('a', 'b', 12))
  const { length } = actor.sent
  apply(actor, page(null, 'a', 11, event(1, 11)), page('a', 'b', 12), page('x', 'y', 99, event(2, 99)))
  t.equal(actor.sent.length, length)
  t.equal(actor.machine.cursor, 'b')
})

t.test('a gap stands until a page continues the cursor', async (t) => {
  const actor = watcher()
  apply(actor, page(null, 'a', 11), { kind: 'gap', needed: 12, oldest: 40 })
  t.same(actor.machine.gap, { needed: 12, oldest: 40 })
  actor.restart()
  t.same(actor.machine.gap, { needed: 12, oldest: 40 })
  apply(actor, page('a', 'b', 12))
  t.equal(actor.machine.gap, null)
})

t.test('an event of a ledger that was reported complete, or a second index, stops the watcher', async (t) => {
  const late = watcher()
  apply(late, page(null, 'a', 11))
  t.throws(() => apply(late, page('a', 'b', 12, event(1, 11))), /reported complete/)
  const twice = watcher()
  apply(twice, page(null, 'a', 11, event(1, 11)))
  t.throws(() => apply(twice, page('a', 'b', 12, { ...event(1, 12), index: 2 })), /two indexes/)
})

t.test('what a cursor says', async (t) => {
  const within = `${(1_234n << 32n) | 4_096n}-0000000001`
  t.equal(cursorLedger(within), 1_234)
  t.equal(completeLedger(within, 10, 10), 1_233, 'a full page may end within a ledger')
  const end = `${(1_235n << 32n) - 1n}-4294967295`
  t.equal(completeLedger(end, 9, 10), 1_234)
  t.throws(() => cursorLedger('now'))
})

t.test('pages cut anywhere report each event once, and a ledger only after all of its events', async () => {
  const history = fc.array(fc.record({ account: fc.nat(5), skip: fc.nat(2) }), { maxLength: 30 }).map((list) => {
    let ledger = FROM
    return list.map(({ account, skip }) => event(account, (ledger += skip)))
  })
  fc.assert(
    fc.property(history, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 31, maxLength: 31 }), fc.array(fc.boolean(), { minLength: 31, maxLength: 31 }), (events, sizes, restarts) => {
      const actor = watcher()
      let read = 0
      for (let n = 0; read < events.length; n++) {
        const size = sizes[n] as number
        const part = events.slice(read, read + size)
        read += part.length
        const last = part.at(-1)?.ledger as number
        const complete = part.length < size ? last : last - 1
        const input = page(actor.machine.cursor, `c${read}`, complete, ...part)
        apply(actor, input)
        if (restarts[n]) {
          actor.restart()
          apply(actor, input)
        }
      }
      let complete = [FROM - 1, FROM - 1]
      const seen: unknown[] = []
      for (const { to, message } of actor.sent as { to: string; message: { kind: string; ledger: number } }[]) {
        if (message.kind === 'deposited') {
          if (complete.some((ledger) => ledger >= message.ledger)) return false
          seen.push(message.ledger)
        }
        if (message.kind === 'ledger') {
          const partition = to === 'vault.0' ? 0 : 1
          if (message.ledger <= (complete[partition] as number)) return false
          complete = complete.with(partition, message.ledger)
        }
      }
      return JSON.stringify(seen) === JSON.stringify(events.map(({ ledger }) => ledger))
    }),
  )
})
