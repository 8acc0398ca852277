import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node'
import { createInbox } from '@nats-io/transport-node'
import type { FeedSeal } from '../../enclave/feedSeal.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { FeedMessage } from '../../protocol/feed.ts'
import type { Subjects } from '../../protocol/subjects.ts'
import type { AccountId, MarketName } from '../../protocol/identity.ts'
import type { FeedOwner, OwnedMessage } from '../../protocol/owned.ts'
import type { TapePrint } from '../../protocol/tape.ts'

/** How long the store may be silent while it answers, and how much it sends at once. */
const SILENCE_MS = 3_000
const BATCH_BYTES = 1_048_576

/** A message of an account's feed, or of a market's tape, and its place in the stream, which it shares with all others. Places rise; what lies between two is others'. */
export interface StoredMessage<Message extends OwnedMessage = FeedMessage> {
  readonly place: number
  readonly bytes: number
  readonly message: Message
}

/** An owner's stored messages in the order of the stream, which may hold a number more than once. */
export interface FeedStore<Message extends OwnedMessage = FeedMessage> {
  /**
   * The owner's first messages at `place` or behind it, `count` or fewer: at least one where there is one.
   * @throws Refusal history_unavailable
   */
  from(owner: FeedOwner, place: number, count: number): Promise<readonly StoredMessage<Message>[]>
  /** The one that was stored last. @throws Refusal history_unavailable */
  last(owner: FeedOwner): Promise<StoredMessage<Message> | null>
}

/** A stream of numbered messages: its name, where each owner's are, and how they are read. */
export interface StreamOf<Message extends OwnedMessage> {
  readonly name: string
  subject(owner: FeedOwner): string
  read(owner: FeedOwner, data: Uint8Array): Message
}

const textIn = (data: Uint8Array): string => Buffer.from(data.buffer, data.byteOffset, data.length).toString()

/** The text of a message of an account's feed, however it is stored. @throws SealBroken */
export type ReadFeed = (account: AccountId, data: Uint8Array) => string

/** @param seal null where feeds are not sealed */
export const feedReading = (seal: FeedSeal | null): ReadFeed => (account, data) => (seal === null ? textIn(data) : seal.openFeed(account, data))

export const feedsOf = (subjects: Subjects, read: ReadFeed = feedReading(null)): StreamOf<FeedMessage> => ({
  name: subjects.feedStream,
  subject: (owner) => subjects.feed(owner as AccountId),
  read: (owner, data) => JSON.parse(read(owner as AccountId, data)) as FeedMessage,
})

export const tapesOf = (subjects: Subjects): StreamOf<TapePrint> => ({
  name: subjects.tapeStream,
  subject: (owner) => subjects.tape(owner as MarketName),
  read: (_owner, data) => JSON.parse(textIn(data)) as TapePrint,
})

/**
 * A stream, read by direct gets: any copy of the stream answers, and nothing is made there that could be left behind. A copy may be a moment behind the
 * others. nats-server reads while it reads the connection, so this one should not be the connection that orders go through.
 */
export class JetStreamFeedStore<Message extends OwnedMessage = FeedMessage> implements FeedStore<Message> {
  readonly #connection: NatsConnection
  readonly #stream: StreamOf<Message>
  readonly #root: string

  constructor(connection: NatsConnection, stream: StreamOf<Message>) {
    this.#connection = connection
    this.#stream = stream
    this.#root = `$JS.API.DIRECT.GET.${stream.name}`
  }

  async from(owner: FeedOwner, place: number, count: number): Promise<readonly StoredMessage<Message>[]> {
    const request = { next_by_subj: this.#stream.subject(owner), seq: Math.max(place, 1), batch: count, max_bytes: BATCH_BYTES }
    return (await this.#ask(this.#root, JSON.stringify(request))).map((stored) => this.#read(owner, stored))
  }

  async last(owner: FeedOwner): Promise<StoredMessage<Message> | null> {
    const [stored] = await this.#ask(`${this.#root}.${this.#stream.subject(owner)}`, '', 1)
    return stored === undefined ? null : this.#read(owner, stored)
  }

  #read(owner: FeedOwner, { headers, data }: Msg): StoredMessage<Message> {
    const place = Number(headers?.get('Nats-Sequence'))
    if (!Number.isSafeInteger(place) || place < 1) throw new Error('a stored message came without its place')
    return { place, bytes: data.length, message: this.#stream.read(owner, data) }
  }

  /** @param count of messages, where their number is known and no word comes behind the last of them */
  #ask(subject: string, request: string, count = Infinity): Promise<Msg[]> {
    return new Promise((resolve, reject) => {
      const stored: Msg[] = []
      let subscription: Subscription | undefined
      const end = (settle: () => void): void => {
        clearTimeout(silence)
        subscription?.unsubscribe()
        settle()
      }
      const unavailable = (): void => end(() => reject(new Refusal('history_unavailable')))
      const silence = setTimeout(unavailable, SILENCE_MS)
      const hear = (failure: Error | null, delivered: Msg): void => {
        if (failure !== null) return unavailable()
        silence.refresh()
        const code = delivered.headers?.code ?? 0
        // 204 ends what there is; 404 says that there is nothing.
        if (code === 204 || code === 404) return end(() => resolve(stored))
        if (code !== 0) return unavailable()
        stored.push(delivered)
        if (stored.length === count) end(() => resolve(stored))
      }
      try {
        const reply = createInbox()
        subscription = this.#connection.subscribe(reply, { callback: hear })
        this.#connection.publish(subject, request, { reply })
      } catch {
        // A connection that is closed takes nothing.
        unavailable()
      }
    })
  }
}
