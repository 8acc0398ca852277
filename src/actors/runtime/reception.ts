import type { ActorName } from '../../protocol/identity.ts'
import type { ClientPacket, PeerAck, PeerPacket } from '../../protocol/packets.ts'
import type { Subjects } from '../../protocol/subjects.ts'
import type { Log } from './log.ts'
import { MalformedPacket, readClientPacket, readPeerAck, readPeerPacket } from './packets.ts'
import type { Transport } from './transport.ts'

/** What becomes of packets that are what they should be. */
export interface Received {
  clients(packet: ClientPacket<unknown, unknown>, bytes: Uint8Array): void
  peers(packet: PeerPacket, bytes: Uint8Array): void
  ack(ack: PeerAck, bytes: Uint8Array): void
  reconnected(): void
  /** Something else than a malformed packet went wrong. */
  failed(error: unknown): void
}

/** Listens on an actor's subjects until the function it gives back is called. Malformed packets are dropped and never journaled. */
export function receive(name: ActorName, subjects: Subjects, transport: Transport, log: Log, received: Received): () => void {
  const guarded = (what: string, take: (bytes: Uint8Array) => void) => (bytes: Uint8Array) => {
    try {
      take(bytes)
    } catch (error) {
      if (error instanceof MalformedPacket) log.warn('actor', 'a malformed packet is dropped', { what, reason: error.message })
      else received.failed(error)
    }
  }
  const leave = [
    transport.subscribe(subjects.clients(name), guarded('clients', (bytes) => received.clients(readClientPacket(bytes), bytes))),
    transport.subscribe(subjects.peers(name), guarded('peers', (bytes) => received.peers(readPeerPacket(bytes), bytes))),
    transport.subscribe(subjects.acks(name), guarded('acks', (bytes) => received.ack(readPeerAck(bytes), bytes))),
    transport.onReconnect(() => received.reconnected()),
  ]
  return () => {
    for (const unsubscribe of leave) unsubscribe()
  }
}
