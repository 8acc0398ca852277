import type { ActorName, Milliseconds } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import { PacketOutbox } from './packetOutbox.ts'
import type { SentPacket } from './packetOutbox.ts'
import { peerPacket } from './packets.ts'

/** Messages on their way to one peer at a time: what a receiver that lost a packet gets again. */
const windowMessages = 8 * limits.packetItems
/** Without progress for so long, the sender asks where the receiver stands. */
const patience_ms = { first: 400, most: 5_000 }
/** Answers in a row that fall short of what the peer said before: one or two may have been late on the way. */
const lostAnswers = 3
/** A receiver that misses a packet says so with every later one; it is sent again once in this time. */
const rewind_ms = 50

/** What was sent to a peer and is not acknowledged: packets that reach behind position `trimmed`. */
export interface SentState {
  readonly peer: ActorName
  readonly trimmed: number
  readonly packets: readonly SentPacket[]
}

/**
 * The sending side towards one peer. Replayed state: what was ever sent and not yet acknowledged in a journaled record. Around it, live: how
 * far it is durable (`#released`), how far it went out (`#sent`), how far the peer has said it is (`#heard`).
 */
export class Link {
  readonly peer: ActorName
  readonly #self: ActorName
  readonly #publish: (bytes: Uint8Array) => void
  readonly #outbox: PacketOutbox
  /** Of the batch that is being applied. */
  #pushed: unknown[] = []
  #released = 0
  #sent = 0
  #heard = 0
  #heardBytes: Uint8Array | null = null
  #patience_ms = patience_ms.first
  #progressAt = 0 as Milliseconds
  #rewoundAt = 0 as Milliseconds
  #asked = false
  /** Answers to questions, in a row, that were lower than one before. */
  #lower = 0

  constructor(self: ActorName, peer: ActorName, publish: (bytes: Uint8Array) => void, outbox = new PacketOutbox()) {
    this.#outbox = outbox
    this.#heard = outbox.trimmed
    this.#self = self
    this.peer = peer
    this.#publish = publish
  }

  /** Messages not acknowledged, as the replayed state knows it. */
  get backlog(): number {
    return this.#outbox.size + this.#pushed.length
  }

  /** Messages that the peer has not said it has, as far as is known here and now. */
  get behind(): number {
    return this.#outbox.last - this.#heard
  }

  /** Whether the peer has less than it acknowledged: its journal has lost its end, and what it lacks is forgotten here. */
  get lost(): boolean {
    return this.#lower >= lostAnswers
  }

  get state(): SentState {
    const { trimmed, packets } = this.#outbox
    return { peer: this.peer, trimmed, packets }
  }

  push(message: unknown): void {
    this.#pushed.push(message)
  }

  /** The batch is applied: what it pushed becomes packets, which a replay makes byte for byte again. */
  close(): readonly SentPacket[] {
    const packets: SentPacket[] = []
    for (let at = 0; at < this.#pushed.length; ) {
      const first = this.#outbox.last + 1
      const { bytes, count } = peerPacket(this.#self, first, at === 0 ? this.#pushed : this.#pushed.slice(at))
      const packet = { first, last: first + count - 1, bytes }
      this.#outbox.push(packet)
      packets.push(packet)
      at += count
    }
    this.#pushed = []
    return packets
  }

  /** A journaled acknowledgement. */
  trim(position: number): void {
    this.#outbox.trim(position)
    if (this.#heard < position) this.#heard = position
  }

  /** The acknowledgement that belongs into the next record, as it came, or null; the outbox is trimmed by it. */
  takeAck(): Uint8Array | null {
    const bytes = this.#heard > this.#outbox.trimmed ? this.#heardBytes : null
    if (bytes !== null) this.#outbox.trim(this.#heard)
    this.#heardBytes = null
    return bytes
  }

  /** Everything closed so far is durable. */
  release(now: Milliseconds): void {
    this.#released = this.#outbox.last
    this.#pump(now)
  }

  /** A replay is over: nothing is known of what went out, so it counts as sent, and the peer is to be asked what is missing. */
  replayed(): void {
    this.#released = this.#outbox.last
    this.#sent = this.#released
  }

  /** An empty packet, where anything is not acknowledged or what is seems lost: the peer answers with its position. */
  ask(now: Milliseconds): void {
    if (this.#settled) return
    this.#asked = true
    this.#progressAt = now
    this.#publish(peerPacket(this.#self, this.#released + 1, []).bytes)
  }

  /**
   * The peer has durably applied everything up to `position`.
   * @throws Error where that was never sent: another owner sends, or this journal has lost its end, and going on would have the peer take
   * new messages for old ones
   */
  heard(position: number, bytes: Uint8Array, now: Milliseconds): void {
    if (position > this.#released) throw neverSent(this.peer, position, this.#released)
    // A low one that nobody asked for is a reason to ask. Asked for, again and again, it is no straggler.
    if (position >= this.#heard) this.#lower = 0
    else if (this.#asked || this.#lower === 0) this.#lower++
    const repeated = position <= this.#heard
    if (!repeated) {
      this.#heard = position
      this.#heardBytes = bytes
      this.#patience_ms = patience_ms.first
      this.#progressAt = now
      if (this.#sent < position) this.#sent = position
    }
    // The answer to our question, or the same position twice: what went out after it did not arrive.
    const missing = this.#sent > this.#heard && (this.#asked || (repeated && position === this.#heard && now - this.#rewoundAt >= rewind_ms))
    this.#asked = false
    if (missing) {
      this.#rewoundAt = now
      this.#sent = this.#heard
    }
    this.#pump(now)
  }

  /** Called every now and then. */
  tick(now: Milliseconds): void {
    if (this.#settled || now - this.#progressAt < this.#patience_ms) return
    this.#patience_ms = Math.min(this.#patience_ms * 2, patience_ms.most)
    this.ask(now)
  }

  get #settled(): boolean {
    return this.#heard >= this.#released && this.#lower === 0
  }

  #pump(now: Milliseconds): void {
    if (this.#sent === this.#heard) this.#progressAt = now
    while (this.#sent < this.#released && this.#sent - this.#heard < windowMessages) {
      // It may begin with what the peer has: the peer skips that.
      const { bytes, last } = this.#outbox.at(this.#sent + 1)
      this.#publish(bytes)
      this.#sent = last
    }
  }
}

/** An acknowledgement beyond everything that this owner knows to have been sent. */
export const neverSent = (peer: ActorName, position: number, sent: number): Error =>
  new Error(`${peer} has applied ${position} messages, ${sent} were sent: there is another owner, or the journal has lost its end`)
