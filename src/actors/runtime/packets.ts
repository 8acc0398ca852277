import { decode, encode } from '../../protocol/codec.ts'
import { limits } from '../../protocol/limits.ts'
import type { ActorName } from '../../protocol/identity.ts'
import type { AnswerPacket, ClientPacket, NumberedAnswer, PeerAck, PeerPacket } from '../../protocol/packets.ts'
import { recordRoom } from './record.ts'

/** Names become NATS subjects, so they must be what they claim. */
const gatewayName = /^[A-Za-z0-9_-]{1,64}$/
const actorName = /^[a-z]{1,16}\.[A-Za-z0-9_-]{1,64}$/

/** Largest packet an actor reads or sends, in bytes: two fit one journal record. */
export const packetRoom = Math.floor(recordRoom / 2)

/** Bytes that are not the packet they should be: logged without contents, dropped, never journaled. */
export class MalformedPacket extends Error {
  constructor(what: string) {
    super(what)
    this.name = 'MalformedPacket'
  }
}

function read<Packet>(bytes: Uint8Array): Partial<Packet> {
  if (bytes.length > packetRoom) throw new MalformedPacket(`${bytes.length} bytes`)
  let value: unknown
  try {
    value = decode(bytes)
  } catch {
    // What the decoder says may quote the bytes.
    throw new MalformedPacket('not of this codec')
  }
  if (typeof value !== 'object' || value === null) throw new MalformedPacket('not an object')
  return value
}

const isPosition = (value: unknown, least: number): value is number => Number.isSafeInteger(value) && (value as number) >= least

/** @throws MalformedPacket */
export function readClientPacket(bytes: Uint8Array): ClientPacket<unknown, unknown> {
  const { gateway, items } = read<ClientPacket<unknown, unknown>>(bytes)
  if (typeof gateway !== 'string' || !gatewayName.test(gateway)) throw new MalformedPacket('gateway')
  if (!Array.isArray(items) || items.length === 0 || items.length > limits.packetItems) throw new MalformedPacket('items')
  for (const item of items as readonly unknown[]) {
    if (typeof item !== 'object' || item === null || !('request' in item) || !isPosition(item.request, 0)) throw new MalformedPacket('request')
    if ('command' in item === 'query' in item) throw new MalformedPacket('command or query')
  }
  return { gateway, items }
}

/** @throws MalformedPacket */
export function readPeerPacket(bytes: Uint8Array): PeerPacket {
  const { from, first, items } = read<PeerPacket>(bytes)
  if (typeof from !== 'string' || !actorName.test(from)) throw new MalformedPacket('from')
  if (!isPosition(first, 1)) throw new MalformedPacket('first')
  if (!Array.isArray(items) || items.length > limits.packetItems) throw new MalformedPacket('items')
  return { from, first, items }
}

/** @throws MalformedPacket */
export function readPeerAck(bytes: Uint8Array): PeerAck {
  const { from, position } = read<PeerAck>(bytes)
  if (typeof from !== 'string' || !actorName.test(from)) throw new MalformedPacket('from')
  if (!isPosition(position, 0)) throw new MalformedPacket('position')
  return { from, position }
}

/**
 * The most items from `first` on that fit one packet, encoded.
 * @throws Error where a single message does not fit: the machine that made it is at fault
 */
export function peerPacket(from: ActorName, first: number, items: readonly unknown[]): { bytes: Uint8Array; count: number } {
  let count = Math.min(items.length, limits.packetItems)
  for (;;) {
    const bytes = encode({ from, first, items: count === items.length ? items : items.slice(0, count) } satisfies PeerPacket)
    if (bytes.length <= packetRoom) return { bytes, count }
    if (count <= 1) throw new Error(`a message of ${bytes.length} bytes does not fit a packet`)
    count = Math.ceil(count / 2)
  }
}

/** Packs answers into as many packets as they need; one that fits none becomes `internal_error`. */
export function* answerPackets(from: ActorName, answers: readonly NumberedAnswer[], itemsPerPacket: number): Iterable<Uint8Array> {
  for (let at = 0; at < answers.length; ) {
    let count = Math.min(answers.length - at, itemsPerPacket)
    for (;;) {
      const some = answers.slice(at, at + count)
      const bytes = encode({ from, answers: some } satisfies AnswerPacket)
      if (bytes.length <= limits.packetBytes) {
        yield bytes
        break
      }
      if (count === 1) {
        yield encode({ from, answers: [{ request: answers[at]!.request, answer: { refused: 'internal_error' } }] } satisfies AnswerPacket)
        break
      }
      count = Math.ceil(count / 2)
    }
    at += count
  }
}
