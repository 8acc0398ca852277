import { createHash } from 'node:crypto'
import type { ActorName } from '../../protocol/identity.ts'

/** What a node weighs for an actor: a number that everybody computes alike, and that looks like chance. */
function weight(node: string, actor: ActorName): bigint {
  return createHash('sha256').update(`${node}\n${actor}`).digest().readBigUInt64BE()
}

/**
 * Where an actor belongs: of the nodes that may run it, the one that weighs most for it (rendezvous hashing, Thaler and Ravishankar 1998). A node
 * that goes gives away only what was its own; one that comes takes only what will be.
 * @returns undefined where there is no node
 */
export function ownerOf(actor: ActorName, nodes: readonly string[], pin?: string): string | undefined {
  if (pin !== undefined && nodes.includes(pin)) return pin
  let best: { readonly node: string; readonly weight: bigint } | undefined
  for (const node of nodes) {
    const its = weight(node, actor)
    if (best === undefined || its > best.weight || (its === best.weight && node < best.node)) best = { node, weight: its }
  }
  return best?.node
}
