import type { MessagePort } from 'node:worker_threads'
import type { ActorName } from '../protocol/identity.ts'
import type { HostData } from './control.ts'
import type { Snapshotted } from './runtime/snapshotter.ts'

/** What the shard may ask of the thread that takes snapshots. */
export interface SnapshotControl {
  /**
   * Takes one, of an actor that may be running.
   * @throws Error where the journal cannot be replayed, or the store does not answer
   */
  take(actor: ActorName): Promise<Snapshotted>
}

/** What that thread is started with. */
export interface SnapshotData extends Omit<HostData, 'actor' | 'node'> {
  readonly port: MessagePort
}
