import type { ActorName } from '../../protocol/identity.ts'
import type { SeenNode } from './keys.ts'

/** A node that does not renew its entry is gone after so long, in looks that succeeded one after another: three renewals. */
export const absence_ms = 1_500
/** What is gone is remembered for as long as a lease that it left may last. */
const memory_ms = 10_000

interface Known {
  readonly node: SeenNode
  readonly renewedAt_ms: number
}

/**
 * Which nodes count as there: those whose entries are renewed. After the store was away nobody could renew, and everybody's entry may have lapsed;
 * whoever comes back first must not think itself alone: absence counts from the first look that succeeds again.
 */
export class Membership {
  #known = new Map<string, Known>()
  #now_ms = 0
  #blind = false

  /** The store gave no answer. */
  lost(): void {
    this.#blind = true
  }

  look(nodes: readonly SeenNode[], now_ms: number): void {
    const known = new Map<string, Known>()
    for (const [name, { node, renewedAt_ms }] of this.#known) {
      const since_ms = this.#blind ? now_ms : renewedAt_ms
      // One that said that it leaves, and whose entry is gone, is forgotten at once.
      if (!node.leaving && now_ms - since_ms < memory_ms) known.set(name, { node, renewedAt_ms: since_ms })
    }
    for (const node of nodes) {
      const before = known.get(node.node)
      known.set(node.node, before?.node.revision === node.revision ? before : { node, renewedAt_ms: now_ms })
    }
    this.#known = known
    this.#now_ms = now_ms
    this.#blind = false
  }

  /** Names of the nodes that may run an actor now. */
  able(actor: ActorName): string[] {
    const able: string[] = []
    for (const known of this.#known.values()) if (!this.#absent(known) && !known.node.leaving && known.node.actors.includes(actor)) able.push(known.node.node)
    return able
  }

  /** It was there, and is not any more: nobody need wait for what it holds. */
  isGone(name: string): boolean {
    const known = this.#known.get(name)
    return known !== undefined && this.#absent(known)
  }

  #absent({ renewedAt_ms }: Known): boolean {
    return this.#now_ms - renewedAt_ms >= absence_ms
  }
}
