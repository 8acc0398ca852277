import type { ActorName } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { Feed } from './feed.ts'
import type { Links } from './links.ts'

/** Beyond which an actor takes nothing more of its peers. */
export interface PressureBounds {
  /** Messages of its own that one peer has not acknowledged. */
  readonly outbox: number
  /** Feed messages that are not stored: twice what holds back commands, so that what those cause finds room. */
  readonly feed: number
}

const without: PressureBounds = { outbox: Infinity, feed: 2 * limits.outboxMessages }

/**
 * Passes on, from an actor that cannot get rid of what it causes to those that make it cause more. What it does not take stays with its sender, which is
 * held up in turn, down to the one that refuses commands by name: so nobody's memory grows, however long somebody is away.
 *
 * An actor that has a bound for its outboxes waits for those it sends to. Such actors must not stand in a circle: vault actors have none, they refuse
 * commands instead.
 */
export class Pressure {
  readonly #links: Links
  readonly #feed: Feed
  readonly #bounds: PressureBounds
  readonly #room: (from: ActorName) => boolean
  /** Senders of what was not taken. */
  readonly #turnedAway = new Set<ActorName>()
  #waiting: (() => void)[] = []
  #stopped = false

  constructor(links: Links, feed: Feed, bounds: Partial<PressureBounds> = {}, room: (from: ActorName) => boolean = () => true) {
    this.#links = links
    this.#feed = feed
    this.#bounds = { ...without, ...bounds }
    this.#room = room
  }

  /** Whether a peer leaves too much of what it was sent. */
  get outboxFull(): boolean {
    return !this.#stopped && this.#links.behind >= this.#bounds.outbox
  }

  /** Whether what `from` sends is taken. */
  takes(from: ActorName): boolean {
    if (!this.outboxFull && this.#feed.backlog < this.#bounds.feed && this.#room(from)) return true
    this.#turnedAway.add(from)
    return false
  }

  /** Resolves once there is room in the outboxes, or it is stopped. */
  outboxRoom(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** To be called now and then: lets go who waits for room in the outboxes, and gives the senders that were turned away and would not be any more. */
  relieved(): ActorName[] {
    if (!this.outboxFull) this.#release()
    if (this.#turnedAway.size === 0) return []
    const senders = [...this.#turnedAway]
    this.#turnedAway.clear()
    return senders.filter((from) => this.takes(from))
  }

  stop(): void {
    this.#stopped = true
    this.#release()
  }

  #release(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
