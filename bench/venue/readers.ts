// The process of traders who follow their fills with the client, over WebSockets and over NATS.
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '@nats-io/transport-node'
import { Client } from '../../src/client/client.ts'
import { readFeed } from '../../src/client/feed.ts'
import { keyAccess } from '../../src/client/natsAccess.ts'
import { SecretSigner } from '../../src/client/secretSigner.ts'
import type { FeedMessage } from '../../src/protocol/feed.ts'

export interface ReaderPlan {
  readonly url: string
  readonly servers: readonly string[]
  /** Its name. */
  readonly venue: string
  readonly secrets: readonly string[]
}

/** Milliseconds from match to subscriber, by the way they came. */
export type Sightings = Readonly<Record<'WebSocket' | 'NATS', Float64Array>>

const CONNECT_TIMEOUT_ms = 30_000
/** After the last order: what it caused is still on its way. */
const AFTERWARDS_ms = 1_000

/**
 * Times fills of one account. A fill says what traded; when, by its market's clock, says the order that it closes, which comes right behind it. That clock
 * counts whole milliseconds, from before the match is journaled, so a figure is up to a millisecond too high.
 */
class Watch {
  latencies: number[] = []
  readonly #seen = new Map<string, number>()

  see(message: FeedMessage): void {
    const now = performance.timeOrigin + performance.now()
    if (message.type === 'fill') return void this.#seen.set(message.order, now)
    if (message.type !== 'order' || message.order.status === 'open') return
    const filledAt = this.#seen.get(message.order.id)
    this.#seen.delete(message.order.id)
    if (filledAt !== undefined && message.order.status === 'filled') this.latencies.push(filledAt - Date.parse(message.order.updated))
  }
}

const [plan] = (await once(process, 'message')) as [ReaderPlan]
const [streams, feeds] = [plan.secrets.map(() => new Watch()), plan.secrets.map(() => new Watch())]
await Promise.all(
  plan.secrets.map(async (secret, n) => {
    const access = keyAccess(secret)
    const connection = await connect({ servers: [...plan.servers], name: 'reader', timeout: CONNECT_TIMEOUT_ms, ...access.options })
    void follow(readFeed(connection, plan.venue, access), (message) => feeds[n]!.see(message))
    const client = await Client.open(plan.url, new SecretSigner(secret))
    const updates = client.stream({ channels: ['fills', 'orders'] })
    // Its first message is the snapshot of its orders: from then on it is told.
    await updates.next()
    void follow(updates, (message) => {
      if (message.type === 'update' && (message.channel === 'fills' || message.channel === 'orders')) streams[n]!.see(message.data)
    })
  }),
)
process.send?.('ready')
await once(process, 'message')
for (const watch of [...streams, ...feeds]) watch.latencies = []
process.send?.('begun')
await once(process, 'message')
await delay(AFTERWARDS_ms)
const all = (watches: readonly Watch[]): Float64Array => Float64Array.from(watches.flatMap(({ latencies }) => latencies))
process.send?.({ WebSocket: all(streams), NATS: all(feeds) } satisfies Sightings)
await once(process, 'disconnect')

/** A reader that fails ends the run. */
async function follow<Message>(messages: AsyncIterable<Message>, take: (message: Message) => void): Promise<void> {
  for await (const message of messages) take(message)
}
