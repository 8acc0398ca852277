import t from 'tap'
import type { Test } from 'tap'
import { Client } from '../../../src/client/client.ts'
import type { FeedMessage } from '../../../src/protocol/feed.ts'
import { until } from '../../settlement/waiting.ts'
import { call } from '../call.ts'
import { openStage, trader } from '../stage.ts'
import type { Stage } from '../stage.ts'
import { FeedWriter } from './feedWriter.ts'
import { StreamClient } from './streamClient.ts'

// How streams end, and what becomes of those who resume.

const alice = trader('alice')
const once = { quota: 1, window_s: 86_400 }

async function scene(t: Test, ...options: Parameters<typeof openStage>): Promise<{ stage: Stage; writer: FeedWriter; open: (after?: number) => Promise<StreamClient> }> {
  const stage = await openStage(...options)
  const writer = await FeedWriter.open(stage)
  t.teardown(async () => {
    await writer.close()
    await stage.close()
  })
  stage.vault.script = (asked) => ({ answer: asked.kind === 'standing' ? { ok: writer.standing(asked.account) } : { refused: 'order_unknown' } })
  const open = async (after?: number): Promise<StreamClient> => {
    const client = await StreamClient.open(stage.url)
    await client.ask('login', { token: stage.app.issueToken(alice.address as never, 'c') })
    const { status } = await client.ask('subscribe', { channels: ['fills'], ...(after !== undefined && { after }) })
    if (status !== 200) throw new Error(`subscribing was answered with ${status}`)
    return client
  }
  return { stage, writer, open }
}
const numbersOf = (client: StreamClient): number[] => client.updates('fills').map(({ seq }) => seq!)
const upTo = (last: number, from = 1): number[] => Array.from({ length: last - from + 1 }, (_, n) => from + n)

t.test('a slow reader is cut off, keeps what it was sent in order, and resumes', async (t) => {
  const { stage, writer, open } = await scene(t, { streams: { bufferedBytes: 50_000 } })
  const [slow, quick] = [await open(), await open()]
  slow.socket.pause()
  // As much as the two kernels keep in between, and then as much as the gateway does.
  await until('it is cut off', async () => {
    for (let n = 0; n < 2_000; n++) writer.write(alice.address)
    await writer.flush()
    return stage.app.streams.size === 1
  })
  slow.socket.resume()
  await until('it has noticed', () => slow.closed !== null)
  const seen = numbersOf(slow)
  t.strictSame(seen, upTo(seen.length), 'without a gap')
  const last = writer.fed(alice.address)
  t.ok(seen.length < last)
  const again = await open(seen.length)
  await until('it has all', () => numbersOf(again).at(-1) === last)
  t.strictSame(numbersOf(again), upTo(last, seen.length + 1))
  await until('and so has the quick one', () => numbersOf(quick).at(-1) === last)
  t.strictSame(numbersOf(quick), upTo(last), 'whom nothing held up')
  quick.close()
  again.close()
})

t.test('what was published while nats-server was away from the gateway comes, before anything after it', async (t) => {
  const { stage, writer, open } = await scene(t)
  const client = await open()
  const recent: FeedMessage[] = []
  const write = (): void => void recent.push(...Array.from({ length: 20 }, () => writer.write(alice.address)))
  for (let round = 0; round < 3; round++) {
    write()
    await writer.flush()
    await stage.nats.restart()
    // What is published without a connection may be lost: a vault actor would know, and publish again.
    await until('its writer is back', async () => {
      try {
        await writer.flush()
        return true
      } catch {
        return false
      }
    })
    // Whatever the store may have lost is stored again, as a vault actor does; and the gateway may not be back yet.
    for (const message of recent) writer.again(message)
    write()
    await writer.flush()
  }
  await until('everything has come', () => client.closed !== null || numbersOf(client).at(-1) === writer.fed(alice.address))
  t.equal(client.closed, null, 'nobody was cut off')
  t.strictSame(numbersOf(client), upTo(writer.fed(alice.address)))
  client.close()
})

t.test('a gateway that goes says so', async (t) => {
  const { stage, open } = await scene(t)
  const client = await open()
  await stage.app.close()
  t.strictSame(await client.ended(), { code: 1001, reason: 'venue_draining' })
})

t.test('idle, or logged in no longer', async (t) => {
  const { stage } = await scene(t, { streams: { heartbeat_ms: 200, idle_ms: 500 } })
  const [idle, short] = [await StreamClient.open(stage.url), await StreamClient.open(stage.url)]
  const token = stage.app.jwt.sign({ sub: alice.address, jti: 'c' }, { expiresIn: '2s' })
  t.equal((await short.ask('login', { token })).status, 200)
  t.strictSame(await idle.ended(), { code: 4000, reason: 'idle' })
  t.strictSame(await short.ended(), { code: 4001, reason: 'session_ended' })
})

t.test('too many requests are refused, cancels pass, and who does not stop is cut off', async (t) => {
  // The greeting's upgrade and what signing asks for count as well.
  const { stage } = await scene(t, {}, (file) => ({ ...file, gateway: { ...file.gateway, rates: { ...file.gateway.rates, requests: { ...once, quota: 6 } } } }))
  const signer = await Client.open(stage.url, alice)
  const cancel = await signer.signCancel('ab'.repeat(32))
  const client = await StreamClient.open(stage.url)
  let refusedOnce = await client.ask('ping')
  for (let n = 0; n < 6 && refusedOnce.problem === undefined; n++) refusedOnce = await client.ask('ping')
  t.match(refusedOnce, { status: 429, problem: { code: 'rate_exceeded', detail: 'requests' }, retryAfter_s: Number })
  t.match(await client.ask('cancel', cancel), { status: 404, problem: { code: 'order_unknown' } })
  for (let n = 0; n < 256; n++) client.socket.send(JSON.stringify({ id: `${n}`, op: 'ping' }))
  t.strictSame(await client.ended(), { code: 4003, reason: 'rate_exceeded' })
})

t.test('an operator says how many streams an account has, and how far a reader may be behind', async (t) => {
  const { stage, writer, open } = await scene(t, {}, (file) => ({ ...file, gateway: { ...file.gateway, streamsPerAccount: 1, streamBufferedBytes: 65_536 } }))
  const slow = await open()
  const published = await call(stage.url, 'GET', '/api/v1/limits')
  t.match(published.json, { streams: { perAccount: 1, bufferedBytes: 65_536 } })
  const second = await StreamClient.open(stage.url)
  t.match(await second.ask('login', { token: stage.app.issueToken(alice.address as never, 'c') }), { status: 422, problem: { code: 'streams_exceeded' } })
  second.close()
  slow.socket.pause()
  await until('it is cut off', async () => {
    for (let n = 0; n < 500; n++) writer.write(alice.address)
    await writer.flush()
    return stage.app.streams.followed === 0
  })
  slow.socket.resume()
  await slow.ended()
  t.ok(numbersOf(slow).length < writer.fed(alice.address))
})
