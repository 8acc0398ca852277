import type { ActorName } from '../../protocol/identity.ts'
import type { NodeEntry } from './keys.ts'

/** A node that is not seen is gone only after so long, in looks that succeeded one after another. */
const absence_ms = 1_500

interface Known {
  readonly entry: NodeEntry
  readonly seenAt_ms: number
}

/**
 * Which nodes count as there. After the store was away everybody's registration may have lapsed, and whoever comes back first must not think
 * itself alone: absence counts from the first look that succeeds again.
 */
export class Membership {
  #known = new Map<string, Known>()
  #blind = false

  /** The store gave no answer. */
  lost(): void {
    this.#blind = true
  }

  look(nodes: readonly NodeEntry[], now_ms: number): void {
    const known = new Map<string, Known>()
    for (const [name, { entry, seenAt_ms }] of this.#known) {
      // One that said that it leaves, and is gone, is gone.
      const since_ms = this.#blind ? now_ms : seenAt_ms
      if (!entry.leaving && now_ms - since_ms < absence_ms) known.set(name, { entry, seenAt_ms: since_ms })
    }
    for (const entry of nodes) known.set(entry.node, { entry, seenAt_ms: now_ms })
    this.#known = known
    this.#blind = false
  }

  /** Names of the nodes that may run an actor now. */
  able(actor: ActorName): string[] {
    const able: string[] = []
    for (const { entry } of this.#known.values()) if (!entry.leaving && entry.actors.includes(actor)) able.push(entry.node)
    return able
  }
}
