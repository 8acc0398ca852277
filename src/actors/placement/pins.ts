import type { ActorName } from '../../protocol/identity.ts'
import { pinKey } from './keys.ts'
import type { PlacementStore } from './store.ts'

const attempts = 5

/**
 * Pins an actor to a node, whatever weighs more for it; null lets it go where it belongs. A pin to a node that is not there does nothing.
 * @throws Error where somebody else changes the pin all the time, or the store does not answer
 */
export async function setPin(store: PlacementStore, actor: ActorName, node: string | null): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const entry = (await store.read()).get(pinKey(actor))
    if ((entry?.value ?? null) === node) return
    if ((await store.write(pinKey(actor), node, entry?.revision ?? 0, null)) !== null) return
  }
  throw new Error(`the pin of ${actor} is being changed by somebody else`)
}
