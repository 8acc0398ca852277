import type { ActorName } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { Answer } from '../../protocol/packets.ts'

/** Called once with the answer and the actor that gave it; null where the gateway itself gave up. */
export type Answered = (answer: Answer, from: ActorName | null) => void

/** What waits: the actor that it was sent to, what was sent, and who wants to know. */
export interface Request<Content> {
  readonly to: ActorName
  readonly content: Content
  /** What to answer where nobody does, and where it is known that nobody took it. */
  readonly late: Answer
  readonly notTaken: Answer
  readonly answered: Answered
}

interface Entry<Content> extends Request<Content> {
  readonly deadline_ms: number
  /** Nobody has taken it, so it waits to be sent again; otherwise it is out. */
  parked: boolean
  /** It was out at an earlier owner, who may have taken it. */
  doubtful: boolean
}

/**
 * Requests that wait for an answer. All wait equally long, so the order in which they were added is the order in which they fall due, and
 * one look at the front now and then replaces a timer for each. A request keeps its number when it is sent again: the first answer counts.
 */
export class Waiting<Content> {
  readonly #timeout_ms: number
  readonly #mostParked: number
  readonly #entries = new Map<number, Entry<Content>>()
  /** How many are parked, by actor. */
  readonly #parked = new Map<ActorName, number>()
  #last = 0

  /** @param mostParked how many may wait for the next owner of one actor */
  constructor(timeout_ms: number, mostParked: number = limits.betweenOwners) {
    this.#timeout_ms = timeout_ms
    this.#mostParked = mostParked
  }

  get size(): number {
    return this.#entries.size
  }

  /** @returns the request's number; consecutive calls get consecutive numbers */
  add(now_ms: number, request: Request<Content>): number {
    const number = ++this.#last
    this.#entries.set(number, { ...request, deadline_ms: now_ms + this.#timeout_ms, parked: false, doubtful: false })
    return number
  }

  /** Where the request was sent to; undefined where nobody waits for it any more. */
  sentTo(request: number): ActorName | undefined {
    return this.#entries.get(request)?.to
  }

  /** @returns false where nobody waits for that number (any more): the answer came late or twice */
  settle(request: number, answer: Answer, from: ActorName | null): boolean {
    const entry = this.#entries.get(request)
    if (entry === undefined) return false
    this.#remove(request, entry)
    entry.answered(answer, from)
    return true
  }

  /** Nobody took it: that is its answer, unless an earlier owner may have. */
  giveUp(request: number): void {
    const entry = this.#entries.get(request)
    if (entry !== undefined) this.settle(request, entry.doubtful ? entry.late : entry.notTaken, null)
  }

  /** Nobody took it: it waits for the next owner, where there is room. */
  park(request: number): void {
    const entry = this.#entries.get(request)
    if (entry === undefined || entry.parked) return
    const parked = this.#parked.get(entry.to) ?? 0
    if (parked >= this.#mostParked) return this.giveUp(request)
    entry.parked = true
    this.#parked.set(entry.to, parked + 1)
  }

  /**
   * What is to be sent to an actor that runs, in order: what is parked, and with a new owner also what was out at the one before and has no
   * answer. From now on all of it counts as out.
   */
  takeFor(actor: ActorName, newOwner: boolean): (readonly [number, Content])[] {
    if (!newOwner && !this.#parked.has(actor)) return []
    const taken: (readonly [number, Content])[] = []
    for (const [request, entry] of this.#entries) {
      if (entry.to !== actor || !(newOwner || entry.parked)) continue
      if (!entry.parked) entry.doubtful = true
      entry.parked = false
      taken.push([request, entry.content])
    }
    this.#parked.delete(actor)
    return taken
  }

  /** The number of the newest request. */
  get last(): number {
    return this.#last
  }

  /** What is out at an actor, is no newer than `last`, and fits: it may have been taken, and is sent once more. */
  takeOut(actor: ActorName, last: number, fits: (content: Content) => boolean): (readonly [number, Content])[] {
    const taken: (readonly [number, Content])[] = []
    for (const [request, entry] of this.#entries) {
      if (request > last) break
      if (entry.to !== actor || entry.parked || !fits(entry.content)) continue
      entry.doubtful = true
      taken.push([request, entry.content])
    }
    return taken
  }

  /** Gives up on what is due. */
  sweep(now_ms: number): void {
    for (const [request, entry] of this.#entries) {
      if (entry.deadline_ms > now_ms) return
      this.settle(request, entry.parked && !entry.doubtful ? entry.notTaken : entry.late, null)
    }
  }

  #remove(request: number, { to, parked }: Entry<Content>): void {
    this.#entries.delete(request)
    if (!parked) return
    const left = (this.#parked.get(to) ?? 0) - 1
    if (left > 0) this.#parked.set(to, left)
    else this.#parked.delete(to)
  }
}
