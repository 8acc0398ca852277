import type { Log } from '../../src/actors/runtime/log.ts'
import { replicaOf } from '../../src/actors/runtime/replica.ts'
import type { Clock } from '../../src/actors/runtime/clock.ts'
import type { Milliseconds } from '../../src/protocol/identity.ts'
import type { Owner, Post } from '../post.ts'
import { envelopeOf } from '../roles.ts'
import type { World } from '../world.ts'

const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const still: Clock = { now: () => 0 as Milliseconds, passed: () => 0, after: () => () => undefined }

/**
 * Makes an actor from all of its journal, from the first record on, and compares it with the one that lives. Only where the live one waits for
 * no append, so that the two must be the same, to the byte.
 */
export function checkReplay(world: World, post: Post, owner: Owner): void {
  const { verdict, trace, scheduler } = world.circumstances
  if (!owner.running || owner.journal.appending || world.epochs.owner(post.actor) !== owner.host) return
  const { machine, observed } = post.fresh(owner.host)
  const envelope = envelopeOf('record', world.secret, world.venue, post.actor, world.random.fork('replay'))
  const replica = replicaOf(post.actor, observed, envelope, world.venue.subjects, still, silent)
  const records = world.journals.archive(post.actor)
  trace.event(scheduler.now_us, 'replayed', owner.host.name, records.length)
  try {
    for (const { record } of records) {
      replica.replay(record)
      world.history.replayed(post.actor, observed.take())
    }
  } catch (error) {
    return verdict.broken('replay equals live', `the journal of ${post.actor} cannot be replayed: ${error instanceof Error ? error.message : String(error)}`)
  }
  const same = Buffer.from(machine.snapshot()).equals(owner.machine.snapshot())
  verdict.holds(same, 'replay equals live', () => `the journal of ${post.actor} makes another state than ${owner.host.name} has`)
}
