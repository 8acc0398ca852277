/** Messages `first` … `last` of all that were sent to one peer, as the packet that carries them. */
export interface SentPacket {
  readonly first: number
  readonly last: number
  readonly bytes: Uint8Array
}

/**
 * Packets that were sent to one peer and may be needed again, by the positions of their messages. They are kept as they were encoded: what a
 * record's digest is made from is what leaves, however often it leaves.
 */
export class PacketOutbox {
  #packets: SentPacket[] = []
  /** Packets before this index are trimmed. */
  #head = 0
  /** Position of the last trimmed message. */
  #trimmed = 0
  #last = 0

  constructor(trimmed = 0, packets: readonly SentPacket[] = []) {
    this.#trimmed = trimmed
    // The first packet may begin before what is trimmed: it goes only when all of it is acknowledged.
    this.#last = (packets[0]?.first ?? trimmed + 1) - 1
    for (const packet of packets) this.push(packet)
    if ((packets[0]?.first ?? 0) > trimmed + 1 || packets.some(({ last }) => last <= trimmed)) throw new Error('outbox: the packets do not fit what is trimmed')
  }

  /** Position of the last message that was ever put in; 0 where there was none. */
  get last(): number {
    return this.#last
  }

  get trimmed(): number {
    return this.#trimmed
  }

  /** Messages that are not trimmed. */
  get size(): number {
    return this.#last - this.#trimmed
  }

  /** Packets that hold what is not trimmed, in order. */
  get packets(): readonly SentPacket[] {
    return this.#packets.slice(this.#head)
  }

  push(packet: SentPacket): void {
    if (packet.first !== this.#last + 1 || packet.last < packet.first) throw new Error(`outbox: positions ${packet.first}–${packet.last} do not follow ${this.#last}`)
    this.#packets.push(packet)
    this.#last = packet.last
  }

  /** Forgets everything up to and including `position`. */
  trim(position: number): void {
    if (position <= this.#trimmed) return
    if (position > this.#last) throw new Error(`outbox: position ${position} is beyond the last, ${this.#last}`)
    this.#trimmed = position
    while (this.#head < this.#packets.length && (this.#packets[this.#head] as SentPacket).last <= position) this.#head++
    if (this.#head * 2 >= this.#packets.length) {
      this.#packets = this.#packets.slice(this.#head)
      this.#head = 0
    }
  }

  /** The packet that holds the message at `position`. */
  at(position: number): SentPacket {
    let [low, high] = [this.#head, this.#packets.length - 1]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#packets[middle] as SentPacket).last < position) low = middle + 1
      else high = middle
    }
    const packet = this.#packets[low]
    if (packet === undefined || packet.first > position || packet.last < position) throw new Error(`outbox: no message ${position} in ${this.#trimmed + 1}–${this.#last}`)
    return packet
  }
}
