import fc from 'fast-check'
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { call, isProblem, refused } from './call.ts'
import { openStage, trader } from './stage.ts'

const stage = await openStage()
t.teardown(() => stage.close())
const client = await Client.open(stage.url, trader('alice'))
const good = await client.signOrder('XLM-USDC', { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' })
const post = (body: unknown, headers: Record<string, string> = {}) => call(stage.url, 'POST', '/api/v1/orders', body, headers)

t.test('paths and methods', async (t) => {
  refused(t, await call(stage.url, 'GET', '/'), 'route_unknown')
  refused(t, await call(stage.url, 'GET', '/api/v1/order'), 'route_unknown')
  refused(t, await call(stage.url, 'GET', '/api/v1/orders/a/b'), 'route_unknown')
  refused(t, await call(stage.url, 'POST', '/api/v2/orders', good), 'route_unknown')
  const put = await call(stage.url, 'PUT', '/api/v1/orders?x=1', good)
  refused(t, put, 'method_not_allowed')
  t.equal(put.headers.get('allow'), 'DELETE, GET, HEAD, POST')
  refused(t, await call(stage.url, 'PATCH', `/api/v1/orders/${'ab'.repeat(32)}`, good), 'method_not_allowed')
  refused(t, await call(stage.url, 'QUERY', '/api/v1/markets'), 'method_not_allowed', 'also a method that wants a body')
  refused(t, await call(stage.url, 'POST', '/nothing', 'x', { 'content-type': 'text/plain' }), 'route_unknown', 'whatever else is wrong with it')
  const batch = await call(stage.url, 'PUT', '/api/v1/orders/batch', good)
  refused(t, batch, 'method_not_allowed', 'a path that is written out is not one with a parameter')
  t.equal(batch.headers.get('allow'), 'DELETE, POST')
  refused(t, await call(stage.url, 'GET', '/api/v1/orders/%'), 'request_malformed', 'a URL that cannot be decoded')
  refused(t, await call(stage.url, 'GET', `/api/v1/orderbook/${'A'.repeat(500)}`), 'request_malformed', 'a parameter without an end')
})

t.test('bodies', async (t) => {
  refused(t, await post('{"message":'), 'request_malformed', 'half a JSON text')
  refused(t, await post(''), 'request_malformed', 'nothing')
  refused(t, await post('{"__proto__":{"x":1},"message":{},"signature":""}'), 'request_malformed', 'a poisoned prototype')
  refused(t, await post(good, { 'content-type': 'text/plain' }), 'media_type_unsupported')
  refused(t, await post(JSON.stringify(good), { 'content-type': 'application/x-www-form-urlencoded' }), 'media_type_unsupported')
  refused(t, await post({ ...good, filler: 'x'.repeat(20_000) }), 'request_too_large')
  refused(t, await post([]), 'request_malformed')
  refused(t, await post({ ...good, colour: 'red' }), 'request_malformed', 'an unknown member')
  refused(t, await post({ ...good, signature: good.signature.slice(2) }), 'request_malformed', 'a short signature')
  refused(t, await post({ ...good, signer: 'GABC' }), 'request_malformed', 'a signer that is no key')
  refused(t, await post({ ...good, message: { ...good.message, price: 0.12 } }), 'request_malformed', 'a number is not turned into a string')
  refused(t, await post({ ...good, message: { ...good.message, price: null } }), 'request_malformed')
  refused(t, await post({ ...good, message: { ...good.message, side: { toString: 'buy' } } }), 'request_malformed')
  t.match((await post({ ...good, signature: '' })).json, { detail: 'body/signature' }, 'the member at fault is named')
  t.strictSame(stage.vault.heard, [])
})

t.test('what is not HTTP gets an answer of the same form', async (t) => {
  const { hostname, port } = new URL(stage.url)
  const speak = async (text: string): Promise<string> => {
    const socket = connect(Number(port), hostname)
    let heard = ''
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
    socket.write(text)
    await once(socket, 'close')
    return heard
  }
  const nonsense = await speak('HELLO\r\n\r\n')
  t.match(nonsense, /^HTTP\/1\.1 400 /)
  t.match(JSON.parse(nonsense.split('\r\n\r\n')[1]!), { code: 'request_malformed', status: 400 })
  const flood = await speak(`GET /health HTTP/1.1\r\nhost: x\r\n${'x-filler: '.padEnd(20_000, 'y')}\r\n\r\n`)
  t.match(JSON.parse(flood.split('\r\n\r\n')[1]!), { code: 'request_too_large', status: 413 })
})

t.test('requests behind each other on one connection are answered in order', async (t) => {
  const { hostname, port } = new URL(stage.url)
  const socket = connect(Number(port), hostname)
  const body = JSON.stringify(good)
  const head = (method: string, path: string) => `${method} ${path} HTTP/1.1\r\nhost: x\r\n`
  socket.write(
    `${head('POST', '/api/v1/orders')}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}` +
      `${head('GET', '/health')}\r\n` +
      `${head('GET', '/nowhere')}connection: close\r\n\r\n`,
  )
  let heard = ''
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
  await once(socket, 'close')
  t.strictSame([...heard.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status), ['201', '200', '404'])
})

t.test('hostile bodies: refused in the documented form, never a failure', async (t) => {
  const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 140 }), fc.string({ unit: 'binary', maxLength: 20 }), fc.constantFrom('0', '-1', '1e9', 'NaN', '__proto__', 'constructor'))
  const mutated = fc.tuple(fc.constantFrom(...Object.keys(good.message)), fc.oneof(text, fc.jsonValue())).map(([name, value]) => ({ ...good, message: { ...good.message, [name]: value } }))
  const renamed = fc.tuple(text, text).map(([name, value]) => ({ ...good, message: { ...good.message, [name]: value } }))
  const envelope = fc.tuple(fc.constantFrom('message', 'signature', 'signer', 'extra'), fc.oneof(text, fc.jsonValue())).map(([name, value]) => ({ ...good, [name]: value }))
  const dropped = fc.constantFrom(...Object.keys(good.message)).map((name) => ({ ...good, message: Object.fromEntries(Object.entries(good.message).filter(([kept]) => kept !== name)) }))
  const path = fc.constantFrom(['POST', '/api/v1/orders'], ['POST', '/api/v1/withdrawals'], ['DELETE', `/api/v1/orders/${'ab'.repeat(32)}`], ['PUT', `/api/v1/orders/${'ab'.repeat(32)}`], ['DELETE', '/api/v1/orders'], ['POST', '/auth'])
  await fc.assert(
    fc.asyncProperty(path, fc.oneof(mutated, renamed, envelope, dropped, fc.jsonValue(), fc.string()), async ([method, route], body) => {
      if (JSON.stringify(body) === JSON.stringify(good)) return true
      const called = await call(stage.url, method, route, body)
      return called.status < 500 && (isProblem(called) || called.status === 201)
    }),
    { numRuns: 600 },
  )
  t.ok(stage.vault.heard.every((asked) => 'id' in asked && asked.kind === 'place'), 'only the good order, unchanged, passed')
  t.strictSame([...new Set(stage.vault.heard.map((asked) => ('signer' in asked ? asked.signer : '')))], [good.message.account])
  t.notMatch(stage.log(), /error|fatal/)
})
