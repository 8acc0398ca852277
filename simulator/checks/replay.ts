import type { ActorName } from '../../src/protocol/identity.ts'
import type { Host } from '../host.ts'
import { digestOfCaused, nothingCaused } from '../history.ts'
import type { Post } from '../post.ts'
import type { Comparer, Comparison } from '../replaying/comparison.ts'
import type { Result } from '../result.ts'
import { Violation } from '../violation.ts'
import type { World } from '../world.ts'

const RULE = 'replay equals live'
/** Comparisons that wait for their answer at most: each holds some hundred records. */
const MOST_WAITING = 12

/**
 * Has every actor's journal replayed and compared with what the actor is. The answers may come while the simulation has gone on: what counts is
 * the step that was asked about, so each question is kept with all that is to be said of that step.
 */
export class Replays {
  readonly #world: World
  readonly #comparer: Comparer
  /** The run as it stands. */
  readonly #result: () => Result
  /** Who replays, each with a clock of its own. */
  readonly #hosts: ReadonlyMap<ActorName, Host>
  /** Where the last record stood that was handed over, and how many were. */
  readonly #handedOver = new Map<ActorName, { readonly position: number; readonly records: number }>()
  #waiting = 0
  #found: Result | null = null
  #failed: Error | null = null
  #woken: (() => void)[] = []

  constructor(world: World, comparer: Comparer, result: () => Result) {
    this.#world = world
    this.#comparer = comparer
    this.#result = result
    this.#hosts = new Map(world.posts.map(({ actor }) => [actor, world.newHost('shadow', () => undefined)]))
  }

  /** The run at the first comparison that failed; null where none is known to have. */
  get found(): Result | null {
    return this.#found
  }

  /** Whether the simulation must wait for answers before it asks for more. */
  get full(): boolean {
    return this.#waiting >= MOST_WAITING || this.#failed !== null
  }

  /** Only where the live one waits for no append should the two be the same. */
  compare({ actor, current }: Post): void {
    const { circumstances, journals, epochs, causedBy } = this.#world
    const host = this.#hosts.get(actor)
    if (host === undefined || this.#found !== null || circumstances.verdict.violation !== null || current?.running !== true || current.journal.appending || epochs.owner(actor) !== current.host) return
    const before = this.#handedOver.get(actor) ?? { position: 0, records: 0 }
    circumstances.trace.event(circumstances.scheduler.now_us, 'replayed', current.host.name, before.records)
    const stored = journals.archive(actor, before.position)
    const position = stored.at(-1)?.position ?? before.position
    this.#handedOver.set(actor, { position, records: before.records + stored.length })
    const comparison: Comparison = {
      actor,
      owner: current.host.name,
      now_ms: host.clock.now(),
      records: Uint8Array.from(Buffer.concat(stored.map(({ record }) => record))),
      lengths: Uint32Array.from(stored, ({ record }) => record.length),
      // Nobody stores a record that no actor made (World).
      caused: Uint32Array.from(stored, ({ record }) => digestOfCaused(causedBy.get(record) ?? nothingCaused())),
      state: current.machine.snapshot(),
    }
    journals.archived(actor, position)
    const answer = this.#comparer.compare(comparison)
    if (answer === null) return
    if (typeof answer === 'string') this.#answered(answer, this.#result())
    else this.#await(answer, this.#result())
  }

  /** Resolves once there is room for another comparison. */
  async room(): Promise<void> {
    while (this.#waiting >= MOST_WAITING) await this.#answer()
    if (this.#failed !== null) throw this.#failed
  }

  /** Resolves once nothing waits for its answer. */
  async settled(): Promise<void> {
    while (this.#waiting > 0) await this.#answer()
    if (this.#failed !== null) throw this.#failed
  }

  #await(answer: Promise<string | null>, result: Result): void {
    this.#waiting++
    answer.then(
      (fault) => this.#answered(fault, result),
      (error: unknown) => void (this.#failed ??= error instanceof Error ? error : new Error(String(error))),
    ).finally(() => {
      this.#waiting--
      for (const wake of this.#woken.splice(0)) wake()
    })
  }

  #answer(): Promise<void> {
    return new Promise((resolve) => void this.#woken.push(resolve))
  }

  /** Answers come in the order of the questions: the first that says so is the earliest. */
  #answered(fault: string | null, result: Result): void {
    if (fault !== null) this.#found ??= { ...result, violation: new Violation(RULE, fault) }
  }
}
