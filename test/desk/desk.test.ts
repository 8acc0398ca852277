import fc from 'fast-check'
import t from 'tap'
import { Value } from 'typebox/value'
import { pinKey } from '../../src/actors/placement/keys.ts'
import { KvStore } from '../../src/actors/placement/kvStore.ts'
import { serveShardCommands } from '../../src/actors/shardCommands.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import { limits } from '../../src/protocol/limits.ts'
import { DeskRequest, deskRequests } from '../../src/protocol/operator.ts'
import type { DeskRequestKind, GatewayReadings } from '../../src/protocol/operator.ts'
import { traderInbox } from '../../src/protocol/subjects.ts'
import { LogLines } from '../runtime/world.ts'
import { until } from '../settlement/waiting.ts'
import { addressFor, connectAs } from '../subscribers/stage.ts'
import { ask, openDeskStage, operatorLink, readingsOf } from './stage.ts'

// What operators may ask whom the venue file names, and what comes of it: over a real nats-server, with one gateway.

const stage = await openDeskStage({ olga: 'act', otto: 'see', busy: 'see', quick: 'see' })
t.teardown(() => stage.close())
const { subjects, file } = stage.venue
const [olga, otto] = [await operatorLink(stage, 'olga'), await operatorLink(stage, 'otto')]
t.teardown(() => Promise.all([olga.close(), otto.close()]))
const store = await KvStore.open(stage.venueLink, subjects, 1)
const xlm = 'pair.XLM-USDC'
serveShardCommands({ connection: stage.venueLink, subjects, node: 'a', snapshots: { demand: async () => ({ records: 9, snapshot: 9, bytes: 7, former: null }) }, readings: readingsOf(), log: new LogLines() })
await stage.venueLink.flush()
stage.vault.script = (asked) => (asked.kind === ('alarms' as never) ? { answer: { ok: ['none'] } } : { answer: { refused: 'internal_error' } })

/** One request of every kind. */
const requests: { readonly [Kind in DeskRequestKind]: Extract<DeskRequest, { kind: Kind }> } = {
  venue: { kind: 'venue' },
  statuses: { kind: 'statuses' },
  placement: { kind: 'placement' },
  ask: { kind: 'ask', actor: 'vault.0', query: { kind: 'alarms' } },
  shardMetrics: { kind: 'shardMetrics', node: 'a' },
  tell: { kind: 'tell', actor: xlm, command: { kind: 'control', state: 'halted', lowTicks: 1, highTicks: 9 } },
  snapshot: { kind: 'snapshot', node: 'a', actor: xlm },
  pin: { kind: 'pin', actor: xlm, node: 'a' },
  drain: { kind: 'drain', node: 'a', drained: true },
}
const kinds = Object.keys(deskRequests) as DeskRequestKind[]
const acting = kinds.filter((kind) => deskRequests[kind].may === 'act')
const entries = async (): Promise<string[]> => [...(await store.read())].filter(([, { value }]) => value !== null).map(([key, { value }]) => `${key}=${value}`)

t.test('a key that may see is shown everything, and changes nothing', async (t) => {
  await stage.vault.say(['vault.0' as ActorName])
  await until('what was said is heard', async () => ((await ask<unknown[]>(stage, otto, 'otto', requests.statuses)) as { ok: unknown[] }).ok.length === 1)
  t.strictSame(await ask(stage, otto, 'otto', requests.venue), { ok: file })
  t.match(await ask(stage, otto, 'otto', requests.statuses), { ok: [{ actor: 'vault.0', state: 'running', epoch: 1 }] })
  t.strictSame(await ask(stage, otto, 'otto', requests.placement), { ok: [] })
  t.strictSame(await ask(stage, otto, 'otto', requests.ask), { ok: ['none'] })
  t.match(await ask(stage, otto, 'otto', requests.shardMetrics), { ok: [[{ name: 'darkpool_feed_streams' }]] })
  const before = stage.pair.asked
  for (const kind of acting) t.strictSame(await ask(stage, otto, 'otto', requests[kind]), { refused: 'operator_may_not' }, kind)
  t.equal(acting.length, 4)
  t.equal(stage.pair.asked, before, 'no market has heard of it')
  t.strictSame(await entries(), [])
})

t.test('a key that may act has actors told, snapshots taken, and placement changed', async (t) => {
  t.match(await ask(stage, olga, 'olga', { kind: 'ask', actor: xlm, query: { kind: 'market' } }), { ok: { state: 'open' } })
  const before = stage.pair.asked
  t.match(await ask(stage, olga, 'olga', requests.tell), { ok: { state: 'open' } }, 'what the market answers')
  t.equal(stage.pair.asked, before + 1)
  t.strictSame(await ask(stage, olga, 'olga', requests.snapshot), { ok: { record: 9, bytes: 7, former: null } })
  t.strictSame(await ask(stage, olga, 'olga', requests.pin), { ok: null })
  t.strictSame(await ask(stage, olga, 'olga', requests.drain), { ok: null })
  t.strictSame((await entries()).sort(), ['drain.a=drained', 'pin.pair.XLM-USDC=a'])
  t.match(await ask(stage, olga, 'olga', requests.placement), { ok: [[pinKey(xlm as ActorName), { value: 'a' }], ['drain.a', { value: 'drained' }]] })
  for (const undone of [{ ...requests.pin, node: null }, { ...requests.drain, drained: false }]) t.strictSame(await ask(stage, olga, 'olga', undone), { ok: null })
  t.strictSame(await entries(), [])
})

t.test('names of nodes that nobody has do not fill what every node reads', async (t) => {
  const drain = (n: number, drained = true) => ask(stage, olga, 'olga', { kind: 'drain', node: `made-up-${n}`, drained })
  // Node a was drained before.
  for (let n = 1; n < limits.drainedNodes; n++) t.strictSame([await drain(n), await drain(n, false)], [{ ok: null }, { ok: null }])
  t.strictSame(await drain(0), { refused: 'request_malformed', detail: 'node' })
  t.strictSame(await ask(stage, olga, 'olga', requests.drain), { ok: null }, 'a node that is known')
  t.strictSame(await ask(stage, olga, 'olga', { ...requests.drain, drained: false }), { ok: null })
})

t.test('only actors of the venue are asked, and only markets are told', async (t) => {
  const heard = stage.vault.packets.length
  const refused = { refused: 'request_malformed', detail: 'actor' }
  for (const actor of ['vault.9', 'pair.BTC-USDC', 'gateway.x']) t.strictSame(await ask(stage, olga, 'olga', { ...requests.ask, actor }), refused, actor)
  for (const actor of ['vault.0', 'settlement.0', 'watcher.0', 'pair.BTC-USDC']) t.strictSame(await ask(stage, olga, 'olga', { ...requests.tell, actor }), refused, actor)
  t.equal(stage.vault.packets.length, heard)
})

t.test('an answer goes to the inbox of the key that asks, or nothing is done', async (t) => {
  const alice = await connectAs(stage, { key: 'alice' })
  let heard = 0
  alice.subscribe(`${traderInbox(addressFor('alice'))}.>`, { callback: () => void heard++ })
  await alice.flush()
  const before = stage.pair.asked
  for (const reply of [`${traderInbox(addressFor('alice'))}.x`, `${traderInbox(addressFor('otto'))}.x`, subjects.operatorRequest(addressFor('olga'), 'desk'), subjects.operatorRequest(addressFor('otto'), 'desk'), traderInbox(addressFor('olga')), `${traderInbox(addressFor('olga'))}.>`, '_INBOX.x']) olga.publish(subjects.operatorRequest(addressFor('olga'), 'desk'), JSON.stringify(requests.tell), { reply })
  olga.publish(subjects.operatorRequest(addressFor('olga'), 'desk'), JSON.stringify(requests.tell))
  // What was sent before is dealt with before.
  t.match(await ask(stage, olga, 'olga', requests.venue), { ok: {} })
  await alice.flush()
  t.strictSame([heard, stage.pair.asked], [0, before])
  await alice.close()
})

t.test('each gateway shows its metrics, no more often than a page of them is made', async (t) => {
  const [one, other] = [await ask<GatewayReadings>(stage, otto, 'otto', new Uint8Array(), 'gateways'), await ask<GatewayReadings>(stage, otto, 'otto', new Uint8Array(), 'gateways')]
  t.match(one, { ok: { gateway: stage.gateway.name, readings: [[{ name: 'darkpool_feed_streams', values: [{ value: 1 }] }]] } })
  t.strictSame(other, one)
  t.strictSame(await ask(stage, otto, 'otto', Buffer.from('{}'), 'gateways'), { refused: 'request_malformed' })
})

t.test('what no program should send is refused in the venue’s words, and reaches nobody', async (t) => {
  const good = [requests.venue, requests.ask, requests.tell, { kind: 'ask', actor: 'vault.0', query: { kind: 'withdrawals', account: addressFor('alice'), closed: false, limit: 9 } } as const].map((one) => Buffer.from(JSON.stringify(one)))
  const change = fc.record({ at: fc.nat(1_000), value: fc.nat(255), how: fc.constantFrom('change', 'leave', 'put') })
  const damaged = fc.tuple(fc.constantFrom(...good), fc.array(change, { minLength: 1, maxLength: 4 })).map(([whole, changes]) =>
    changes.reduce((bytes, { at, value, how }) => {
      const place = at % bytes.length
      return Buffer.concat([bytes.subarray(0, place), Buffer.from(how === 'leave' ? [] : [value]), bytes.subarray(how === 'put' ? place : place + 1)])
    }, whole),
  )
  const odd = fc.oneof(
    fc.json(),
    fc.constantFrom('__proto__', 'constructor', 'toString', 'cancelAll', 'orders', 'place').map((kind) => JSON.stringify({ kind })),
    fc.constantFrom('place', 'cancelAll', 'orders', 'balances', 'standing', 'order', 'keys').chain((kind) => fc.constantFrom('query', 'command').map((what) => JSON.stringify({ kind: what === 'query' ? 'ask' : 'tell', actor: what === 'query' ? 'vault.0' : xlm, [what]: { kind, account: addressFor('alice') } }))),
    fc.nat(3_000).map((depth) => `{"kind":${'['.repeat(depth)}${']'.repeat(depth)}}`),
    fc.constantFrom('*', '>', 'a.b', '', '$JS').map((node) => JSON.stringify({ kind: 'shardMetrics', node })),
  )
  const hostile = fc.sample(fc.oneof(damaged, odd.map((text) => Buffer.from(text)), fc.uint8Array({ maxLength: 99 }).map((bytes) => Buffer.from(bytes))), { numRuns: 600, seed: 20_261_128 })
  const sound = (bytes: Buffer): boolean => {
    try {
      return Value.Check(DeskRequest, JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
    } catch {
      return false
    }
  }
  const bad = hostile.filter((bytes) => !sound(bytes))
  t.ok(bad.length > 500)
  const before = [stage.vault.packets.length, stage.pair.asked]
  for (const answer of await Promise.all(bad.map((bytes) => ask(stage, olga, 'olga', bytes)))) if (!('refused' in answer) || answer.refused !== 'request_malformed') t.fail(JSON.stringify(answer))
  t.strictSame(await ask(stage, olga, 'olga', Buffer.alloc(limits.operatorRequestBytes + 1, 32)), { refused: 'request_too_large' })
  t.strictSame([stage.vault.packets.length, stage.pair.asked], before)
  t.strictSame(await entries(), [])
})

t.test('an answer that is larger than may be sent is refused, and the connection stays', async (t) => {
  const { script } = stage.vault
  stage.vault.script = () => ({ answer: { ok: 'x'.repeat(limits.natsPayloadBytes) } })
  t.strictSame(await ask(stage, otto, 'otto', requests.ask), { refused: 'answer_too_large' })
  stage.vault.script = script
  t.strictSame(await ask(stage, otto, 'otto', requests.ask), { ok: ['none'] })
})

t.test('an operator who asks too much is refused, and nobody else', async (t) => {
  const quick = await operatorLink(stage, 'quick')
  const list = { kind: 'ask', actor: 'vault.0', query: { kind: 'withdrawals', account: null, closed: true, limit: 1_000 } } as const
  const answers = await Promise.all(Array.from({ length: 500 }, () => ask(stage, quick, 'quick', list)))
  t.ok(answers.some((answer) => 'refused' in answer && answer.refused === 'rate_exceeded'))
  t.ok(answers.some((answer) => 'refused' in answer && answer.refused === 'internal_error'), 'what was passed on has the actor’s own answer')
  t.strictSame(await ask(stage, otto, 'otto', requests.ask), { ok: ['none'] })
  await quick.close()
})

t.test('so much is under way for one operator and no more; what is said again is the same; a gateway that ends leaves nobody waiting', async (t) => {
  const busy = await operatorLink(stage, 'busy')
  const { script } = stage.vault
  stage.vault.script = () => null
  const from = stage.vault.packets.length
  const waiting = Array.from({ length: limits.operatorInFlight }, () => ask(stage, busy, 'busy', requests.ask))
  const said = (): number => new Set(stage.vault.packets.slice(from).map(({ gateway, items: [item] }) => `${gateway} ${item!.request}`)).size
  await until('all of it is with the actor', () => said() === limits.operatorInFlight)
  t.strictSame(await ask(stage, busy, 'busy', requests.venue), { refused: 'venue_overloaded' })
  t.match(await ask(stage, otto, 'otto', requests.venue), { ok: {} })
  // The same to the same inbox, twice: one request of the actor, one answer.
  const inbox = `${traderInbox(addressFor('otto'))}.again`
  let heard = 0
  otto.subscribe(inbox, { callback: () => void heard++ })
  for (let n = 0; n < 2; n++) otto.publish(subjects.operatorRequest(addressFor('otto'), 'desk'), JSON.stringify({ ...requests.ask, actor: 'vault.1' }), { reply: inbox })
  await until('it is with the actor', () => said() === limits.operatorInFlight + 1)
  await stage.subscribers.drain()
  for (const answer of await Promise.all(waiting)) if (!('refused' in answer) || answer.refused !== 'outcome_unknown') t.fail(JSON.stringify(answer))
  await otto.flush()
  t.equal(heard, 1)
  stage.vault.script = script
  await busy.close()
})

t.test('the log says who asked what, of whom, and what came of it; nothing else', async (t) => {
  const lines = stage.log().split('\n').filter((line) => line.includes('an operator asked')).map((line) => JSON.parse(line) as { ids: object })
  const of = (name: string): string => addressFor(name).slice(0, 12)
  t.match(lines.find(({ ids }) => 'kind' in ids && ids.kind === 'tell'), { ids: { operator: of('otto'), kind: 'tell', actor: xlm, outcome: 'operator_may_not' } })
  t.ok(lines.some(({ ids }) => JSON.stringify(ids) === JSON.stringify({ operator: of('olga'), kind: 'drain', node: 'a', outcome: 'done' })))
  t.notOk(lines.some(({ ids }) => 'outcome' in ids && ids.outcome === 'rate_exceeded'))
  t.notOk(stage.log().includes(addressFor('alice')))
  t.notOk(stage.log().includes('"level":"error"'), 'nothing of it was a fault of ours')
})
