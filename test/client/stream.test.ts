import fc from 'fast-check'
import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { StreamPlaces } from '../../src/client/streamPlaces.ts'
import type { StreamMessage } from '../../src/client/views/stream.ts'
import type { Script } from '../gateway/fakeVault.ts'
import { openStage, trader } from '../gateway/stage.ts'
import { FeedWriter } from '../gateway/streams/feedWriter.ts'
import { purge } from '../gateway/streams/purge.ts'
import { CuttingLine } from './cuttingLine.ts'

// Streams as a program reads them, over a line that is cut anywhere, from a gateway with a real feed.

t.setTimeout(280_000)
const stage = await openStage({ streams: { heartbeat_ms: 500 } })
const writer = await FeedWriter.open(stage)
const line = await CuttingLine.open(stage.url)
t.teardown(async () => {
  await line.close()
  await writer.close()
  await stage.close()
})
const standing: Script = (asked) => ({ answer: asked.kind === 'standing' ? { ok: writer.standing(asked.account, []) } : { refused: 'internal_error' } })
stage.vault.script = standing
/** Calls go straight, streams over the line that is cut. */
const open = (name: string) => Client.open(stage.url, trader(name))
const openSocket = (url: string) => new WebSocket(url.replace(/:\d+\//, `:${new URL(line.url).port}/`)) as never
const seqOf = (message: StreamMessage): number => ('seq' in message ? message.seq : 0)

t.test('every message once and in order, however often the line is cut', async (t) => {
  const alice = trader('alice').address
  const client = await open('alice')
  const heard: number[] = []
  let snapshots = 0
  const total = 400
  line.lengths.push(300, 2_000, 700, 5_000, 1_500, 9_000, 3_000, 400, 20_000)
  let written = 0
  for await (const message of client.stream({ channels: ['orders', 'fills', 'settlement', 'balances'], openSocket })) {
    if (message.type === 'snapshot') snapshots++
    if (message.type === 'update' && (message.channel === 'fills' || message.channel === 'settlement')) {
      heard.push(message.seq)
      if (message.seq === total) break
    }
    if (written === 0 && snapshots > 0) for (; written < total; written++) writer.write(alice, written % 3 === 0 ? 'settled' : 'fill')
    if (heard.length % 50 === 49) line.cut()
  }
  t.same(heard, Array.from({ length: total }, (_, n) => n + 1))
  t.ok(line.connections >= 5, `${line.connections} connections`)
})

t.test('a reader that is slower than its buffer misses nothing; one that kept its place goes on there', async (t) => {
  const bob = trader('bob').address
  for (let n = 0; n < 300; n++) writer.write(bob)
  await writer.flush()
  const client = await open('bob')
  const before = line.connections
  const heard: number[] = []
  for await (const message of client.stream({ channels: ['fills'], after: 100, buffer: 20, openSocket })) {
    heard.push(seqOf(message))
    if (seqOf(message) === 300) break
  }
  t.same(heard, Array.from({ length: 200 }, (_, n) => n + 101))
  t.ok(line.connections - before > 1, 'the connection was given up and taken up again')
})

t.test('what is no longer kept is said to be lost, and goes on from what is', async (t) => {
  const carol = trader('carol').address
  for (let n = 0; n < 20; n++) writer.write(carol)
  await writer.flush()
  await purge(stage, carol)
  writer.write(carol)
  await writer.flush()
  const heard: StreamMessage[] = []
  for await (const message of (await open('carol')).stream({ channels: ['orders', 'fills'], after: 5, openSocket })) {
    heard.push(message)
    if (message.type === 'snapshot') writer.write(carol)
    if (message.type === 'update') break
  }
  t.match(heard, [
    { type: 'lost', channels: ['orders', 'fills'], after: 5 },
    { type: 'snapshot', channel: 'orders', seq: 21, data: [] },
    { type: 'update', channel: 'fills', seq: 22 },
  ])
})

t.test('the signal ends it, whatever it waits for; a refusal that stays is thrown', async (t) => {
  const client = await open('alice')
  const ending = new AbortController()
  for await (const message of client.stream({ channels: ['market'], signal: ending.signal, openSocket })) {
    t.match(message, { type: 'snapshot', channel: 'market' })
    ending.abort()
  }
  t.match(await client.stream({ channels: ['fills'], signal: AbortSignal.abort() }).next(), { done: true })
  await t.rejects(client.stream({ channels: ['market'], markets: ['NO-SUCH'], openSocket }).next(), { name: 'Refused', code: 'market_unknown' })
})

t.test('places: whatever is repeated or left out, nothing is given twice, out of order, or after a gap', async () => {
  fc.assert(
    fc.property(fc.array(fc.record({ step: fc.integer({ min: -4, max: 3 }), honest: fc.boolean() }), { maxLength: 40 }), (steps) => {
      const places = new StreamPlaces(['fills'], 10)
      const given: number[] = []
      for (const { step, honest } of steps) {
        const last = given.at(-1) ?? 10
        const seq = last + step
        // `prev` is what the gateway sent before; where it lies beyond what was had, something was lost.
        const prev = honest ? Math.min(last, seq - 1) : seq - 1
        try {
          if (places.take({ type: 'update', channel: 'fills', seq, prev, data: {} }) !== null) given.push(seq)
        } catch {
          if (prev <= last) throw new Error('nothing was missing')
          continue
        }
        if (given.at(-1) === seq && seq > last && prev > last) throw new Error('given over a gap')
      }
      if (given.some((seq, at) => seq <= (given[at - 1] ?? 10))) throw new Error('twice, or out of order')
    }),
  )
})
