import { connect } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import t from 'tap'
import { readFeed } from '../../src/client/feed.ts'
import { keyAccess } from '../../src/client/natsAccess.ts'
import type { NatsAccess } from '../../src/client/natsAccess.ts'
import { FeedWriter } from '../gateway/streams/feedWriter.ts'
import { startProxy } from '../nats/proxy.ts'
import { until } from '../settlement/waiting.ts'
import { keypairFor, openSubscriberStage } from './stage.ts'

// Two hundred subscribers of forty accounts, each with its account's own key, over lines that are cut over and over while their accounts trade: every fill reaches every one of
// them once and in order, nobody else's reaches any.

const ACCOUNTS = 40
const EACH = 5
const LINES = 10
const ROUNDS = 30

t.setTimeout(240_000)
const stage = await openSubscriberStage()
const writer = await FeedWriter.open(stage)
const lines = await Promise.all(Array.from({ length: LINES }, () => startProxy(stage.nats.port)))
t.teardown(async () => {
  await Promise.all(lines.map((line) => line.stop()))
  await writer.close()
  await stage.close()
})
const accesses = Array.from({ length: ACCOUNTS }, (_, n) => keyAccess(keypairFor(`trader ${n}`).secret()))

/** A program that reads its account's feed for as long as it runs. */
class Subscriber {
  readonly seen: number[] = []
  reconnections = 0
  readonly #connection: NatsConnection
  readonly #end = new AbortController()
  readonly #done: Promise<void>

  private constructor(connection: NatsConnection, access: NatsAccess) {
    this.#connection = connection
    this.#done = this.#read(access)
    void this.#count()
  }

  static async open(url: string, access: NatsAccess): Promise<Subscriber> {
    return new Subscriber(await connect({ servers: url, timeout: 20_000, ...access.options }), access)
  }

  /** @throws what ended it before its time */
  async close(): Promise<void> {
    this.#end.abort()
    await this.#done
    await this.#connection.close()
  }

  async #read(access: NatsAccess): Promise<void> {
    for await (const { seq, account, type } of readFeed(this.#connection, 'local', access, { after: 0, signal: this.#end.signal })) {
      if (account !== access.account || type !== 'fill') throw new Error('that is nothing of its own')
      this.seen.push(seq)
    }
  }

  async #count(): Promise<void> {
    for await (const { type } of this.#connection.status()) if (type === 'reconnect') this.reconnections++
  }
}

t.test('once and in order', async (t) => {
  const subscribers: Subscriber[] = []
  // Subscribers of one account are on as many lines.
  for (const access of accesses) subscribers.push(...(await Promise.all(Array.from({ length: EACH }, (_, n) => Subscriber.open(lines[(subscribers.length + n) % LINES]!.url, access)))))
  t.equal(subscribers.length, ACCOUNTS * EACH)
  const writeAll = async (): Promise<void> => {
    for (const { account } of accesses) writer.write(account)
    await writer.flush()
  }
  for (let round = 0; round < ROUNDS; round++) {
    await writeAll()
    const cut = subscribers.filter((_, n) => n % LINES === round % LINES)
    const before = cut.map(({ reconnections }) => reconnections)
    lines[round % LINES]!.cut()
    // Some of this comes while they are away.
    await writeAll()
    await until('everybody on that line is back', () => cut.every(({ reconnections }, n) => reconnections > before[n]!))
  }
  await until('everybody has seen everything', () => subscribers.every(({ seen }) => seen.length >= 2 * ROUNDS))
  for (const one of subscribers) await one.close()
  const whole = JSON.stringify(Array.from({ length: 2 * ROUNDS }, (_, n) => n + 1))
  t.equal(subscribers.filter(({ seen }) => JSON.stringify(seen) !== whole).length, 0)
  t.ok(subscribers.every(({ reconnections }) => reconnections >= ROUNDS / LINES), 'each was cut several times')
  t.notMatch(stage.log(), /"level":"error"/)
})
