import type { ActorState } from '../../src/actors/runtime/actorState.ts'
import type { Clock } from '../../src/actors/runtime/clock.ts'
import type { Log } from '../../src/actors/runtime/log.ts'
import type { Machine } from '../../src/actors/runtime/machine.ts'
import { replicaOf } from '../../src/actors/runtime/replica.ts'
import type { Milliseconds } from '../../src/protocol/identity.ts'
import type { ObservedMachine } from '../observedMachine.ts'
import type { Post } from '../post.ts'
import { envelopeOf } from '../roles.ts'
import type { World } from '../world.ts'

const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const still: Clock = { now: () => 0 as Milliseconds, passed: () => 0, after: () => () => undefined }

/**
 * An actor once more, made from its journal alone, from the first record on and without any snapshot. Reads on now and then, and must then be
 * what the live one is, to the byte.
 */
export class Shadow {
  readonly #world: World
  readonly #post: Post
  readonly #machine: Machine
  readonly #observed: ObservedMachine
  readonly #replica: ActorState
  /** Where the last record stood that was read. */
  #position = 0

  constructor(world: World, post: Post) {
    this.#world = world
    this.#post = post
    const host = world.newHost('shadow', () => undefined)
    const { machine, observed } = post.fresh(host)
    this.#machine = machine
    this.#observed = observed
    const envelope = envelopeOf('record', world.secret, world.venue, post.actor, world.random.fork('shadow'))
    this.#replica = replicaOf(post.actor, observed, envelope, world.venue.subjects, still, silent)
  }

  check(): void {
    const { circumstances, journals, history, epochs } = this.#world
    const { actor, current } = this.#post
    // Only where the live one waits for no append should the two be the same.
    if (current?.running !== true || current.journal.appending || epochs.owner(actor) !== current.host) return
    circumstances.trace.event(circumstances.scheduler.now_us, 'replayed', current.host.name, this.#replica.records)
    try {
      for (const { position, record } of journals.archive(actor, this.#position)) {
        this.#replica.replay(record)
        history.replayed(actor, this.#observed.take())
        this.#position = position
      }
    } catch (error) {
      return circumstances.verdict.broken('replay equals live', `the journal of ${actor} cannot be replayed: ${error instanceof Error ? error.message : String(error)}`)
    }
    journals.archived(actor, this.#position)
    const same = Buffer.from(this.#machine.snapshot()).equals(current.machine.snapshot())
    circumstances.verdict.holds(same, 'replay equals live', () => `the journal of ${actor} makes another state than ${current.host.name} has`)
  }
}
