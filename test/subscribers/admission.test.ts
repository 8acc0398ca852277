import { once } from 'node:events'
import { connect as dial } from 'node:net'
import { createUser } from '@nats-io/nkeys'
import { connect } from '@nats-io/transport-node'
import t from 'tap'
import type { AccountId } from '../../src/protocol/identity.ts'
import { limits } from '../../src/protocol/limits.ts'
import { encodeNkey, decodeNkey, nkeyOf, addressOf } from '../../src/protocol/nkey.ts'
import { until } from '../settlement/waiting.ts'
import { addressFor, authenticators, connectAs, openSubscriberStage, statement } from './stage.ts'
import type { Showing } from './stage.ts'

const stage = await openSubscriberStage()
t.teardown(() => stage.close())
const { subjects } = stage.venue

/** What of a feed reaches a connection, until it is cut. */
async function hears(showing: Showing, account: AccountId): Promise<string[]> {
  const connection = await connectAs(stage, showing)
  const heard: string[] = []
  connection.subscribe(subjects.feed(account), { callback: (failure, message) => void heard.push(failure === null ? message.string() : failure.name) })
  await connection.flush()
  stage.venueLink.publish(subjects.feed(account), 'told')
  await stage.venueLink.flush()
  await until('the subscription was answered', () => heard.length > 0)
  await connection.close()
  return heard
}

const refused = async (showing: Showing): Promise<string> => {
  try {
    await (await connectAs(stage, showing)).close()
    return 'admitted'
  } catch (error) {
    return (error as Error).message
  }
}
const VIOLATION = 'Authorization Violation'

t.test('the keys of NATS and of Stellar are the same bytes', async (t) => {
  for (let i = 0; i < 20; i++) {
    const nkey = createUser().getPublicKey()
    const address = addressOf(nkey)
    t.match(address, /^G/)
    t.equal(nkeyOf(address), nkey)
    t.equal(encodeNkey('user', decodeNkey('user', nkey)!), nkey)
    t.equal(decodeNkey('stellar', nkey), undefined, 'of another kind')
    t.equal(decodeNkey('user', nkey.slice(0, -1) + (nkey.endsWith('A') ? 'B' : 'A')), undefined, 'a wrong checksum')
  }
})

t.test('the account’s own key hears its feed, and no other', async (t) => {
  t.strictSame(await hears({ key: 'alice' }, addressFor('alice')), ['told'])
  t.strictSame(await hears({ key: 'alice', user: addressFor('alice') }, addressFor('alice')), ['told'], 'also named')
  t.strictSame(await hears({ key: 'alice' }, addressFor('bob')), ['PermissionViolationError'])
})

t.test('a temporary key that the account’s statement names', async (t) => {
  t.strictSame(await hears({ key: 'temporary', token: statement(stage, 'alice', 'temporary') }, addressFor('alice')), ['told'])
  t.strictSame(await hears({ key: 'temporary', token: statement(stage, 'alice', 'temporary') }, addressFor('temporary')), ['PermissionViolationError'])
})

t.test('a statement that does not hold', async (t) => {
  const hour = 3_600
  const now = Math.floor(Date.now() / 1_000)
  const cases: Record<string, Showing> = {
    'another key': { key: 'other', token: statement(stage, 'alice', 'temporary') },
    'signed by another': { key: 'temporary', token: statement(stage, 'alice', 'temporary', {}, 'bob') },
    'of another network': { key: 'temporary', token: statement(stage, 'alice', 'temporary', { network: 'another' }) },
    'of another vault': { key: 'temporary', token: statement(stage, 'alice', 'temporary', { vault: stage.venue.assets[0]!.contract }) },
    'over': { key: 'temporary', token: statement(stage, 'alice', 'temporary', { expires: String(now - 1) }) },
    'for longer than a day': { key: 'temporary', token: statement(stage, 'alice', 'temporary', { expires: String(now + 25 * hour) }) },
    'with another scope': { key: 'temporary', token: statement(stage, 'alice', 'temporary', { scope: 'withdraw' }) },
    'of another action': { key: 'temporary', token: statement(stage, 'alice', 'temporary', { action: 'delegate', market: 'all', until: String(now + hour) }) },
    'with a member more': { key: 'temporary', token: statement(stage, 'alice', 'temporary', { memo: 'x' }) },
    'changed after it was signed': { key: 'temporary', token: statement(stage, 'alice', 'temporary').replace('"session-1"', '"session-2"') },
    'no JSON': { key: 'temporary', token: 'eyJ' },
    'another shape': { key: 'temporary', token: '[]' },
    'signed by the key that it names': { key: 'temporary', token: statement(stage, 'alice', 'temporary', {}, 'temporary') },
  }
  for (const [name, showing] of Object.entries(cases)) t.equal(await refused(showing), VIOLATION, name)
})

t.test('who proves no key is nobody', async (t) => {
  t.equal(await refused({ key: 'mallory', user: addressFor('alice') }), VIOLATION, 'a key that alice has not delegated')
  t.equal(await refused({ key: 'mallory', user: 'darkpool' }), VIOLATION, 'the venue’s own user, with a key')
  t.equal(await refused({ key: 'mallory', user: 'G'.repeat(56) }), VIOLATION)
  const { url } = stage.nats
  for (const options of [{}, { user: 'darkpool', pass: 'guess' }, { user: addressFor('alice') }, { token: statement(stage, 'alice', 'temporary') }]) {
    await t.rejects(connect({ servers: url, reconnect: false, ...options }), { message: VIOLATION })
  }
})

t.test('a signature counts for the nonce of its own connection', async (t) => {
  const greet = async (): Promise<{ nonce: string; say: (line: string) => Promise<string> }> => {
    const socket = dial(stage.nats.port, '127.0.0.1')
    let heard = ''
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
    await until('the server greeted', () => heard.includes('\r\n'))
    const { nonce } = JSON.parse(heard.slice('INFO '.length, heard.indexOf('\r\n'))) as { nonce: string }
    const say = async (line: string): Promise<string> => {
      heard = ''
      socket.write(`${line}\r\nPING\r\n`)
      const closed = once(socket, 'close')
      await until('the server answered', () => heard.includes('\r\n'))
      socket.destroy()
      await closed
      return heard.trim().split('\r\n')[0]!
    }
    return { nonce, say }
  }
  const [sign] = authenticators({ key: 'alice' })
  const [one, other] = [await greet(), await greet()]
  const shown = (nonce: string): string => `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, protocol: 1, ...(sign!(nonce) as object) })}`
  t.match(one.nonce, /^[A-Za-z0-9_-]{15}$/, 'shorter than any digest that Stellar signs, and text')
  t.equal(await one.say(shown(other.nonce)), `-ERR '${VIOLATION}'`)
  t.equal(await other.say(shown(other.nonce)), 'PONG')
})

t.test('an account has so many connections and no more', async (t) => {
  const connections = await Promise.all(Array.from({ length: limits.natsConnectionsPerAccount }, () => connectAs(stage, { key: 'greedy' })))
  t.equal(await refused({ key: 'greedy' }), VIOLATION)
  t.equal(await refused({ key: 'alice' }), 'admitted', 'that is nobody else’s loss')
  await connections[0]!.close()
  await until('a place that became free is given away', async () => (await refused({ key: 'greedy' })) === 'admitted')
  for (const connection of connections) await connection.close()
})

t.test('nothing that a stranger says is in a log', async (t) => {
  t.notMatch(stage.log(), addressFor('alice'))
  t.notMatch(stage.log(), 'mallory')
})
