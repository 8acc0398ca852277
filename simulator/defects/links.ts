import type { Transport } from '../../src/actors/runtime/transport.ts'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import type { PeerAck, PeerPacket } from '../../src/protocol/packets.ts'
import type { Defect, Place } from './defect.ts'

/** What an actor's own acknowledgements say of how far it has come with each sender. */
class Positions {
  readonly #positions = new Map<string, number>()

  of(from: ActorName): number | undefined {
    return this.#positions.get(from)
  }

  set(from: string, position: number): void {
    this.#positions.set(from, position)
  }
}

/** Changes packets of peers on their way in; `positions` follows what the actor acknowledges. */
function changed(transport: Transport, place: Place, change: (packet: PeerPacket, positions: Positions) => PeerPacket): Transport {
  const positions = new Positions()
  return {
    publish: (subject, data) => {
      const sender = /\.actor\.(.+)\.acks$/.exec(subject)?.[1]
      if (sender !== undefined) positions.set(sender, decode<PeerAck>(data).position)
      transport.publish(subject, data)
    },
    subscribe: (subject, receive) =>
      transport.subscribe(subject, subject.endsWith(`${place.actor}.peers`) ? (data) => receive(encode(change(decode<PeerPacket>(data), positions))) : receive),
    onReconnect: (call) => transport.onReconnect(call),
    flush: () => transport.flush(),
  }
}

/** The packet numbered as if its first message were the next that is expected. */
function asNew(packet: PeerPacket, applied: number | undefined): PeerPacket {
  const old = applied !== undefined && packet.items.length > 0 && packet.first + packet.items.length - 1 <= applied
  return old ? { ...packet, first: applied + 1 } : packet
}

export const noDuplicateFilter: Defect = {
  name: 'no-duplicate-filter',
  what: 'A packet of another actor is applied as often as it arrives.',
  transport: (transport, place) => changed(transport, place, (packet, positions) => asNew(packet, positions.of(packet.from))),
}

export const positionForgotten: Defect = {
  name: 'position-forgotten',
  what: 'After a restart an actor takes the first packet of each sender for a new one.',
  transport: (transport, place) => {
    const known = new Set<ActorName>()
    return changed(transport, place, (packet, positions) => {
      if (place.before === 0 || known.has(packet.from) || packet.items.length === 0) return packet
      known.add(packet.from)
      const applied = positions.of(packet.from) ?? 0
      return { ...packet, first: applied + 1 }
    })
  },
}

export const ackFirst: Defect = {
  name: 'ack-first',
  what: 'A packet of another actor is acknowledged as it arrives, before it is in the journal.',
  transport: (transport, place) => {
    const acks = (sender: ActorName, subject: string): string => subject.replace(`.actor.${place.actor}.peers`, `.actor.${sender}.acks`)
    const seen = new Map<ActorName, number>()
    return {
      publish: (subject, data) => transport.publish(subject, data),
      subscribe: (subject, receive) =>
        transport.subscribe(subject, (data) => {
          if (subject.endsWith(`${place.actor}.peers`)) {
            const { from, first, items } = decode<PeerPacket>(data)
            const last = first + items.length - 1
            const position = seen.get(from)
            if (items.length > 0 && (position === undefined || first <= position + 1)) {
              seen.set(from, Math.max(last, position ?? 0))
              transport.publish(acks(from, subject), encode({ from: place.actor, position: last } satisfies PeerAck))
            }
          }
          receive(data)
        }),
      onReconnect: (call) => transport.onReconnect(call),
      flush: () => transport.flush(),
    }
  },
}

export const feedLossIgnored: Defect = {
  name: 'feed-loss-ignored',
  what: 'A burst of feed messages that is not known to be stored is not sent again.',
  feed: (feed) => ({ store: (messages) => feed.store(messages).catch(() => undefined) }),
}
