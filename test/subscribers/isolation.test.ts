import { jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import t from 'tap'
import type { Test } from 'tap'
import { ensureStreams } from '../../src/actors/runtime/streams.ts'
import { LastingReadings } from '../../src/monitoring/lastingReadings.ts'
import type { AccountId, ActorName } from '../../src/protocol/identity.ts'
import { OPERATOR_USER } from '../../src/protocol/subjects.ts'
import { traderInbox } from '../../src/protocol/subjects.ts'
import { until } from '../settlement/waiting.ts'
import { addressFor, connectAs, openSubscriberStage, statement } from './stage.ts'
import type { Showing } from './stage.ts'

// Somebody who was let in and asks for what is not theirs: other accounts' subjects, wildcards over them, JetStream in every way, the venue's own subjects, others' inboxes.

const [alice, bob, mallory, olga, otto] = ['alice', 'bob', 'mallory', 'olga', 'otto'].map(addressFor) as [AccountId, AccountId, AccountId, AccountId, AccountId]
const stage = await openSubscriberStage((file) => ({ ...file, operators: [{ key: olga, may: 'act' }, { key: otto, may: 'act' }] }))
t.teardown(() => stage.close())
const { subjects } = stage.venue
const { venueLink } = stage
let readings = 0
stage.subscribers.hearOperators(new LastingReadings(async () => (readings++, [])))
await ensureStreams(venueLink, subjects)
const SECRET = 'nobody else may read this'
await jetstream(venueLink).publish(subjects.feed(alice), JSON.stringify({ v: 1, seq: 1, account: alice, time: SECRET, type: 'settled', trades: [], transaction: 'x', ledger: 1, receipts: { sequence: 1, size: 2, from: 1, leaves: [] } }))
const actor = 'vault.0' as ActorName
const stream = subjects.feedStream

/** Subjects on which something is said that is not for mallory, and patterns that would take them in. */
const hearing = [
  '>', '*', '*.>', '*.*', 'dp.>', 'dp.*.>', 'dp.v1.>', 'dp.v1.local.>', 'dp.v1.*.feed.>', 'dp.v1.local.*.*', `dp.v1.local.*.${alice}`, `*.*.*.*.${alice}`,
  subjects.allFeeds, 'dp.v1.local.feed.>', subjects.feed(alice), subjects.feed(bob), `${subjects.feed(mallory)}.>`, `${subjects.feed(mallory)}.*`, `dp.v1.local.feed.${mallory.toLowerCase()}`,
  subjects.allJournals, subjects.journal(actor), subjects.allSnapshots, 'dp.v1.local.snapshot.vault.0.>', subjects.allStatus, subjects.status(actor),
  subjects.clients(actor), subjects.peers(actor), subjects.acks(actor), 'dp.v1.local.actor.>', subjects.answers('gw_1'), `${subjects.answers('gw_1')}.>`, 'dp.v1.local.gateway.>',
  subjects.allTraderRequests, 'dp.v1.local.trader.>', `dp.v1.local.trader.${alice}.>`, subjects.traderRequest(alice, alice, 'orders'), subjects.traderRequest(mallory, mallory, 'orders'), `dp.v1.local.trader.${mallory}.>`,
  subjects.allOperatorRequests('desk'), subjects.allOperatorRequests('gateways'), 'dp.v1.local.operator.>', `dp.v1.local.operator.${olga}.>`, subjects.operatorRequest(olga, 'desk'), subjects.operatorRequest(otto, 'desk'), subjects.operatorRequest(otto, 'gateways'), `${traderInbox(otto)}.>`,
  subjects.shard('a'), 'dp.v1.local.shard.>', subjects.answers(`${stage.gateway.name}_desk`),
  `${traderInbox(alice)}.>`, `${traderInbox(alice)}.*`, `${traderInbox(alice)}.*.*`, `${traderInbox(bob)}.>`, traderInbox(alice), traderInbox(mallory), '_INBOX.>', '_INBOX.*', '_INBOX.*.*', '_INBOX_>', '_R_.>', '_GR_.>', '$NRG.>',
  '$SYS.>', '$SYS.REQ.>', '$SYS.REQ.USER.AUTH', '$SYS.ACCOUNT.>', '$SYS.ACCOUNT.TRADERS.CONNECT', '$SYS.ACCOUNT.VENUE.>', '$SYS.SERVER.>', '$SYS.REQ.SERVER.PING.CONNZ', '$SYS._INBOX.>',
  '$JS.>', '$JS.API.>', '$JS.ACK.>', '$JS.FC.>', '$JS.EVENT.>', '$JS.EVENT.ADVISORY.>', '$JSC.>', '$KV.>', `$KV.${subjects.placementBucket}.>`, '$O.>', '$SRV.>', '$SRV.PING', '$MQTT.>', '$G.>', '$LDS.>', '$GR.>',
]

/** What would be asked of somebody, or told to somebody, in mallory's name. */
const consumer = { stream_name: stream, config: { name: 'm', deliver_policy: 'all', ack_policy: 'none', filter_subject: subjects.feed(alice) } }
const pushed = { stream_name: stream, config: { name: 'm', deliver_policy: 'all', ack_policy: 'none', deliver_subject: subjects.feed(mallory), filter_subject: subjects.feed(alice) } }
const streams = [stream, subjects.journalStream, subjects.snapshotStream, `KV_${subjects.placementBucket}`]
const saying: readonly (readonly [string, unknown])[] = [
  ['$JS.API.INFO', ''], ['$JS.API.ACCOUNT.INFO', ''], ['$JS.API.STREAM.NAMES', ''], ['$JS.API.STREAM.LIST', ''], ['$JS.API.META.LEADER.STEPDOWN', ''], ['$JS.API.SERVER.REMOVE', {}], ['$JS.API.ACCOUNT.PURGE.VENUE', ''],
  ...streams.flatMap((name): [string, unknown][] => [
    [`$JS.API.STREAM.INFO.${name}`, ''],
    [`$JS.API.STREAM.INFO.${name}`, { subjects_filter: '>' }],
    [`$JS.API.STREAM.MSG.GET.${name}`, { seq: 1 }],
    [`$JS.API.STREAM.MSG.GET.${name}`, { last_by_subj: subjects.feed(alice) }],
    [`$JS.API.STREAM.MSG.DELETE.${name}`, { seq: 1 }],
    [`$JS.API.STREAM.PURGE.${name}`, {}],
    [`$JS.API.STREAM.DELETE.${name}`, ''],
    [`$JS.API.STREAM.UPDATE.${name}`, { name, subjects: ['>'], republish: { src: '>', dest: subjects.feed(mallory) } }],
    [`$JS.API.STREAM.CREATE.${name}`, { name, subjects: ['>'] }],
    [`$JS.API.STREAM.SNAPSHOT.${name}`, { deliver_subject: subjects.feed(mallory) }],
    [`$JS.API.STREAM.RESTORE.${name}`, {}],
    [`$JS.API.STREAM.LEADER.STEPDOWN.${name}`, ''],
    [`$JS.API.STREAM.PEER.REMOVE.${name}`, {}],
    [`$JS.API.DIRECT.GET.${name}`, { seq: 1 }],
    [`$JS.API.DIRECT.GET.${name}`, { next_by_subj: '>', seq: 1, batch: 100 }],
    [`$JS.API.DIRECT.GET.${name}.${subjects.feed(alice)}`, ''],
    [`$JS.API.CONSUMER.NAMES.${name}`, ''],
    [`$JS.API.CONSUMER.LIST.${name}`, ''],
    [`$JS.API.CONSUMER.CREATE.${name}`, { ...consumer, stream_name: name }],
    [`$JS.API.CONSUMER.CREATE.${name}.m`, { ...consumer, stream_name: name }],
    [`$JS.API.CONSUMER.CREATE.${name}.m.${subjects.feed(alice)}`, { ...consumer, stream_name: name }],
    [`$JS.API.CONSUMER.CREATE.${name}.m.${subjects.feed(mallory)}`, { ...pushed, stream_name: name }],
    [`$JS.API.CONSUMER.DURABLE.CREATE.${name}.m`, { ...pushed, stream_name: name }],
    [`$JS.API.CONSUMER.MSG.NEXT.${name}.m`, { batch: 100 }],
    [`$JS.API.CONSUMER.INFO.${name}.m`, ''],
    [`$JS.API.CONSUMER.DELETE.${name}.m`, ''],
    [`$JS.API.CONSUMER.PAUSE.${name}.m`, {}],
    [`$JS.API.CONSUMER.UNPIN.${name}.m`, {}],
  ]),
  ['$JS.API.STREAM.CREATE.mine', { name: 'mine', subjects: ['dp.>'] }], ['$JS.API.STREAM.CREATE.mirror', { name: 'mirror', mirror: { name: stream } }], ['$JS.API.STREAM.CREATE.source', { name: 'source', sources: [{ name: stream, external: { api: '$JS.VENUE.API' } }] }],
  [`$JS.ACK.${stream}.m.1.1.1.1.1`, '+ACK'], [`$KV.${subjects.placementBucket}.lease.vault.0`, 'mallory'],
  [subjects.feed(alice), { v: 1, seq: 2, account: alice }], [subjects.feed(mallory), { v: 1, seq: 1, account: mallory }],
  [subjects.journal(actor), 'x'], [subjects.snapshot(actor, 'x'), 'x'], [subjects.status(actor), 'x'], [subjects.clients(actor), 'x'], [subjects.peers(actor), 'x'], [subjects.acks(actor), 'x'], [subjects.answers('gw_1'), 'x'],
  [subjects.clients('pair.XLM-USDC' as ActorName), 'x'], [subjects.peers('settlement.0' as ActorName), 'x'],
  ...['orders', 'replay', 'balances', 'openOrders', 'withdraw', '>'].flatMap((operation): [string, unknown][] => [
    [subjects.traderRequest(alice, alice, operation), {}],
    [subjects.traderRequest(alice, mallory, operation), {}],
    [subjects.traderRequest(mallory, alice, operation), {}],
  ]),
  [subjects.traderRequest(mallory, mallory, 'withdraw'), {}], [subjects.traderRequest(mallory, mallory, 'replay.x'), {}], [`${subjects.traderRequest(mallory, mallory, 'replay')}x`, {}],
  ...['desk', 'gateways'].flatMap((whom): [string, unknown][] => [otto, mallory].map((key) => [subjects.operatorRequest(key, whom as 'desk'), { kind: 'venue' }])),
  [`dp.v1.local.operator.${otto}.>`, 'x'], ['dp.v1.local.operator.*.gateways', ''], [subjects.shard('a'), 'x'], [subjects.answers(`${stage.gateway.name}_desk`), 'x'],
  [`${traderInbox(alice)}.x`, 'x'], [`${traderInbox(mallory)}.x`, 'x'], ['_INBOX.x', 'x'], ['_R_.x', 'x'],
  ['$SYS.REQ.USER.AUTH', 'x'], ['$SYS.REQ.USER.INFO', ''], ['$SYS.REQ.SERVER.PING', ''], ['$SYS.REQ.SERVER.PING.CONNZ', { auth: true }], ['$SYS.REQ.SERVER.PING.VARZ', ''], ['$SYS.REQ.SERVER.x.KICK', { cid: 1 }], ['$SYS.REQ.SERVER.x.RELOAD', ''],
  ['$SYS.REQ.ACCOUNT.VENUE.CONNZ', ''], ['$SYS.REQ.ACCOUNT.PING.CONNZ', ''], ['$SYS.REQ.ACCOUNT.TRADERS.SUBSZ', ''], ['$SYS.REQ.CLAIMS.UPDATE', 'x'], ['$SRV.PING', ''], ['$SRV.INFO', ''],
]

const forbidden = /Permissions Violation|permission/i

/** What mallory hears on a subject; null where the server forbids to listen at all. */
async function listen(connection: NatsConnection, subject: string): Promise<string[] | null> {
  const heard: string[] = []
  let refused = false
  const subscription = connection.subscribe(subject, { callback: (failure, message) => (failure === null ? void heard.push(message.string()) : void (refused = forbidden.test(failure.message))) })
  await connection.flush()
  await connection.flush()
  if (!refused) subscription.unsubscribe()
  return refused ? null : heard
}

async function attempt(t: Test, showing: Showing, more: typeof saying): Promise<void> {
  const connection = await connectAs(stage, showing)
  t.teardown(() => connection.close())
  const refusals: string[] = []
  void (async () => {
    for await (const status of connection.status()) if (status.type === 'error') refusals.push(status.error.message)
  })()
  for (const subject of hearing) t.equal(await listen(connection, subject), null, `may not hear ${subject}`)
  const inbox = `${traderInbox(addressFor(showing.key))}.answers`
  const answers: string[] = []
  connection.subscribe(inbox, { callback: (_, message) => void answers.push(message.string()) })
  for (const [subject, body] of [...saying, ...more]) {
    const before = refusals.length
    connection.publish(subject, typeof body === 'string' ? body : JSON.stringify(body), { reply: inbox })
    await until(`a word about ${subject}`, () => refusals.length > before)
    t.match(refusals.at(-1)!, forbidden, `may not say ${subject}`)
  }
  await venueLink.flush()
  await connection.flush()
  t.strictSame(answers, [], 'nobody answered')
}

/** What a trader may not ask, and an operator may. */
const ofOlga = (['desk', 'gateways'] as const).map((whom): [string, unknown] => [subjects.operatorRequest(olga, whom), { kind: 'venue' }])
t.test('the account’s own key', (t) => attempt(t, { key: 'mallory' }, ofOlga))
t.test('a temporary key, which is neither its account nor anybody else', (t) => attempt(t, { key: 'passing', token: statement(stage, 'mallory', 'passing') }, ofOlga))
t.test('an operator’s key, which is no trader’s', (t) => attempt(t, { key: 'olga', user: OPERATOR_USER }, [[subjects.traderRequest(olga, olga, 'orders'), {}], [subjects.traderRequest(olga, olga, 'replay'), {}], [`${subjects.operatorRequest(olga, 'desk')}.x`, {}], [subjects.operatorRequest(olga, 'clerk' as 'desk'), {}]]))

t.test('it was enough, and nothing came of it', async (t) => {
  t.ok(hearing.length + saying.length >= 200, `${hearing.length + saying.length} cases of each`)
  t.strictSame([stage.vault.heard, readings], [[], 0])
  const gets = await jetstream(venueLink).streams.get(stream)
  const { state } = await gets.info()
  t.strictSame([state.messages, state.consumer_count], [1, 0])
  t.notMatch(stage.log(), SECRET)
})
