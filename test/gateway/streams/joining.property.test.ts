import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { AccountFeed } from '../../../src/gateway/streams/accountFeed.ts'
import type { Replay } from '../../../src/gateway/streams/accountFeed.ts'
import { FeedItem } from '../../../src/gateway/streams/feedItem.ts'
import type { FeedChannel } from '../../../src/gateway/streams/feedItem.ts'
import { Subscription } from '../../../src/gateway/streams/subscription.ts'
import { Refusal } from '../../../src/protocol/errors.ts'
import type { FeedMessage } from '../../../src/protocol/feed.ts'
import type { AccountId } from '../../../src/protocol/identity.ts'
import { until } from '../../settlement/waiting.ts'

// What a subscription passes on, against the plain list of what was published: whatever is lost or repeated on the way, however late it is stored, whenever who joins.

const account = 'GTEST' as AccountId
const kinds = ['order', 'fill', 'settled'] as const
const channelOf = { order: 'orders', fill: 'fills', settled: 'settlement' } as const
type Kind = (typeof kinds)[number]

/** A message that says no more than it must: the parts under test look at its number and its type. */
const message = (seq: number, type: Kind): FeedMessage => ({ v: 1, seq, account, time: '2026-01-01T00:00:00.000Z', type }) as unknown as FeedMessage

type Step =
  /** Published, and heard here as often as said: 0 is lost on the way. The store has it `late` publications later. */
  | { readonly do: 'publish'; readonly kind: Kind; readonly heard: number; readonly late: number }
  /** What was published some numbers ago is heard once more. */
  | { readonly do: 'repeat'; readonly back: number }
  | { readonly do: 'join'; readonly channels: readonly FeedChannel[]; /** Behind the newest; null: with a snapshot. */ readonly back: number | null }
  | { readonly do: 'cut'; readonly which: number }
  | { readonly do: 'away'; readonly away: boolean }
  | { readonly do: 'turns'; readonly count: number }

const someChannels = fc.subarray(['orders', 'fills', 'settlement'] as const, { minLength: 1 })
const publish: fc.Arbitrary<Step> = fc.record({ do: fc.constant('publish'), kind: fc.constantFrom(...kinds), heard: fc.constantFrom(0, 1, 1, 1, 1, 2), late: fc.constantFrom(0, 0, 1, 5) })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: publish },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('repeat'), back: fc.nat(8) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('join'), channels: someChannels, back: fc.option(fc.nat(30)) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut'), which: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('away'), away: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('turns'), count: fc.nat(3) }) },
)

interface Reader {
  readonly subscription: Subscription
  readonly channels: readonly FeedChannel[]
  readonly from: number
  readonly frames: { seq: number; prev: number; channel: string }[]
  lost: boolean
}

/** A store that is behind what is published, and may be away. */
class SlowStore implements Replay {
  stored = 0
  away = false
  readonly published: FeedMessage[]

  constructor(published: FeedMessage[]) {
    this.published = published
  }

  async after(_account: AccountId, after: number, limit: number): Promise<{ messages: readonly FeedMessage[]; more: boolean }> {
    await turn()
    if (this.away) throw new Refusal('history_unavailable')
    // Small pages, so that much happens between them.
    const messages = this.published.slice(after, Math.min(this.stored, after + Math.min(limit, 3)))
    await turn()
    return { messages, more: this.stored > after + messages.length }
  }

  async newest(): Promise<number> {
    await turn()
    if (this.away) throw new Refusal('history_unavailable')
    return this.stored
  }
}

async function play(steps: readonly Step[]): Promise<{ readers: Reader[]; published: readonly FeedMessage[] }> {
  const published: FeedMessage[] = []
  const storedAt: number[] = []
  const store = new SlowStore(published)
  const feed = new AccountFeed(account, store, 1)
  const readers: Reader[] = []
  const hear = (one: FeedMessage): void => feed.hear(FeedItem.of(one))
  for (const step of steps) {
    switch (step.do) {
      case 'publish': {
        const one = message(published.length + 1, step.kind)
        published.push(one)
        storedAt.push(published.length + step.late)
        while (store.stored < published.length && storedAt[store.stored]! <= published.length) store.stored++
        for (let n = 0; n < step.heard; n++) hear(one)
        break
      }
      case 'repeat': {
        const one = published.at(-1 - step.back)
        if (one !== undefined) hear(one)
        break
      }
      case 'join': {
        const fed = published.length
        const from = step.back === null ? fed : Math.max(0, fed - step.back)
        feed.begin(fed)
        const reader: Reader = { subscription: undefined as never, channels: step.channels, from, frames: [], lost: false }
        const subscription = new Subscription(feed, {
          send: (frame) => void reader.frames.push(JSON.parse(frame.toString()) as Reader['frames'][number]),
          flushed: () => turn(),
          lost: () => (reader.lost = true),
        }, step.channels, from)
        Object.assign(reader, { subscription })
        readers.push(reader)
        void subscription.follow(store, null)
        break
      }
      case 'cut': {
        const [reader] = readers.splice(step.which, 1)
        reader?.subscription.end()
        break
      }
      case 'away':
        store.away = step.away
        break
      case 'turns':
        for (let n = 0; n < step.count; n++) await turn()
    }
  }
  store.away = false
  store.stored = published.length
  // As often as the gateway does: one that comes while the feed is being caught up asks nothing.
  await until('every reader is at the end', async () => {
    await feed.check()
    return readers.every(({ subscription, lost }) => lost || subscription.position === published.length)
  })
  feed.close()
  return { readers, published }
}

t.test('everything behind the number where it began, once and in order, whatever happens on the way', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { readers, published } = await play(steps)
      for (const { channels, from, frames, lost } of readers) {
        if (lost) throw new Error('a reader was lost')
        const due = published.slice(from).filter(({ type }) => channels.includes(channelOf[type as Kind]))
        const last = new Map<string, number>()
        const expected = due.map(({ seq, type }) => {
          const channel = channelOf[type as Kind]
          const prev = last.get(channel) ?? from
          last.set(channel, seq)
          return { seq, prev, channel }
        })
        const got = frames.map(({ seq, prev, channel }) => ({ seq, prev, channel }))
        if (JSON.stringify(got) !== JSON.stringify(expected)) throw new Error(`got ${JSON.stringify(got)} instead of ${JSON.stringify(expected)}`)
      }
    }),
    { numRuns: 300 },
  )
})
