import type { ActorName } from '../../protocol/identity.ts'
import { drainKey, pinKey } from './keys.ts'
import type { PlacementStore } from './store.ts'

const attempts = 5

/**
 * Pins an actor to a node, whatever weighs more for it; null lets it go where it belongs. A pin to a node that is not there does nothing.
 * @throws Error where somebody else changes the pin all the time, or the store does not answer
 */
export const setPin = (store: PlacementStore, actor: ActorName, node: string | null): Promise<void> => set(store, pinKey(actor), node, `the pin of ${actor}`)

/** Has every actor leave a node, and none go there, until it is said that it may. @throws Error as `setPin` does */
export const setDrain = (store: PlacementStore, node: string, drained: boolean): Promise<void> => set(store, drainKey(node), drained ? 'drained' : null, `whether ${node} is drained`)

async function set(store: PlacementStore, key: string, value: string | null, what: string): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const entry = (await store.read()).get(key)
    if ((entry?.value ?? null) === value) return
    if ((await store.write(key, value, entry?.revision ?? 0, null)) !== null) return
  }
  throw new Error(`${what} is being changed by somebody else`)
}
