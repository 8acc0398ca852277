import type { NatsConnection } from '@nats-io/nats-core'
import type { FeedMessage } from '../protocol/feed.ts'
import { Subjects } from '../protocol/subjects.ts'
import { readSealHeading, sealForm } from '../protocol/seal.ts'
import { NotPermitted, OutcomeUnknown, Refused } from './errors.ts'
import { FeedKeyring, SealBroken } from './feedKeyring.ts'
import type { FeedKeySource } from './feedKeyring.ts'
import type { NatsAccess } from './natsAccess.ts'
import { NatsRequests } from './natsRequests.ts'
import type { ReplayPage } from './natsRequests.ts'

/** A reader looks whether it has missed something: soon after it was connected, then less and less often. */
const LOOK_MS = { first: 250, most: 10_000 }
const RETRY_MS = 250
/** Messages that wait for whoever reads; beyond it they are dropped, and read again from the store. */
const WAITING = 4_096

/** A number is missing: what came between is no longer kept, but what became of it can be read from the routes that read the account. */
export class FeedGap extends Error {
  constructor(expected: number, found: number) {
    super(`The feed goes from ${expected - 1} to ${found}.`)
    this.name = 'FeedGap'
  }
}

export interface FeedOptions {
  /** Messages up to this number are left out; 0 for all that are kept. Default: only what is published from now on. */
  readonly after?: number
  readonly signal?: AbortSignal
  /** Of a venue that seals: where the account's feed keys come from, `() => client.feedKeys()`. */
  readonly keys?: FeedKeySource
}

/**
 * An account's feed: every message once and in order, until the signal or an early return ends it, or the connection is closed. It is subscribed to
 * first, and what came before, or was missed while the connection was away, is asked for: whatever goes away for a while only delays it.
 * @param connection made with `access.options` @param venue its name, as GET /api/v1/markets says
 * @throws FeedGap where messages are no longer kept, SealBroken where the feed is sealed and something on it is not what was sealed, or no key was given, Refused, NotPermitted
 */
export async function* readFeed(connection: NatsConnection, venue: string, access: NatsAccess, { after, signal, keys }: FeedOptions = {}): AsyncGenerator<FeedMessage> {
  const keyring = keys === undefined ? null : new FeedKeyring(venue, access.account, keys)
  const requests = new NatsRequests(connection, venue, access, keyring ?? undefined)
  const live = new Live(connection, new Subjects(venue).feed(access.account), signal)
  try {
    let last = after
    while (last === undefined && !live.ended) last = (await attempt(() => requests.replay(), live))?.last
    for (let again = true; last !== undefined && !live.ended; again = await live.wait()) {
      // Whatever was missed is in the store; what is published meanwhile waits behind it.
      while (again && !live.ended) {
        const page: ReplayPage | undefined = await attempt(() => requests.replay(last), live)
        if (page === undefined) continue
        for (const message of page.messages) {
          if (message.seq !== last + 1) throw new FeedGap(last + 1, message.seq)
          last = message.seq
          yield message
        }
        again = page.more
      }
      for (let heard = live.take(last); heard !== undefined; heard = live.take(last)) {
        const message = await opened(heard, keyring)
        last = message.seq
        yield message
      }
    }
    if (live.failure !== null) throw live.failure
  } finally {
    live.close()
  }
}

/** A message as it came. Where it is sealed its number stands before it. */
interface Heard {
  readonly seq: number
  readonly data: Uint8Array
}

function heardOf(data: Uint8Array): Heard {
  const { seq } = readSealHeading(sealForm.feed, data) ?? (JSON.parse(new TextDecoder().decode(data)) as FeedMessage)
  return { seq, data }
}

/** @throws SealBroken */
async function opened({ seq, data }: Heard, keyring: FeedKeyring | null): Promise<FeedMessage> {
  if (keyring === null && data[0] === sealForm.feed) throw new SealBroken('The feed is sealed: give `keys`.')
  const message = JSON.parse(keyring === null ? new TextDecoder().decode(data) : await keyring.openFeed(data)) as FeedMessage
  if (message.seq !== seq) throw new SealBroken()
  return message
}

/** Asks, or waits a little where nobody can answer at the moment. @throws Refused where asking again would not help */
async function attempt<Answer>(ask: () => Promise<Answer>, live: Live): Promise<Answer | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (live.ended) return undefined
    if (error instanceof OutcomeUnknown && error.cause instanceof SealBroken) throw error.cause
    if (error instanceof NotPermitted) throw error
    if (error instanceof Refused && error.code === 'feed_trimmed') throw error
    if (error instanceof Refused && error.status !== 503 && error.status !== 429) throw error
    await live.pause(RETRY_MS)
    return undefined
  }
}

/** What is published while somebody reads, and the reasons to look into the store. */
class Live {
  readonly #signal: AbortSignal | undefined
  readonly #unsubscribe: () => void
  #waiting: Heard[] = []
  #look_ms = LOOK_MS.first
  #missed = false
  #ended = false
  #wake: (() => void) | undefined
  failure: Error | null = null

  constructor(connection: NatsConnection, subject: string, signal: AbortSignal | undefined) {
    this.#signal = signal
    const subscription = connection.subscribe(subject, {
      callback: (failure, message) => {
        if (failure !== null) return this.#end(failure)
        if (this.#waiting.length >= WAITING) this.#missed = true
        else {
          try {
            this.#waiting.push(heardOf(message.data))
          } catch (unread) {
            return this.#end(unread as Error)
          }
        }
        this.#wake?.()
      },
    })
    this.#unsubscribe = () => {
      if (!connection.isClosed()) subscription.unsubscribe()
    }
    signal?.addEventListener('abort', this.#abort, { once: true })
    if (signal?.aborted) this.#end(null)
    void this.#follow(connection)
    connection.closed().then((failure) => this.#end(failure ?? null), () => this.#end(null))
  }

  get ended(): boolean {
    return this.#ended
  }

  /** The next one in order that is here; those up to `last` are dropped. */
  take(last: number): Heard | undefined {
    if (this.#ended) return undefined
    let dropped = 0
    while (dropped < this.#waiting.length && this.#waiting[dropped]!.seq <= last) dropped++
    if (dropped > 0) this.#waiting.splice(0, dropped)
    const [first] = this.#waiting
    if (first?.seq !== last + 1) {
      if (first !== undefined) this.#missed = true
      return undefined
    }
    return this.#waiting.shift()
  }

  /** Until there is a reason to go on. @returns whether that is to look into the store */
  async wait(): Promise<boolean> {
    // The next message is here and an earlier one is not: the store, which may be a moment behind, will have it.
    if (this.#missed && this.#waiting.length > 0) await this.pause(RETRY_MS)
    else if (!this.#missed && this.#waiting.length === 0 && (await this.#woken(this.#look_ms)) === 'late') {
      this.#look_ms = Math.min(this.#look_ms * 2, LOOK_MS.most)
      this.#missed = true
    }
    const missed = this.#missed
    this.#missed = false
    return missed
  }

  /** Sleeps, unless it ends. */
  async pause(limit_ms: number): Promise<void> {
    for (const end = Date.now() + limit_ms; !this.#ended && Date.now() < end; ) await this.#woken(end - Date.now())
  }

  close(): void {
    this.#end(null)
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#unsubscribe()
  }

  #woken(limit_ms: number): Promise<'woken' | 'late'> {
    if (this.#ended) return Promise.resolve('woken')
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve('late'), limit_ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve('woken')
      }
    })
  }

  readonly #abort = (): void => this.#end(null)

  #end(failure: Error | null): void {
    if (this.#ended) return
    this.#ended = true
    this.failure = failure
    this.#wake?.()
  }

  /** What was published while the connection was away is in the store. */
  async #follow(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if (this.#ended) return
      if (type !== 'reconnect') continue
      this.#look_ms = LOOK_MS.first
      this.#missed = true
      this.#wake?.()
    }
  }
}
