import type { NatsConnection } from '@nats-io/transport-node'
import t from 'tap'
import { openLinks } from '../../src/gateway/subscribers/links.ts'
import { Subscribers } from '../../src/gateway/subscribers/subscribers.ts'
import type { AccountId, Seconds } from '../../src/protocol/identity.ts'
import type { KeyState } from '../../src/protocol/vault.ts'
import { until } from '../settlement/waiting.ts'
import { addressFor, connectAs, openSubscriberStage, statement, testKeys } from './stage.ts'

// How a connection ends that may no longer be there: by its key's or statement's end, by revocation, also one that nobody saw.

const stage = await openSubscriberStage()
t.teardown(() => stage.close())
const { subjects } = stage.venue
const hour = 3_600
const now = (): Seconds => Math.floor(Date.now() / 1_000) as Seconds

/** The keys that alice has delegated, as her vault actor knows them. */
const keys = new Map<AccountId, KeyState>()
stage.vault.script = (asked) => {
  if (asked.kind !== 'key' || asked.account !== addressFor('alice')) return { answer: { refused: 'key_unknown' } }
  const state = keys.get(asked.key)
  return { answer: state === undefined ? { refused: 'key_unknown' } : { ok: state } }
}
const delegate = (name: string, scope: KeyState['scope'] = 'trade', end = now() + hour): void => {
  const key = addressFor(name)
  keys.set(key, { key, scope, market: null, until: end as Seconds, status: 'active' })
}
const user = addressFor('alice')
const isOver = (connection: NatsConnection): (() => boolean) => {
  let over = false
  void connection.closed().then(() => (over = true))
  return () => over
}

/** Whether a connection may publish on a subject: a request there is answered, or forbidden. */
async function may(connection: NatsConnection, key: string, operation: string): Promise<boolean> {
  try {
    await connection.request(subjects.traderRequest(user, addressFor(key), operation), '{}', { timeout: 5_000 })
    return true
  } catch (error) {
    if ((error as Error).name !== 'PermissionViolationError' && (error as Error).cause === undefined) throw error
    return false
  }
}

t.test('a delegated key may what its scope says', async (t) => {
  delegate('trading', 'trade')
  delegate('reading', 'read')
  const trading = await connectAs(stage, { key: 'trading', user })
  const reading = await connectAs(stage, { key: 'reading', user })
  t.strictSame([await may(trading, 'trading', 'replay'), await may(trading, 'trading', 'orders')], [true, true])
  t.strictSame([await may(reading, 'reading', 'replay'), await may(reading, 'reading', 'orders')], [true, false])
  t.equal(await may(reading, 'trading', 'replay'), false, 'in another key’s name')
  await Promise.all([trading.close(), reading.close()])
})

t.test('a revoked key', async (t) => {
  for (const name of ['revoked', 'kept']) delegate(name)
  const [revoked, again, kept] = await Promise.all(['revoked', 'revoked', 'kept'].map((key) => connectAs(stage, { key, user })))
  const own = await connectAs(stage, { key: 'alice' })
  const over = [revoked!, again!].map(isOver)
  keys.delete(addressFor('revoked'))
  await until('its connections ended', () => over.every((ended) => ended()))
  t.strictSame([kept!.isClosed(), own.isClosed()], [false, false], 'nobody else’s')
  await t.rejects(connectAs(stage, { key: 'revoked', user }), { message: 'Authorization Violation' })
  await Promise.all([kept!.close(), own.close()])
})

t.test('a key that may less than it did', async () => {
  delegate('lowered', 'trade')
  const over = isOver(await connectAs(stage, { key: 'lowered', user }))
  delegate('lowered', 'read')
  await until('its connection ended', over)
})

t.test('a key and a statement that are over', async (t) => {
  delegate('short', 'trade', now() + 3)
  const short = isOver(await connectAs(stage, { key: 'short', user }))
  const stated = isOver(await connectAs(stage, { key: 'temporary', token: statement(stage, 'alice', 'temporary', { expires: String(now() + 3) }) }))
  await until('both ended', () => short() && stated())
  await t.rejects(connectAs(stage, { key: 'short', user }), { message: 'Authorization Violation' })
})

t.test('a key that was revoked while no gateway ran', async (t) => {
  delegate('unseen')
  const connection = await connectAs(stage, { key: 'unseen', user })
  const over = isOver(connection)
  await stage.subscribers.close()
  keys.delete(addressFor('unseen'))
  await t.rejects(connectAs(stage, { key: 'alice' }), 'without a gateway nobody comes in')
  t.equal(connection.isClosed(), false, 'and nobody is sent away')
  const natsKeys = await testKeys()
  const next = new Subscribers(stage.gateway, stage.venueLink, await openLinks([stage.nats.url], natsKeys), natsKeys)
  t.teardown(() => next.close())
  await until('the next gateway ended it', over)
})
