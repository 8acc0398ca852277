import t from 'tap'
import { CANCEL_ROOM } from '../../src/actors/vault/markets.ts'
import type { MessageId, Seconds } from '../../src/protocol/identity.ts'
import { limits } from '../../src/protocol/limits.ts'
import { pairActor } from '../../src/protocol/subjects.ts'
import { account, AQ, assetQ, BQ } from '../pair/smallVenue.ts'
import { openVault, START } from './openVault.ts'

const ann = account('ANN')
const ben = account('BEN')
const key = account('KEY')

type Told = { readonly kind: string; readonly takeBack: boolean; readonly deadline: number | null; readonly ask: number | null }

function withOrders() {
  const vault = openVault()
  vault.deposit(ann, assetQ, 10_000n)
  vault.place('o1', ann, 'buy', 1, 10)
  vault.place('o2', ann, 'buy', 1, 10, { market: BQ })
  vault.effects.take()
  /** What markets were told of timers since it was last asked: market, takes back, deadline in seconds from the start, whether it is asked to answer. */
  const told = (): unknown[] =>
    vault.effects.take().sent.map(({ to, message }) => {
      const { kind, takeBack, deadline, ask } = message as Told
      return kind === 'timer' ? [to.slice('pair.'.length), takeBack, deadline === null ? null : (deadline - START) / 1_000, ask !== null] : kind
    })
  return { ...vault, told }
}

/** Both markets have heard. */
function armed(timeout_s = 10) {
  const vault = withOrders()
  vault.deadMan('d', ann, timeout_s)
  vault.timed(ann, 1)
  vault.timed(ann, 2, BQ)
  vault.effects.take()
  return vault
}

t.test('a new timer is answered when every market with orders holds it', async (t) => {
  const vault = withOrders()
  t.equal(vault.deadMan('d', ann, 10), null)
  t.match(vault.deadMan('d', ann, 10), { ok: { deadline: START + 10_000, waiting: [AQ, BQ] } }, 'a repeated message finds it on its way')
  t.strictSame(vault.told(), [[AQ, false, 10, true], [BQ, false, 10, true]])
  vault.timed(ann, 1)
  t.equal(vault.effects.answers.length, 0)
  vault.timed(ann, 2, BQ)
  const state = { signer: ann, timeout_ms: 10_000, deadline: START + 10_000, waiting: [] }
  t.strictSame(vault.effects.answers.map(({ answer }) => answer), [{ ok: state }])
  t.strictSame(vault.machine.query({ kind: 'deadMan', account: ann }), { ok: [state] })
  t.strictSame(vault.machine.query({ kind: 'deadMan', account: ben }), { ok: [] })
})

t.test('who asks when many wait is told which markets have yet to hear', async (t) => {
  const vault = withOrders()
  for (let n = 0; n < 16; n++) t.equal(vault.presence(`s${n}`, ann, 10_000), null)
  t.match(vault.presence('more', ann, 10_000), { ok: { waiting: [AQ, BQ] } })
})

t.test('a later deadline is answered at once: where it comes too late, the orders are gone', async (t) => {
  const vault = armed()
  vault.at(START + 4_000)
  t.match(vault.deadMan('e', ann, 10), { ok: { deadline: START + 14_000, waiting: [] } })
  t.strictSame(vault.told(), [[AQ, false, 14, false], [BQ, false, 14, false]])
  t.equal(vault.deadMan('f', ann, 5), null, 'an earlier one waits for the markets')
  t.strictSame(vault.told(), [[AQ, false, 9, true], [BQ, false, 9, true]])
})

t.test('a replayed message sets nothing', async (t) => {
  const vault = armed()
  vault.at(START + 4_000)
  vault.deadMan('e', ann, 0)
  t.strictSame(vault.told(), [[AQ, false, null, false], [BQ, false, null, false]])
  t.match(vault.deadMan('d', ann, 10), { ok: { timeout_ms: null, deadline: null } })
  t.strictSame(vault.told(), [])
  vault.deadMan('f', ann, 10)
  vault.effects.take()
  t.match(vault.deadMan('e', ann, 0), { ok: { deadline: START + 14_000 } }, 'nor ends it')
  t.strictSame(vault.told(), [])
  vault.at(START + 200_000)
  t.equal(vault.machine.state.timerMessages.size, 0, 'forgotten when it has expired')
  t.equal(vault.machine.state.accounts.get(ann)?.timerMessages, 0)
  t.match(vault.deadMan('d', ann, 10, { expires: (START / 1_000 + 30) as Seconds }), { refused: 'message_expired' })
})

t.test('a market learns of it before an order comes there', async (t) => {
  const vault = openVault()
  vault.deposit(ann, assetQ, 10_000n)
  t.match(vault.deadMan('d', ann, 10), { ok: { deadline: START + 10_000, waiting: [] } }, 'nothing is anywhere')
  vault.place('o1', ann, 'buy', 1, 10)
  vault.place('o2', ann, 'buy', 1, 10)
  t.match(vault.effects.take().sent.map(({ message }) => message), [{ kind: 'timer', account: ann, signer: ann, deadline: START + 10_000, ask: null }, { kind: 'place', order: 'o1', signer: null }, { kind: 'place', order: 'o2' }])
  vault.closed(ann, 'o1', 'cancelled')
  vault.closed(ann, 'o2', 'cancelled')
  vault.deadMan('e', ann, 20)
  t.same(vault.effects.take().sent, [], 'where nothing is, an old deadline may stand')
  vault.place('o3', ann, 'buy', 1, 10)
  t.match(vault.effects.take().sent.map(({ message }) => message), [{ kind: 'timer', deadline: START + 20_000 }, { kind: 'place', order: 'o3' }])
})

t.test('one that has run out here is told to every market that holds it, and is over', async (t) => {
  const vault = armed()
  t.equal(vault.machine.deadline(), START + 10_000)
  vault.closed(ann, 'o2', 'cancelled', BQ)
  vault.at(START + 9_999)
  t.strictSame(vault.told(), [])
  vault.at(START + 10_000)
  t.strictSame(vault.told(), [[AQ, true, null, false], [BQ, true, null, false]])
  t.match(vault.machine.query({ kind: 'deadMan', account: ann }), { ok: [] })
  vault.closed(ann, 'o1', 'dead_man')
  t.match(vault.orderOf(ann, 'o1'), { status: 'cancelled', reason: 'dead_man' })
  t.equal(vault.place('o3', ann, 'buy', 1, 10), null)
  t.strictSame(vault.told(), ['place'], 'what comes later is not covered')
})

t.test('connections: the earliest deadline counts, each ends for itself', async (t) => {
  const vault = armed(20)
  t.equal(vault.presence('g1.1', ann, 8_000), null)
  t.strictSame(vault.told(), [[AQ, false, 8, true], [BQ, false, 8, true]])
  vault.timed(ann, 3)
  vault.timed(ann, 4, BQ)
  vault.effects.take()
  vault.at(START + 5_000)
  t.match(vault.presence('g1.2', ann, 12_000), { ok: { signer: ann, timeout_ms: 12_000, deadline: START + 17_000 } })
  t.strictSame(vault.told(), [], 'there is an earlier one')
  t.match(vault.presence('g1.1', ann, 8_000), { ok: { deadline: START + 13_000 } })
  t.strictSame(vault.told(), [[AQ, false, 13, false], [BQ, false, 13, false]])
  vault.at(START + 6_000)
  t.match(vault.presence('g1.1', ann, 0), { ok: { timeout_ms: null, deadline: null } })
  t.strictSame(vault.told(), [[AQ, false, 17, false], [BQ, false, 17, false]], 'a connection that asks for nothing any more')
  t.match(vault.presence('g1.1', ann, 0, { cancel: true }), { ok: { deadline: null } })
  t.strictSame(vault.told(), [], 'one that is not known any more')
  t.match(vault.presence('g1.2', ann, 0, { cancel: true }), { ok: { deadline: null } })
  t.strictSame(vault.told(), [[AQ, true, 20, false], [BQ, true, 20, false]], 'one that has ended; the dead-man timer runs on')
  t.match(vault.machine.query({ kind: 'deadMan', account: ann }), { ok: [{ deadline: START + 20_000 }] })
  vault.presence('g1.3', ann, 5_000)
  vault.effects.take()
  vault.at(START + 12_000)
  t.strictSame(vault.told(), [[AQ, true, 20, false], [BQ, true, 20, false]], 'and so it does where its gateway is gone')
})

t.test('a delegated key has a timer of its own, beside the account’s', async (t) => {
  const vault = armed()
  vault.delegate('k', ann, key)
  vault.effects.take()
  t.equal(vault.deadMan('e', ann, 20, { signer: key }), null)
  t.match(vault.effects.take().sent.map(({ message }) => message), [{ kind: 'timer', account: ann, signer: key, deadline: START + 20_000 }, { signer: key }])
  vault.closed(ann, 'o1', 'cancelled')
  vault.closed(ann, 'o2', 'cancelled', BQ)
  vault.at(START + 5_000)
  vault.deadMan('f', ann, 20)
  vault.deadMan('g', ann, 30, { signer: key })
  vault.effects.take()
  vault.place('o3', ann, 'buy', 1, 10, { signer: key })
  t.match(vault.effects.take().sent.map(({ message }) => message), [{ kind: 'timer', signer: ann, deadline: START + 25_000 }, { kind: 'timer', signer: key, deadline: START + 35_000 }, { kind: 'place', signer: key }])
  t.match(vault.machine.query({ kind: 'deadMan', account: ann }), { ok: [{ signer: ann }, { signer: key }] })
  vault.revoke('r', ann, key)
  t.match(vault.deadMan('h', ann, 30, { signer: key }), { refused: 'signer_not_allowed' })
  t.match(vault.presence('s', ann, 30_000, { signer: key }), { refused: 'signer_not_allowed' })
  vault.effects.take()
  vault.at(START + 35_000)
  t.match(vault.effects.take().sent.map(({ message }) => message).at(-1), { kind: 'timer', signer: key, takeBack: true }, 'a revoked key lets go of its orders')
})

t.test('refusals change nothing', async (t) => {
  const vault = withOrders()
  const before = vault.machine.snapshot()
  const now = START / 1_000
  t.match(vault.deadMan('d', ann, 10, { signer: ben }), { refused: 'signer_not_allowed' })
  t.match(vault.presence('s', ann, 5_000, { signer: ben }), { refused: 'signer_not_allowed' })
  t.match(vault.deadMan('d', ann, 10, { expires: now as Seconds }), { refused: 'message_expired' })
  t.match(vault.deadMan('d', ann, 10, { expires: (now + limits.timerExpiry_s + 1) as Seconds }), { refused: 'expiry_too_far' })
  for (const timeout of [4, 86_401, 5.5, -5, NaN]) {
    t.match(vault.deadMan('d', ann, timeout), { refused: 'timeout_out_of_range' })
    t.match(vault.presence('s', ann, timeout * 1_000 + 0.5), { refused: 'timeout_out_of_range' })
  }
  for (const session of ['', 'a b', 'x'.repeat(65)]) t.match(vault.presence(session, ann, 5_000), { refused: 'message_malformed' })
  t.match(vault.deadMan('d', ben, 10), { refused: 'account_unknown' })
  t.match(vault.presence('s', ben, 5_000), { refused: 'account_unknown' })
  t.match(vault.deadMan('o1', ann, 10), { refused: 'message_reused' })
  vault.effects.backlogs.set(pairActor(BQ), limits.outboxMessages * CANCEL_ROOM)
  t.match(vault.deadMan('d', ann, 10), { refused: 'market_unavailable' }, 'all of them or none')
  t.same(vault.machine.snapshot(), before)
})

t.test('letting go is never refused: not where a market has no room, not to a key that may no longer act', async (t) => {
  const vault = armed()
  vault.presence('s', ann, 5_000)
  vault.told()
  vault.effects.backlogs.set(pairActor(BQ), limits.outboxMessages * CANCEL_ROOM)
  vault.presence('s', ann, 0, { cancel: true })
  t.strictSame(vault.told(), [[AQ, true, 10, false], [BQ, true, 10, false]])
  t.match(vault.presence('s', ann, 0, { signer: key, cancel: true }), { ok: { signer: key, deadline: null } }, 'which had nothing to let go')
})

t.test('timers of an account, and messages that set them, have bounds', async (t) => {
  const vault = openVault()
  vault.deposit(ann, assetQ, 1n)
  for (let n = 0; n < limits.timersPerAccount; n++) vault.presence(`s${n}`, ann, 5_000)
  t.match(vault.presence('more', ann, 5_000), { refused: 'timers_exceeded' })
  t.match(vault.presence('s0', ann, 6_000), { ok: { timeout_ms: 6_000 } })
  vault.presence('s1', ann, 0)
  for (let n = 0; n < limits.timerMessages; n++) t.match(vault.deadMan(`d${n}`, ann, 5), { ok: {} })
  t.match(vault.deadMan('more', ann, 5), { refused: 'timers_exceeded' })
  t.match(vault.deadMan('d0', ann, 5), { ok: {} })
  vault.at(START + 120_000)
  t.match(vault.deadMan('more', ann, 5), { ok: {} }, 'they are forgotten')
})

t.test('a market that answers about a timer which has ended or begun anew answers nobody', async (t) => {
  const vault = withOrders()
  vault.deadMan('d', ann, 10)
  vault.effects.take()
  const { machine, effects } = vault
  machine.command({ kind: 'deadMan', id: 'e' as MessageId, account: ann, signer: ann, timeout_s: 0, expires: (START / 1_000 + 30) as Seconds }, { gateway: 'g', request: 99 }, effects)
  t.match(effects.take().answers, [{ request: 3, answer: { ok: { deadline: null } } }, { request: 99, answer: { ok: { deadline: null } } }], 'who waited is told that it has ended')
  vault.deadMan('f', ann, 10)
  vault.timed(ann, 1)
  vault.timed(ann, 2, BQ)
  t.equal(vault.effects.answers.length, 0)
  vault.timed(ann, 3)
  vault.timed(ann, 4, BQ)
  t.match(vault.effects.answers, [{ answer: { ok: { deadline: START + 10_000 } } }])
})
