import type { NatsConnection } from '@nats-io/transport-node'
import t from 'tap'
import { limits } from '../../src/protocol/limits.ts'
import type { GatewayReadings } from '../../src/protocol/operator.ts'
import { decode } from '../../src/protocol/codec.ts'
import { OPERATOR_USER, traderInbox } from '../../src/protocol/subjects.ts'
import { until } from '../settlement/waiting.ts'
import { addressFor, connectAs, statement } from '../subscribers/stage.ts'
import { ask, named, openDeskStage, openGateway, operatorLink } from './stage.ts'

// Who is let in as an operator, how that ends, and what several gateways make of it.

const stage = await openDeskStage({ olga: 'act', otto: 'act', greedy: 'see' })
t.teardown(() => stage.close())
const { subjects } = stage.venue
const VIOLATION = { message: 'Authorization Violation' }
const isOver = (connection: NatsConnection): (() => boolean) => {
  let over = false
  void connection.closed().then(() => (over = true))
  return () => over
}

t.test('a key that the venue file does not name is no operator’s; one that it names is a trader’s too', async (t) => {
  await t.rejects(operatorLink(stage, 'stranger'), VIOLATION)
  await t.rejects(connectAs(stage, { key: 'stranger', user: OPERATOR_USER, token: statement(stage, 'olga', 'stranger') }), VIOLATION, 'also with a statement of one')
  await t.rejects(connectAs(stage, { key: 'stranger', user: addressFor('olga') }), VIOLATION)
  const trader = await connectAs(stage, { key: 'olga' })
  await t.rejects(trader.request(subjects.operatorRequest(addressFor('olga'), 'desk'), '{"kind":"venue"}'), { cause: { name: 'PermissionViolationError' } }, 'as a trader she asks nothing of the venue')
  await trader.close()
})

t.test('an operator has so many connections and no more; they are not her account’s', async (t) => {
  const connections: NatsConnection[] = []
  // Those of the last seconds are counted twice for a moment, as entered and as listed.
  await until('all of them are there', async () => {
    const one = await operatorLink(stage, 'greedy').catch(() => null)
    if (one !== null) connections.push(one)
    return connections.length === limits.natsConnectionsPerAccount
  })
  await t.rejects(operatorLink(stage, 'greedy'), VIOLATION)
  for (const one of [await connectAs(stage, { key: 'greedy' }), await operatorLink(stage, 'olga'), ...connections]) await one.close()
})

t.test('of two gateways each shows its metrics, and one answers; where that one ends in the middle, the other does when asked again', async (t) => {
  const other = await openGateway(stage)
  t.teardown(() => other.close())
  const olga = await operatorLink(stage, 'olga')
  const names = new Set<string>()
  const inbox = `${traderInbox(addressFor('olga'))}.each`
  olga.subscribe(inbox, { callback: (_, { data }) => void names.add((decode<{ ok: GatewayReadings }>(data)).ok.gateway) })
  olga.publish(subjects.operatorRequest(addressFor('olga'), 'gateways'), '', { reply: inbox })
  await until('both have answered', () => names.size === 2)
  t.strictSame(names, new Set([stage.gateway.name, other.gateway.name]))

  const query = { kind: 'ask', actor: 'vault.0', query: { kind: 'alarms' } } as const
  /** Whose desk has asked an actor; gateways ask of delegated keys besides. */
  const heard = (): string[] => [...new Set(stage.vault.packets.map(({ gateway }) => gateway).filter((name) => name.endsWith('_desk')))]
  const answered = `${traderInbox(addressFor('olga'))}.once`
  const answers: unknown[] = []
  olga.subscribe(answered, { callback: (_, { data }) => void answers.push(decode(data)) })
  stage.vault.script = () => null
  olga.publish(subjects.operatorRequest(addressFor('olga'), 'desk'), JSON.stringify(query), { reply: answered })
  await until('one of them has asked the actor', () => heard().length === 1)
  const [asks] = heard()
  const ending = asks === `${other.gateway.name}_desk` ? other.subscribers : stage.subscribers
  await ending.close()
  stage.vault.script = () => ({ answer: { ok: 'answered' } })
  t.strictSame(await ask(stage, olga, 'olga', query), { ok: 'answered' })
  t.equal(heard().length, 2, 'the other has asked')
  for (const answer of answers) t.strictSame(answer, { refused: 'outcome_unknown' }, 'of the one that ended, nothing else')
  await olga.close()
})

t.test('where the venue file names a key no more, lets it do less, or lets no traders in, connections end that were there', async (t) => {
  const before = await openGateway(stage)
  const [gone, less, kept, trader] = [await operatorLink(stage, 'olga'), await operatorLink(stage, 'otto'), await operatorLink(stage, 'greedy'), await connectAs(stage, { key: 'alice' })]
  await Promise.all([before.close(), stage.subscribers.close()])
  const over = [gone, less, trader].map(isOver)
  const after = await openGateway(stage, (file) => ({ ...file, operators: named({ otto: 'see', greedy: 'see' }), nats: { ...file.nats, traders: false } }))
  t.teardown(() => after.close())
  await until('theirs ended', () => over.every((ended) => ended()))
  await t.rejects(operatorLink(stage, 'olga'), VIOLATION)
  await t.rejects(connectAs(stage, { key: 'alice' }), VIOLATION, 'traders are not let in')
  await t.rejects(connectAs(stage, { key: 'passing', token: statement(stage, 'alice', 'passing') }), VIOLATION)
  const otto = await operatorLink(stage, 'otto')
  t.strictSame(await ask(stage, otto, 'otto', { kind: 'drain', node: 'a', drained: true }), { refused: 'operator_may_not' })
  t.match(await ask(stage, kept, 'greedy', { kind: 'venue' }), { ok: { nats: { traders: false } } }, 'nobody else’s')
  await Promise.all([otto.close(), kept.close()])
})
