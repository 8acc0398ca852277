import type { MessagePort } from 'node:worker_threads'
import type { ActorName } from '../protocol/identity.ts'
import type { HostData } from './control.ts'
import type { FoundFault } from './runtime/journalFault.ts'
import type { Snapshotted } from './runtime/snapshotter.ts'

/** Either what was done, or what is wrong with the journal or with its owner. */
export type Taken = Snapshotted | { readonly fault: FoundFault }

/** What the shard may ask of the thread that takes snapshots. */
export interface SnapshotControl {
  /**
   * Takes one, of an actor that may be running. @param least new records without which there is none
   * @throws Error where the store does not answer
   */
  take(actor: ActorName, least: number): Promise<Taken>
  /** Whether what is stored of it needs an older key than the venue's current one. @throws Error where the store does not answer */
  outdated(actor: ActorName): Promise<boolean>
}

/** What that thread is started with. */
export interface SnapshotData extends Omit<HostData, 'actor' | 'node'> {
  readonly port: MessagePort
}
