import type { ActorState } from '../../src/actors/runtime/actorState.ts'
import type { Clock } from '../../src/actors/runtime/clock.ts'
import type { Log } from '../../src/actors/runtime/log.ts'
import { replicaOf } from '../../src/actors/runtime/replica.ts'
import type { ActorName, Milliseconds } from '../../src/protocol/identity.ts'
import type { Venue } from '../../src/protocol/venue.ts'
import type { Defect } from '../defects/defect.ts'
import { Host } from '../host.ts'
import { machineOf } from '../machines.ts'
import type { Bounds } from '../machines.ts'
import { Random } from '../random.ts'
import { envelopeOf } from '../roles.ts'
import { BEGIN_us, Scheduler } from '../scheduler.ts'
import { Trace } from '../trace.ts'
import type { Comparison } from './comparison.ts'
import { ReplayedMachine } from './replayedMachine.ts'

const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const still: Clock = { now: () => 0 as Milliseconds, passed: () => 0, after: () => () => undefined }

/** What of a world is needed to replay its journals: nothing that happens in it. */
export interface ReplayerParts {
  readonly venue: Venue
  readonly secret: Uint8Array | null
  readonly bounds: Bounds
  readonly defect: Defect | null
  readonly seed: number
}

interface Replica {
  readonly state: ActorState
  readonly machine: ReplayedMachine
}

/**
 * Every actor once more, made from its journal alone, from the first record on and without any snapshot. Reads on now and then, and must then be
 * what the live one is, to the byte.
 */
export class Replayer {
  readonly #parts: ReplayerParts
  /** With a clock, for machines that look at it instead of their records' time. */
  readonly #host = new Host('replay', 0, 0, new Scheduler(new Trace(BEGIN_us)), () => undefined)
  readonly #replicas = new Map<ActorName, Replica>()

  constructor(parts: ReplayerParts) {
    this.#parts = parts
  }

  /** What is wrong, or null. */
  compare({ actor, owner, now_ms, records, lengths, caused, state }: Comparison): string | null {
    this.#host.jump(now_ms - this.#host.clock.now())
    const replica = this.#replica(actor)
    try {
      let at = 0
      for (let n = 0; n < lengths.length; n++) {
        const end = at + lengths[n]!
        replica.state.replay(records.subarray(at, end))
        if (replica.machine.takeDigest() !== caused[n]) return `record ${replica.state.records} of ${actor} causes something else in a replay`
        at = end
      }
    } catch (error) {
      return `the journal of ${actor} cannot be replayed: ${error instanceof Error ? error.message : String(error)}`
    }
    return Buffer.from(replica.machine.snapshot()).equals(state) ? null : `the journal of ${actor} makes another state than ${owner} has`
  }

  #replica(actor: ActorName): Replica {
    const known = this.#replicas.get(actor)
    if (known !== undefined) return known
    const { venue, secret, bounds, defect, seed } = this.#parts
    const random = new Random(String(seed)).fork('replays')
    const own = machineOf(actor, venue, bounds)
    const machine = new ReplayedMachine(defect?.machine?.(own, { actor, host: this.#host, before: 0, random }) ?? own)
    const replica = { machine, state: replicaOf(actor, machine, envelopeOf('record', secret, venue, actor, random), venue.subjects, still, silent) }
    this.#replicas.set(actor, replica)
    return replica
  }
}
