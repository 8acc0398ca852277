import t from 'tap'
import { until } from '../../settlement/waiting.ts'
import { openStage, trader } from '../stage.ts'
import { FeedWriter } from './feedWriter.ts'
import { StreamClient } from './streamClient.ts'

// A thousand subscribers of forty accounts, whose connections are cut over and over while their accounts trade: every fill reaches every one of them once and in order.

const ACCOUNTS = 40
const EACH = 25
const ROUNDS = 30
const CUT_EACH_ROUND = 40

const stage = await openStage()
const writer = await FeedWriter.open(stage)
t.teardown(async () => {
  await writer.close()
  await stage.close()
})
stage.vault.script = (asked) => ({ answer: asked.kind === 'standing' ? { ok: writer.standing(asked.account) } : { refused: 'internal_error' } })
const accounts = Array.from({ length: ACCOUNTS }, (_, n) => trader(`trader ${n}`).address)

/** A program that connects again whenever it is cut, and resumes where it was. */
class Subscriber {
  readonly account: string
  readonly seen: number[] = []
  #client: StreamClient | undefined
  #connecting: Promise<void> | undefined

  constructor(account: string) {
    this.account = account
  }

  get last(): number {
    return this.seen.at(-1) ?? 0
  }

  connect(): Promise<void> {
    return (this.#connecting ??= this.#connect().finally(() => (this.#connecting = undefined)))
  }

  async cut(): Promise<void> {
    await this.#connecting
    this.#client!.close()
    await this.connect()
  }

  close(): void {
    this.#client?.close()
  }

  async #connect(): Promise<void> {
    const client = await StreamClient.open(stage.url)
    this.#client = client
    client.socket.on('message', (data: Buffer) => {
      // What an old connection still had in its pockets was not seen: the new one brings it again.
      if (this.#client !== client) return
      const { type, channel, seq, prev } = JSON.parse(data.toString()) as { type: string; channel: string; seq: number; prev: number }
      if (type !== 'update' || channel !== 'fills') return
      if (prev !== this.last) throw new Error(`${seq} says that ${prev} came before it, and not ${this.last}`)
      this.seen.push(seq)
    })
    client.socket.send(JSON.stringify({ id: 'l', op: 'login', token: stage.app.issueToken(this.account as never, 'c') }))
    client.socket.send(JSON.stringify({ id: 's', op: 'subscribe', channels: ['fills'], after: this.last }))
    const { status } = await client.until('an answer', ({ id }) => id === 's')
    if (status !== 200) throw new Error(`subscribing was answered with ${status}`)
  }
}

t.test('once and in order', async (t) => {
  const subscribers = accounts.flatMap((account) => Array.from({ length: EACH }, () => new Subscriber(account)))
  for (let n = 0; n < subscribers.length; n += 50) await Promise.all(subscribers.slice(n, n + 50).map((one) => one.connect()))
  t.equal(stage.app.streams.size, subscribers.length)
  t.equal(stage.app.streams.followed, ACCOUNTS, 'one subscription on NATS for each account')
  for (let round = 0; round < ROUNDS; round++) {
    for (const account of accounts) writer.write(account)
    await writer.flush()
    await Promise.all(Array.from({ length: CUT_EACH_ROUND }, (_, n) => subscribers[(round * 397 + n * 25) % subscribers.length]!.cut()))
    for (const account of accounts) writer.write(account)
  }
  await until('everybody has seen everything', () => subscribers.every((one) => one.last === 2 * ROUNDS))
  const whole = JSON.stringify(Array.from({ length: 2 * ROUNDS }, (_, n) => n + 1))
  t.equal(subscribers.filter((one) => JSON.stringify(one.seen) !== whole).length, 0)
  for (const one of subscribers) one.close()
  await until('nobody is left', () => stage.app.streams.size === 0 && stage.app.streams.followed === 0)
  t.notMatch(stage.log(), /"level":"error"/)
})
