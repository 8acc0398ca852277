import type { FeedText } from '../src/actors/runtime/feed.ts'
import type { FeedMessage } from '../src/protocol/feed.ts'
import type { LeavesMessage } from '../src/protocol/leaves.ts'
import { ownerOf } from '../src/protocol/owned.ts'
import { digestOf } from './digest.ts'
import type { History } from './history.ts'
import type { Host } from './host.ts'
import type { Verdict } from './violation.ts'

/** Everybody who reads a feed: a number that was seen is dropped, one that is skipped is a message lost. */
export class Readers {
  readonly #history: History
  readonly #verdict: Verdict
  readonly #read: (message: FeedMessage) => void
  readonly #seen = new Map<string, number>()

  constructor(history: History, verdict: Verdict, read: (message: FeedMessage) => void) {
    this.#history = history
    this.#verdict = verdict
    this.#read = read
  }

  /** Numbers of a feed that its readers have seen. */
  seen(owner: string): number {
    return this.#seen.get(owner) ?? 0
  }

  stored(writer: Host, stored: FeedText): void {
    if ('market' in stored) return this.#verdict.broken('dark', `${writer.name} stores a print of a tape, which no market here has`)
    const owner = ownerOf(stored)
    const message = JSON.parse(stored.text) as FeedMessage | LeavesMessage
    const known = this.#history.fed(owner, message.seq)
    if (known === undefined) return this.#verdict.broken('nothing before it is durable', `${writer.name} stores message ${message.seq} of a feed whose journal knows ${this.#history.feedLength(owner)}`)
    this.#verdict.holds(known.digest === digestOf(message), 'feed content', () => `${writer.name} stores another message ${message.seq} than the one that is durable`)
    const seen = this.seen(owner)
    this.#verdict.holds(message.seq <= seen + 1, 'feed numbers', () => `a reader sees message ${message.seq} of a feed after ${seen}`)
    if (message.seq !== seen + 1) return
    this.#seen.set(owner, message.seq)
    if ('account' in message) this.#read(message)
  }
}
