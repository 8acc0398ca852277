import { readHeading } from '../../src/actors/runtime/envelope.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import type { Host } from '../host.ts'
import type { StoredRecord } from '../journals.ts'
import type { Verdict } from '../violation.ts'

interface Term {
  readonly epoch: number
  readonly owner: Host
  readonly index: number
}

/** One owner per epoch, and every record the next: looked at as records are stored. */
export class Epochs {
  readonly #verdict: Verdict
  readonly #terms = new Map<ActorName, Term>()

  constructor(verdict: Verdict) {
    this.#verdict = verdict
  }

  /** Who wrote the last record. */
  owner(actor: ActorName): Host | undefined {
    return this.#terms.get(actor)?.owner
  }

  stored(actor: ActorName, { record, writer }: StoredRecord): void {
    const { epoch, index } = readHeading(record).heading
    const term = this.#terms.get(actor)
    const last = term?.epoch ?? 0
    this.#verdict.holds(epoch === last || epoch === last + 1, 'one owner per epoch', () => `a record of ${actor} of epoch ${epoch} is stored after one of epoch ${last}`)
    this.#verdict.holds(epoch !== last || term?.owner === writer, 'one owner per epoch', () => `${writer.name} writes in the epoch of ${term?.owner.name ?? 'nobody'}`)
    this.#verdict.holds(index === (term?.index ?? 0) + 1, 'one history', () => `record ${index} of ${actor} is stored after record ${term?.index ?? 0}`)
    this.#terms.set(actor, { epoch, owner: writer, index })
  }
}
