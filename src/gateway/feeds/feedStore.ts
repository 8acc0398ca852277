import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node'
import { createInbox } from '@nats-io/transport-node'
import { SealBroken } from '../../enclave/feedSeal.ts'
import type { FeedSeal } from '../../enclave/feedSeal.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { FeedMessage } from '../../protocol/feed.ts'
import type { Subjects } from '../../protocol/subjects.ts'
import type { AccountId, ActorName, MarketName } from '../../protocol/identity.ts'
import type { LeavesMessage } from '../../protocol/leaves.ts'
import type { FeedOwner, OwnedMessage } from '../../protocol/owned.ts'
import type { TapePrint } from '../../protocol/tape.ts'
import { withFee } from './feesOfOld.ts'

/** How long the store may be silent while it answers, and how much it sends at once. */
const SILENCE_MS = 3_000
const BATCH_BYTES = 1_048_576
/** Stored messages that cannot be read are passed over so many at a time, and so many in a row at most. */
const PASSED = 256
const PASSED_MOST = 4_096

/** A message of an account's feed, a market's tape or a settlement actor's leaves, and its place in the stream, which it shares with all others. Places rise; what lies between two is others'. */
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
  /** @throws SealBroken, SyntaxError where it is nothing that the venue has written */
  read(owner: FeedOwner, data: Uint8Array): Message
}

/** Is told of a stored message that cannot be read, and was passed over. */
export type Unreadable = (stream: string, place: number) => void
const refuseUnreadable: Unreadable = () => {
  throw new Error('a stored message cannot be read')
}

const textIn = (data: Uint8Array): string => Buffer.from(data.buffer, data.byteOffset, data.length).toString()

/** A message by its text, which has a number whatever else it says. @throws SyntaxError */
function numbered<Message extends OwnedMessage>(text: string): Message {
  const message = JSON.parse(text) as Message | null
  if (!Number.isSafeInteger(message?.seq) || message!.seq < 1) throw new SyntaxError('a message without its number')
  return message!
}

/** The text of a message of an account's feed, however it is stored. @throws SealBroken */
export type ReadFeed = (account: AccountId, data: Uint8Array) => string

/** @param seal null where feeds are not sealed */
export const feedReading = (seal: FeedSeal | null): ReadFeed => (account, data) => (seal === null ? textIn(data) : seal.openFeed(account, data))

export const feedsOf = (subjects: Subjects, read: ReadFeed = feedReading(null)): StreamOf<FeedMessage> => ({
  name: subjects.feedStream,
  subject: (owner) => subjects.feed(owner as AccountId),
  read: (owner, data) => withFee(numbered<FeedMessage>(read(owner as AccountId, data))),
})

export const receiptsOf = (subjects: Subjects): StreamOf<LeavesMessage> => ({
  name: subjects.receiptStream,
  subject: (owner) => subjects.receipts(owner as ActorName),
  read: (_owner, data) => numbered<LeavesMessage>(textIn(data)),
})

export const tapesOf = (subjects: Subjects): StreamOf<TapePrint> => ({
  name: subjects.tapeStream,
  subject: (owner) => subjects.tape(owner as MarketName),
  read: (_owner, data) => numbered<TapePrint>(textIn(data)),
})

/**
 * A stream, read by direct gets: any copy of the stream answers, and nothing is made there that could be left behind. A copy may be a moment behind the
 * others. nats-server reads while it reads the connection, so this one should not be the connection that orders go through.
 *
 * Whoever has the server can store what the venue did not write, under any account: it is passed over, as if it were not there, and told of. What the venue wrote stands beside it.
 */
export class JetStreamFeedStore<Message extends OwnedMessage = FeedMessage> implements FeedStore<Message> {
  readonly #connection: NatsConnection
  readonly #stream: StreamOf<Message>
  readonly #root: string
  readonly #unreadable: Unreadable

  constructor(connection: NatsConnection, stream: StreamOf<Message>, unreadable: Unreadable = refuseUnreadable) {
    this.#connection = connection
    this.#stream = stream
    this.#unreadable = unreadable
    this.#root = `$JS.API.DIRECT.GET.${stream.name}`
  }

  async from(owner: FeedOwner, place: number, count: number): Promise<readonly StoredMessage<Message>[]> {
    for (let [from, asked, passed] = [Math.max(place, 1), count, 0]; ; asked = PASSED) {
      const request = { next_by_subj: this.#stream.subject(owner), seq: from, batch: asked, max_bytes: BATCH_BYTES }
      const stored = await this.#ask(this.#root, JSON.stringify(request))
      const read = stored.flatMap((one) => this.#read(owner, one) ?? [])
      if (read.length > 0 || stored.length === 0) return read.slice(0, count)
      passed += stored.length
      if (passed > PASSED_MOST) throw new Refusal('history_unavailable')
      from = placeOf(stored.at(-1)!) + 1
    }
  }

  async last(owner: FeedOwner): Promise<StoredMessage<Message> | null> {
    const [stored] = await this.#ask(`${this.#root}.${this.#stream.subject(owner)}`, '', 1)
    return stored === undefined ? null : (this.#read(owner, stored) ?? this.#lastBefore(owner, placeOf(stored)))
  }

  /** The last one that can be read before a place: by bisection, since the store finds only what comes behind a place. */
  async #lastBefore(owner: FeedOwner, place: number): Promise<StoredMessage<Message> | null> {
    let last: StoredMessage<Message> | null = null
    for (let [from, end] = [1, place]; from < end; ) {
      const middle = from + Math.floor((end - from) / 2)
      // The first step looks from the beginning: mostly there is something.
      const [found] = await this.from(owner, last === null ? from : middle, 1)
      if (found !== undefined && found.place < end) from = (last = found).place + 1
      else if (last === null) return null
      else end = middle
    }
    return last
  }

  /** null where it cannot be read. */
  #read(owner: FeedOwner, stored: Msg): StoredMessage<Message> | null {
    const place = placeOf(stored)
    try {
      return { place, bytes: stored.data.length, message: this.#stream.read(owner, stored.data) }
    } catch (error) {
      if (!(error instanceof SealBroken || error instanceof SyntaxError)) throw error
      this.#unreadable(this.#stream.name, place)
      return null
    }
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

function placeOf({ headers }: Msg): number {
  const place = Number(headers?.get('Nats-Sequence'))
  if (!Number.isSafeInteger(place) || place < 1) throw new Error('a stored message came without its place')
  return place
}
