import type { MessagePort } from 'node:worker_threads'
import type { Endpoint } from 'comlink'
import type { Secrets } from '../enclave/givenKeys.ts'
import type { Readings } from '../monitoring/meters.ts'
import type { NatsAccess } from '../protocol/natsAccess.ts'
import type { ActorName } from '../protocol/identity.ts'
import type { ActorStatus } from '../protocol/packets.ts'
import type { VenueFile } from '../protocol/venue.ts'
import type { FoundFault } from './runtime/journalFault.ts'
import type { ThreadKeys } from './threadKeys.ts'

/** What the supervisor may ask of the worker that hosts an actor. Control only: data goes over NATS. */
export interface HostControl {
  /** Resolves when the actor runs; the worker exits where it cannot. */
  start(): Promise<void>
  status(): ActorStatus
  /** What its operator's metrics are made of. */
  readings(): Promise<Readings>
  /** Takes nothing new, finishes what waits, and exits. */
  drain(limit_ms: number): Promise<void>
  /** Ends at once, as failed: its journal was read beside it, and does not lead to what it is. */
  distrust(fault: FoundFault): void
  /** Ends at once. */
  stop(): void
}

/** What a worker is started with. */
export interface HostData {
  readonly actor: ActorName
  /** The node it runs on. */
  readonly node: string
  /** The venue's configuration, which the shard has checked. */
  readonly venue: VenueFile
  /** What of the venue's secrets this thread needs. */
  readonly secrets: Secrets
  readonly nats: NatsAccess
  /** The module that makes settlement and watcher actors: actors do not import settlement, they are handed it. */
  readonly settlementModule: string
  readonly port: MessagePort
}

/** What a shard starts its workers with. */
export interface ShardData extends Omit<HostData, 'port' | 'actor' | 'secrets'> {
  readonly keys: ThreadKeys
}

/** Comlink's types know the browser's ports only; Node's have the same methods and events. */
export const endpointOf = (port: MessagePort): Endpoint => port as unknown as Endpoint
