import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { exchange } from '../../src/client/exchange.ts'
import { fetchTransport } from '../../src/client/transport.ts'

async function serve(t: Test, answer: (socket: Socket) => void): Promise<string> {
  const server: Server = createServer()
  server.on('connection', answer)
  server.removeAllListeners('request')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
const saying = (status: number, body: string) => (socket: Socket) => {
  socket.on('error', () => undefined)
  socket.once('data', () => socket.end(`HTTP/1.1 ${status} X\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`))
}
const ask = (url: string) => exchange(fetchTransport, url, { method: 'POST', path: '/api/v1/orders', body: {} }, AbortSignal.timeout(60_000))

t.test('nobody there: never sent', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  await t.rejects(ask(`http://127.0.0.1:${port}`), { name: 'NeverSent' })
  await t.rejects(ask('http://no-such-host.invalid'), { name: 'NeverSent', passing: false }, 'and no such name is not for want of patience')
})

t.test('cut off before an answer: nobody knows', async (t) => {
  await t.rejects(ask(await serve(t, (socket) => socket.once('data', () => socket.destroy()))), { name: 'OutcomeUnknown' })
  await t.rejects(ask(await serve(t, saying(200, '{"id":'))), { name: 'OutcomeUnknown' })
  await t.rejects(ask(await serve(t, saying(502, '<html>bad gateway</html>'))), { name: 'OutcomeUnknown' }, 'something between that is no gateway')
  await t.rejects(ask(await serve(t, saying(418, '{"code":"teapot"}'))), { name: 'OutcomeUnknown' }, 'a code that this client does not know')
  for (const text of ['null', '"welcome"', '[]', '7']) await t.rejects(ask(await serve(t, saying(200, text))), { name: 'OutcomeUnknown' }, 'JSON, and no answer')
  const moved = (socket: Socket) => socket.once('data', () => socket.end('HTTP/1.1 307 X\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n'))
  await t.rejects(ask(await serve(t, moved)), { name: 'OutcomeUnknown' }, 'and nothing signed follows where a stranger points')
})

t.test('an answer without an end is not read to it', async (t) => {
  const endless = (socket: Socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 X\r\n\r\n')
      const more = (): void => {
        while (!socket.destroyed && socket.write('x'.repeat(65_536)));
      }
      socket.on('drain', more)
      more()
    })
  }
  await t.rejects(ask(await serve(t, endless)), { name: 'OutcomeUnknown', cause: { message: 'the answer has no end' } })
})

t.test('a problem is a refusal with its code, unless it says that it does not know', async (t) => {
  const problem = (code: string, status: number): string => JSON.stringify({ type: 'x', title: 'No.', status, code, detail: 'price', requestId: 'r1' })
  await t.rejects(ask(await serve(t, saying(422, problem('price_off_tick', 422)))), { name: 'Refused', code: 'price_off_tick', status: 422, detail: 'price', requestId: 'r1', message: 'No. (price)' })
  await t.rejects(ask(await serve(t, saying(503, problem('venue_overloaded', 503)))), { name: 'Refused', code: 'venue_overloaded' })
  await t.rejects(ask(await serve(t, saying(504, problem('outcome_unknown', 504)))), { name: 'OutcomeUnknown' })
  await t.rejects(ask(await serve(t, saying(500, problem('internal_error', 500)))), { name: 'OutcomeUnknown' })
})

t.test('an answer is what the gateway said', async (t) => {
  t.strictSame(await ask(await serve(t, saying(201, '{"id":"x"}'))), { id: 'x' })
})
