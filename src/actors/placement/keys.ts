import type { ActorName } from '../../protocol/identity.ts'
import { valueOf } from './store.ts'
import type { Entry } from './store.ts'

// The keys of the placement bucket, and what stands in them.

export const nodeKey = (node: string): string => `node.${node}`
export const leaseKey = (actor: ActorName): string => `lease.${actor}`
export const pinKey = (actor: ActorName): string => `pin.${actor}`
/** An operator wants nothing to run on that node. */
export const drainKey = (node: string): string => `drain.${node}`

/** Who holds a lease: a node by its name, and which of its lives. */
export interface Holder {
  readonly node: string
  readonly instance: string
}

/** A node that lives, as it says of itself. */
export interface NodeEntry extends Holder {
  /** Actors that it may run. */
  readonly actors: readonly ActorName[]
  /** It is ending, and takes nothing new. */
  readonly leaving: boolean
}

/** @throws SyntaxError where somebody else wrote into the bucket */
export const readHolder = (entry: Entry | undefined): Holder | null => {
  const value = valueOf(entry)
  return value === null ? null : (JSON.parse(value) as Holder)
}

/** A node's entry as it stands: each renewal has another revision. */
export interface SeenNode extends NodeEntry {
  readonly revision: number
}

/** Every node in a look at the bucket, by name. One that is drained leaves, whether it knows or not: everybody decides by the same key. */
export function readNodes(entries: ReadonlyMap<string, Entry>): SeenNode[] {
  const nodes: SeenNode[] = []
  for (const [key, { value, revision }] of entries) {
    if (!key.startsWith('node.') || value === null) continue
    const entry = JSON.parse(value) as NodeEntry
    nodes.push({ ...entry, leaving: entry.leaving || isDrained(entries, entry.node), revision })
  }
  return nodes.sort((a, b) => (a.node < b.node ? -1 : 1))
}

export const readPin = (entries: ReadonlyMap<string, Entry>, actor: ActorName): string | undefined => valueOf(entries.get(pinKey(actor))) ?? undefined

export const isDrained = (entries: ReadonlyMap<string, Entry>, node: string): boolean => valueOf(entries.get(drainKey(node))) !== null
