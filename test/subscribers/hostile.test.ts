import { connect as dial } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { orderMessage, signRequest } from '../../src/client/messages.ts'
import { VenueReader } from '../../src/client/venueReader.ts'
import { operationsOf } from '../../src/protocol/nats.ts'
import type { OperationAnswer } from '../../src/protocol/nats.ts'
import { messageId } from '../../src/protocol/messages/messageId.ts'
import { marketName, resting } from '../gateway/fakeVault.ts'
import { trader } from '../gateway/stage.ts'
import { addressFor, authenticators, connectAs, openSubscriberStage, statement } from './stage.ts'

// Ten thousand things that no program should send: damaged requests by one who was let in, damaged bytes and damaged proofs by those who were not.

const REQUESTS = 8_000
const STRANGERS = 2_000
const AT_A_TIME = 32
const SILENCE_ms = 10_000

t.setTimeout(280_000)
const stage = await openSubscriberStage()
t.teardown(() => stage.close())
// As a vault would that knows nothing of her: reads find nothing, and what she asks for is refused.
stage.vault.script = (asked) => {
  if (asked.kind === 'place') return resting(asked)
  if (asked.kind === 'balances' || asked.kind === 'orders') return { answer: { ok: [] } }
  return { answer: { refused: asked.kind === 'cancel' || asked.kind === 'amend' ? 'order_unknown' : 'account_unknown' } }
}
const view = await new VenueReader(stage.url).markets()
const market = view.markets.find(({ name }) => name === marketName)!
const alice = addressFor('alice')
const validity = { expires: Math.floor(Date.now() / 1_000) + 3_600 }
const named = { name: market.name, base: market.base.contract, quote: market.quote.contract }
const signed = await signRequest(orderMessage({ network: view.network, vault: view.vault, account: alice }, named, { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' }, validity), trader('alice'))
const good = JSON.stringify(signed)

async function inParallel<Input>(inputs: readonly Input[], send: (input: Input) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    for (let n = next++; n < inputs.length; n = next++) await send(inputs[n]!)
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, worker))
}

/** What was good, with some bytes changed, left out or put in. */
const damaged = (whole: Buffer): fc.Arbitrary<Buffer> =>
  fc.array(fc.record({ at: fc.nat(whole.length - 1), value: fc.nat(255), how: fc.constantFrom('change', 'leave', 'put') }), { minLength: 1, maxLength: 6 }).map((changes) => {
    let bytes = whole
    for (const { at, value, how } of changes) bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(how === 'leave' ? [] : [value]), bytes.subarray(how === 'put' ? at : at + 1)])
    return bytes
  })

const odd = fc.oneof(
  fc.json(),
  fc.json().map((json) => `{"message":${json},"signature":"${signed.signature}"}`),
  fc.json().map((json) => `{"messages":${json}}`),
  fc.array(fc.constantFrom(good, 'null', '{}', good.replace('"10"', '"99"')), { maxLength: 110 }).map((items) => `{"messages":[${items.join(',')}]}`),
  fc.json().map((json) => `{"after":${json}}`),
  fc.jsonValue().map((value) => JSON.stringify({ ...signed, message: { ...signed.message, action: value } })),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'withdraw', 'delegate').map((action) => JSON.stringify({ ...signed, message: { ...signed.message, action } })),
  fc.nat(3_000).map((depth) => `{"message":${'['.repeat(depth)}${']'.repeat(depth)}}`),
  fc.constantFrom('__proto__', 'constructor', 'messages').map((name) => `{"${name}":{"x":1},${good.slice(1)}`),
  fc.constant(good.replace('"quantity":"10"', '"quantity":"10","quantity":"99"')),
)
const request = fc.record({
  operation: fc.constantFrom(...operationsOf('trade')),
  data: fc.oneof({ weight: 3, arbitrary: damaged(Buffer.from(good)) }, { weight: 3, arbitrary: odd.map((text) => Buffer.from(text)) }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) }),
})

t.test(`${REQUESTS} damaged requests: each is refused in the venue’s words, none fails, nothing is accepted but what was signed`, async (t) => {
  const connection = await connectAs(stage, { key: 'alice' })
  t.teardown(() => connection.close())
  const statuses = new Map<number, number>()
  await inParallel(fc.sample(request, { numRuns: REQUESTS, seed: 20_261_128 }), async ({ operation, data }) => {
    const answer = (await connection.request(stage.venue.subjects.traderRequest(alice, alice, operation), data, { timeout: SILENCE_ms })).json<OperationAnswer>()
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
    // There is no feed stream on this stage: a good replay finds nobody to read from.
    const unread = operation === 'replay' && (answer.body as { code?: string }).code === 'history_unavailable'
    if (answer.status >= 500 && !unread) t.fail(`${answer.status} for ${operation} ${data.toString('hex')}`)
  })
  t.comment([...statuses].sort().map(([status, count]) => `${status}: ${count}`).join(', '))
  t.ok((statuses.get(400) ?? 0) > 1_000)
  const id = messageId(signed.message)
  t.same(stage.vault.heard.filter((asked) => asked.kind === 'place' && asked.id !== id), [])
})

/** Says all of it to the server's port; resolves with what came back until the server closed, or the connection was quiet. */
function converse(bytes: (nonce: string) => Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = dial(stage.nats.port, '127.0.0.1')
    let heard = ''
    let said = false
    const finish = (): void => {
      clearTimeout(silence)
      socket.destroy()
      resolve(heard)
    }
    const silence = setTimeout(finish, SILENCE_ms)
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1')
      if (said || !heard.includes('\r\n')) return
      said = true
      const nonce = /"nonce":"([^"]+)"/.exec(heard)?.[1] ?? ''
      heard = ''
      socket.end(bytes(nonce))
    })
    socket.on('close', finish)
    socket.on('error', finish)
  })
}

/** A proof as it should be, or nearly, and a request behind it. */
function opening(nonce: string, change: Readonly<Record<string, unknown>>): Buffer {
  const [sign] = authenticators({ key: 'mallory' })
  const shown = { verbose: false, pedantic: false, protocol: 1, headers: true, no_responders: true, lang: 'x', version: '1', ...(sign!(nonce) as object), ...change }
  return Buffer.from(`CONNECT ${JSON.stringify(shown)}\r\nSUB ${stage.venue.subjects.feed(alice)} 1\r\nPING\r\n`)
}
const proof = fc.record(
  {
    nkey: fc.oneof(fc.string(), fc.constantFrom('', 'U'.repeat(56), alice, 7, null, {})),
    sig: fc.oneof(fc.base64String(), fc.constantFrom('', 'A'.repeat(86), 7, [], null)),
    user: fc.oneof(fc.string(), fc.constantFrom('darkpool', alice, stage.venue.file.vault.contract, 7, {})),
    pass: fc.string(),
    auth_token: fc.oneof(fc.json(), fc.string(), fc.constantFrom(statement(stage, 'alice', 'temporary'), statement(stage, 'alice', 'mallory', {}, 'mallory'), '[]', 'null', 'x'.repeat(3_000))),
    jwt: fc.oneof(fc.string(), fc.constantFrom('eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.e30.', 'a.b.c')),
  },
  { requiredKeys: [] },
)
const stranger = fc.oneof(
  { weight: 4, arbitrary: proof.map((change) => (nonce: string) => opening(nonce, change)) },
  { weight: 3, arbitrary: damaged(opening('x'.repeat(15), {})).map((bytes) => () => bytes) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }).map((bytes) => () => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constantFrom('PUB x 99999999999\r\n', 'HPUB x 1 0\r\n', 'MSG a 1 5\r\nhello\r\n', 'RS+ x\r\n', 'LS+ x\r\n', `SUB ${'x'.repeat(5_000)} 1\r\n`, 'INFO {}\r\n', 'CONNECT {"a":\r\n').map((line) => () => Buffer.from(line)) },
)

t.test(`${STRANGERS} strangers who prove nothing, or nothing that is theirs: nobody hears alice’s feed`, async (t) => {
  let forbidden = 0
  await inParallel(fc.sample(stranger, { numRuns: STRANGERS, seed: 20_261_129 }), async (bytes) => {
    const heard = await converse(bytes)
    stage.venueLink.publish(stage.venue.subjects.feed(alice), 'for alice')
    if (heard.includes('for alice')) t.fail('a stranger heard')
    if (heard.includes('-ERR')) forbidden++
  })
  t.ok(forbidden > STRANGERS / 4, `${forbidden} were told`)
})

t.test('and the venue serves on', async (t) => {
  const connection = await connectAs(stage, { key: 'alice' })
  t.teardown(() => connection.close())
  const answer = (await connection.request(stage.venue.subjects.traderRequest(alice, alice, 'orders'), good, { timeout: SILENCE_ms })).json<OperationAnswer>()
  t.equal(answer.status, 201)
  t.notMatch(stage.log(), '"level":"error"')
  t.notMatch(stage.log(), '"level":"fatal"')
})
