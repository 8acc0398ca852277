import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { requestSchemas } from '../../../src/gateway/streams/messages.ts'
import { errorCodes } from '../../../src/protocol/errors.ts'
import { limits } from '../../../src/protocol/limits.ts'
import { until } from '../../settlement/waiting.ts'
import { openStage } from '../stage.ts'
import { StreamClient } from './streamClient.ts'

// Ten thousand inputs that no program means: damaged frames, text that is none, pieces without end, nonsense of every depth, floods, and connections that are left half open.

const stage = await openStage({ streams: { silent_ms: 2_000, idle_ms: 2_000, heartbeat_ms: 500 } })
t.teardown(() => stage.close())
const before = process.memoryUsage().heapUsed
let inputs = 0
const closes = new Map<number, number>()

/** A connection below WebSocket: what is written is written as it is. */
async function raw(): Promise<Socket> {
  const { hostname, port } = new URL(stage.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  socket.write(`GET /api/v1/stream HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${randomBytes(16).toString('base64')}\r\n\r\n`)
  await once(socket, 'data')
  return socket
}

/** Close codes among what the gateway wrote: its frames are whole and not masked. */
function countCloses(heard: Buffer): void {
  for (let at = 0; at + 1 < heard.length; ) {
    const opcode = heard[at]! & 0x0f
    let length = heard[at + 1]! & 0x7f
    let body = at + 2
    if (length === 126) [length, body] = [heard.readUInt16BE(at + 2), at + 4]
    if (opcode === 8 && length >= 2) {
      const code = heard.readUInt16BE(body)
      closes.set(code, (closes.get(code) ?? 0) + 1)
    }
    at = body + length
  }
}

/** A frame as a client writes it, whatever its first two bytes say. */
const frame = (first: number, payload: Buffer, masked = true): Buffer => {
  const head = payload.length < 126 ? Buffer.from([first, (masked ? 0x80 : 0) | payload.length]) : Buffer.from([first, (masked ? 0x80 : 0) | 126, payload.length >> 8, payload.length & 0xff])
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([head, ...(masked ? [Buffer.alloc(4)] : []), payload])
}

const bytes = fc.uint8Array({ maxLength: 200 }).map((some) => Buffer.from(some))
const damaged: fc.Arbitrary<Buffer> = fc.oneof(
  bytes,
  // Reserved bits, unknown opcodes, no mask.
  fc.tuple(fc.nat(255), bytes, fc.boolean()).map(([first, payload, masked]) => frame(first, payload, masked)),
  // Text that is no UTF-8.
  bytes.map((payload) => frame(0x81, Buffer.concat([payload, Buffer.from([0xff])]))),
  // Control frames that are too long, or in pieces.
  fc.constantFrom(0x88, 0x89, 0x8a, 0x08, 0x09).map((first) => frame(first, Buffer.alloc(126))),
  // A length that nobody would send.
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((length) => {
    const head = Buffer.alloc(14)
    head.writeUInt16BE(0x81ff)
    head.writeBigUInt64BE(length, 2)
    return head
  }),
  // Pieces of a message that never ends, and ends of messages that never began.
  fc.integer({ min: 1, max: 100 }).map((count) => Buffer.concat([frame(0x01, Buffer.from('{')), ...Array.from({ length: count }, () => frame(0x00, Buffer.from(' ')))])),
  bytes.map((payload) => frame(0x80, payload)),
  // A close with a code that there is not.
  fc.oneof(fc.nat(999), fc.integer({ min: 5_000, max: 65_535 })).map((code) => frame(0x88, Buffer.from([code >> 8, code & 0xff]))),
)

t.test('damaged frames', async (t) => {
  const sample = fc.sample(damaged, 4_000)
  // Several in one connection: whatever the first leaves standing, the next meets.
  for (let n = 0; n < sample.length; n += 200) {
    await Promise.all(Array.from({ length: 40 }, async (_, k) => {
      const socket = await raw()
      const heard: Buffer[] = []
      socket.on('data', (chunk: Buffer) => heard.push(chunk))
      const part = sample.slice(n + k * 5, n + k * 5 + 5)
      inputs += part.length
      for (const one of part) socket.write(one)
      // Half a connection: its other side is never heard of again, though it stays.
      if (k % 2 === 0) socket.end()
      await until('the gateway ends it', () => socket.destroyed || socket.readyState !== 'open' || stage.app.streams.size === 0)
      countCloses(Buffer.concat(heard))
      socket.destroy()
    }))
  }
  t.equal(closes.get(1011), undefined)
})

const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`
const named = fc.constantFrom(...Object.keys(requestSchemas), 'constructor', '__proto__', 'toString', 'nothing')
const someId = fc.oneof(fc.constant('a'), fc.string(), fc.integer(), fc.constant(null), fc.string({ minLength: 65, maxLength: 200 }))
const member = fc.constantFrom('message', 'signature', 'signer', 'messages', 'channels', 'after', 'markets', 'token', 'cancelOnDisconnect', '__proto__', 'more')
const nonsense: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.json(),
  fc.constantFrom(1, 1_000, 100_000).map(deep),
  fc.constantFrom(1_000, 30_000).map((depth) => `{"id":"a","op":"subscribe","channels":${deep(depth)}}`),
  fc.tuple(someId, named, fc.dictionary(member, fc.jsonValue(), { maxKeys: 4 })).map(([id, op, members]) => JSON.stringify({ id, op, ...members })),
  fc.tuple(named, fc.dictionary(fc.string(), fc.string(), { maxKeys: 30 })).map(([op, message]) => JSON.stringify({ id: 'a', op, message, signature: Buffer.alloc(64).toString('base64') })),
  fc.constant(JSON.stringify({ id: 'a', op: 'place', message: { action: 'order' }, signature: 'A'.repeat(86) + '==' })),
  fc.constantFrom('\ud800', '\u0000', '\ufeff{}').map((text) => JSON.stringify({ id: text, op: 'ping' })),
)

t.test('nonsense', async (t) => {
  const sample = fc.sample(nonsense, 5_000).filter((text) => {
    // What is a request by chance, and asks for nothing that matters, proves nothing.
    try {
      return (JSON.parse(text) as { op?: unknown } | null)?.op !== 'ping'
    } catch {
      return true
    }
  })
  const codes = new Set<string>()
  for (let n = 0; n < sample.length; n += 600) {
    await Promise.all(Array.from({ length: 40 }, async (_, k) => {
      const part = sample.slice(n + k * 15, n + k * 15 + 15)
      if (part.length === 0) return
      const client = await StreamClient.open(stage.url)
      for (const text of part) client.socket.send(text)
      inputs += part.length
      await until('each is answered, or the connection ended', () => client.closed !== null || client.sent.filter(({ type }) => type === 'answer').length === part.length)
      for (const { type, status, problem } of client.sent) {
        if (type !== 'answer') continue
        if (problem !== undefined) codes.add(problem.code)
        if (status === undefined || (status >= 500 && status !== 503)) t.fail(`answered with ${status}`)
      }
      if (client.closed !== null) closes.set(client.closed.code, (closes.get(client.closed.code) ?? 0) + 1)
      client.close()
    }))
  }
  t.ok(codes.size > 2)
  t.strictSame([...codes].filter((code) => !(errorCodes as string[]).includes(code)), [])
})

t.test('floods, and those that never say a word', async (t) => {
  const silent = await Promise.all(Array.from({ length: 200 }, () => raw()))
  for (const socket of silent) socket.pause()
  const large = 'x'.repeat(limits.requestBytes)
  await Promise.all(Array.from({ length: 20 }, async (_, k) => {
    const client = await StreamClient.open(stage.url)
    for (let n = 0; n < 100; n++) {
      // Pings by the hundred, whose pongs nobody reads; requests that are too large; pieces.
      if (k % 4 === 0) client.socket.ping(Buffer.alloc(125))
      else if (k % 4 === 1) client.socket.send(JSON.stringify({ id: 'a', op: 'login', token: large }))
      else if (k % 4 === 2) client.socket.send('x', { fin: false })
      else client.socket.send('{')
      inputs++
    }
    if (k % 4 === 2) t.equal((await client.ended()).code, 1008)
    if (k % 4 === 3) t.equal((await client.ended()).code, 4004)
    client.close()
  }))
  inputs += silent.length
  await until('the silent are ended', () => stage.app.streams.size === 0)
  for (const socket of silent) socket.destroy()
})

t.test('the gateway is as it was', async (t) => {
  t.ok(inputs >= 10_000, `${inputs} inputs`)
  t.strictSame(stage.vault.heard, [], 'nothing reached the venue')
  t.notMatch(stage.log(), /"level":"(error|fatal)"/)
  t.equal(stage.app.streams.followed, 0)
  t.ok(process.memoryUsage().heapUsed < before + 256 * 1024 ** 2)
  // A client's own code comes back to it, so those that are free for programs may.
  t.strictSame([...closes.keys()].filter((code) => ![1000, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 4000, 4004, 4006].includes(code) && !(code >= 3000 && code < 5000)), [], 'every close code is one that is documented')
  const client = await StreamClient.open(stage.url)
  t.equal((await client.ask('ping')).status, 200)
  client.close()
})
