import { engineKeyPaths } from '../enclave/engineKeys.ts'
import { feedKeyPaths } from '../enclave/feedKeys.ts'
import { gather, pick } from '../enclave/givenKeys.ts'
import type { Secrets } from '../enclave/givenKeys.ts'
import { journalKeyPaths } from '../enclave/journalKeys.ts'
import { keyPaths } from '../enclave/keys.ts'
import type { Keys } from '../enclave/keys.ts'
import { sourceKeyPaths } from '../enclave/sourceKeys.ts'
import type { ActorName } from '../protocol/identity.ts'
import type { Venue } from '../protocol/venue.ts'

type Thread = ActorName | 'snapshots'

/** The secrets of a shard, of which each of its threads is handed its own: a market's thread can neither settle nor seal an account's feed. */
export class ThreadKeys {
  readonly #venue: Venue
  readonly #secrets: Secrets

  private constructor(venue: Venue, secrets: Secrets) {
    this.#venue = venue
    this.#secrets = secrets
  }

  /** @param actors those that may run in this shard */
  static async open(keys: Keys, venue: Venue, actors: readonly ActorName[]): Promise<ThreadKeys> {
    const threads: Thread[] = ['snapshots', ...actors]
    return new ThreadKeys(venue, await gather(keys, threads.flatMap((thread) => pathsOf(thread, venue))))
  }

  of(thread: Thread): Secrets {
    return pick(this.#secrets, pathsOf(thread, this.#venue))
  }
}

function pathsOf(thread: Thread, { file }: Venue): readonly string[] {
  const [role] = thread.split('.')
  const journal = journalKeyPaths(file)
  if (role === 'vault') return [...journal, ...feedKeyPaths(file)]
  if (role === 'settlement') return [...journal, keyPaths.receipts, ...engineKeyPaths(file), ...sourceKeyPaths(file)]
  // What is replayed beside the actors makes the leaves that they made.
  return role === 'snapshots' ? [...journal, keyPaths.receipts] : journal
}
