import { connect } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { messageId } from '../../src/protocol/messages/messageId.ts'
import type { PlaceOrder } from '../../src/protocol/vault.ts'
import { until } from '../settlement/waiting.ts'
import { call } from './call.ts'
import { marketName, resting } from './fakeVault.ts'
import { openStage, trader } from './stage.ts'

// Ten thousand connections that bring what no program should: damaged requests, half ones, floods of headers, bodies that are no text and no JSON, all over real sockets.

const INPUTS = 10_000
const AT_A_TIME = 32
const SILENCE_ms = 5_000

t.setTimeout(240_000)
const stage = await openStage()
t.teardown(() => stage.close())
stage.vault.script = (asked) => resting(asked as PlaceOrder)
const client = await Client.open(stage.url, trader('alice'))
const signed = await client.signOrder(marketName, { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' })
const good = JSON.stringify(signed)
const { hostname, port } = new URL(stage.url)

const head = (method: string, path: string, headers: readonly string[]): string => [`${method} ${path} HTTP/1.1`, 'host: x', 'connection: close', ...headers, '', ''].join('\r\n')
const posted = (body: Buffer, ...headers: string[]): Buffer => Buffer.concat([Buffer.from(head('POST', '/api/v1/orders', ['content-type: application/json', `content-length: ${body.length}`, ...headers])), body])
const whole = posted(Buffer.from(good))
const token = fc.stringMatching(/^[A-Za-z-]{1,20}$/)
const anyBytes = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))

/** A request that was good, with some bytes changed, left out or put in. */
const damaged = fc.array(fc.record({ at: fc.nat(whole.length - 1), value: fc.nat(255), how: fc.constantFrom('change', 'leave', 'put') }), { minLength: 1, maxLength: 6 }).map((changes) => {
  let bytes = whole
  for (const { at, value, how } of changes) bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(how === 'leave' ? [] : [value]), bytes.subarray(how === 'put' ? at : at + 1)])
  return bytes
})
/** The envelope with members that are doubled, of other types, deep, or not text. */
const odd = fc.oneof(
  fc.json().map((json) => `{"message":${json},"signature":"${signed.signature}"}`),
  fc.json().map((json) => `${good.slice(0, -1)},"signer":${json}}`),
  fc.jsonValue().map((value) => JSON.stringify({ ...signed, message: { ...signed.message, quantity: value } })),
  fc.nat(3_000).map((depth) => `{"message":${'['.repeat(depth)}${']'.repeat(depth)}}`),
  fc.constantFrom('__proto__', 'constructor', 'toString').map((name) => `{"${name}":{"x":1},${good.slice(1)}`),
  fc.constant(`${good.slice(0, -1)},"signature":"${'A'.repeat(86)}=="}`),
  fc.constant(good.replace('"quantity":"10"', '"quantity":"10","quantity":"99"')),
)
const input = fc.oneof(
  { weight: 4, arbitrary: damaged },
  { weight: 3, arbitrary: odd.map((text) => posted(Buffer.from(text))) },
  { weight: 1, arbitrary: anyBytes },
  { weight: 1, arbitrary: anyBytes.map((bytes) => posted(bytes)) },
  { weight: 1, arbitrary: fc.nat(whole.length).map((length) => whole.subarray(0, length)) },
  { weight: 1, arbitrary: fc.tuple(token, fc.webPath(), fc.array(fc.tuple(token, fc.string({ maxLength: 30 })), { maxLength: 200 })).map(([method, path, headers]) => Buffer.from(head(method, path || '/', headers.map(([name, value]) => `${name}: ${value}`)))) },
  { weight: 1, arbitrary: fc.constantFrom('content-length: 99999999999999999999', 'content-length: -1', 'transfer-encoding: chunked', 'content-length: 5', 'content-encoding: gzip', 'expect: 100-continue', 'upgrade: websocket').map((header) => posted(Buffer.from(good), header)) },
)

/** Everything that comes back until the server closes, having said all that we say and no more. */
function converse(bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let heard = ''
    const silence = setTimeout(() => reject(new Error(`no end after ${SILENCE_ms} ms: ${bytes.toString('hex')}`)), SILENCE_ms)
    const finish = (): void => {
      clearTimeout(silence)
      socket.destroy()
      resolve(heard)
    }
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')))
    socket.on('close', finish)
    // A connection that is cut because of what came on it is an answer too.
    socket.on('error', finish)
    socket.end(bytes)
  })
}

t.test(`${INPUTS} hostile connections: no failure, nothing accepted but what was signed, and the gateway serves on`, async (t) => {
  const inputs = fc.sample(input, { numRuns: INPUTS, seed: 20_261_124 })
  const statuses = new Map<number, number>()
  let next = 0
  const worker = async (): Promise<void> => {
    for (let n = next++; n < inputs.length; n = next++) {
      const bytes = inputs[n]!
      for (const [, text] of (await converse(bytes)).matchAll(/^HTTP\/1\.1 (\d{3}) /gm)) {
        const status = Number(text)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        if (status >= 500) t.fail(`${status} for ${bytes.toString('hex')}`)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, worker))
  t.comment([...statuses].sort().map(([status, count]) => `${status}: ${count}`).join(', '))
  t.ok((statuses.get(400) ?? 0) > 1_000)
  // A byte that was changed in a header may leave the order as it was signed; then it is that order, and no other.
  const id = messageId(signed.message)
  const strangers = stage.vault.heard.filter((asked) => (asked as unknown as PlaceOrder).id !== id)
  t.same(strangers, [])
  // A connection can be gone before the request that came on it is answered; then it is answered to nobody, and leaves.
  await until('every request leaves', () => stage.gateway.admission.inFlight === 0)
  t.equal((await call(stage.url, 'GET', '/health')).status, 200)
  t.equal((await call(stage.url, 'POST', '/api/v1/orders', signed)).status < 300, true)
})
