import type { ActorName } from '../../src/protocol/identity.ts'
import type { Host } from '../host.ts'
import type { Verdict } from '../violation.ts'

interface Term {
  readonly epoch: number
  readonly owner: Host
}

/** Of each journal what placement may not get wrong: whose it is. An append of another owner is refused, as JetStream refuses one that does not name the last record. */
export class Journals {
  readonly #verdict: Verdict
  readonly #terms = new Map<ActorName, Term>()
  /** Appends that were refused. */
  refused = 0

  constructor(verdict: Verdict) {
    this.#verdict = verdict
  }

  term(actor: ActorName): Term | undefined {
    return this.#terms.get(actor)
  }

  /** The number of the new owner's epoch. */
  takeOver(actor: ActorName, owner: Host): number {
    const epoch = (this.#terms.get(actor)?.epoch ?? 0) + 1
    this.#terms.set(actor, { epoch, owner })
    return epoch
  }

  /** False where it is refused; `forced` where whoever appends does not ask. */
  append(actor: ActorName, owner: Host, epoch: number, forced: boolean): boolean {
    const term = this.#terms.get(actor)
    const last = term?.epoch === epoch && term.owner === owner
    if (!last && !forced) {
      this.refused++
      return false
    }
    this.#verdict.holds(last, 'one owner per epoch', () => `${owner.name} writes ${actor} in epoch ${epoch}, after ${term?.owner.name ?? 'nobody'} in ${term?.epoch ?? 0}`)
    return true
  }
}
