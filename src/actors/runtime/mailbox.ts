import type { ClientPacket, PeerPacket } from '../../protocol/packets.ts'
import { limits } from '../../protocol/limits.ts'
import { packetRoom } from './packets.ts'

/** What waits for an actor: packets, read but not applied. */
export type Mail =
  | { readonly kind: 'client'; readonly bytes: Uint8Array; readonly packet: ClientPacket<unknown, unknown> }
  | { readonly kind: 'peer'; readonly bytes: Uint8Array; readonly packet: PeerPacket }
  | { readonly kind: 'local'; readonly bytes: Uint8Array; readonly input: unknown; readonly done: () => void; readonly failed: (error: Error) => void }

/** How many inputs a piece of mail is: an empty packet, which asks for an acknowledgement, counts as well. */
const inputsOf = (mail: Mail): number => (mail.kind === 'local' ? 1 : Math.max(1, mail.packet.items.length))

/** First in, first out, bounded by inputs; taken a batch at a time. */
export class Mailbox {
  #waiting: Mail[] = []
  #head = 0
  #inputs = 0

  /** Inputs waiting. */
  get inputs(): number {
    return this.#inputs
  }

  /** False where it has no room: the caller refuses or drops, as suits what it holds. The driver's own inputs always fit: it waits for each. */
  put(mail: Mail): boolean {
    const inputs = inputsOf(mail)
    if (mail.kind !== 'local' && this.#inputs + inputs > limits.mailboxInputs) return false
    this.#waiting.push(mail)
    this.#inputs += inputs
    return true
  }

  /** The next batch: at most `limits.batchInputs` inputs (or one packet), small enough for one journal record. */
  take(): Mail[] {
    let inputs = 0
    let bytes = 0
    let end = this.#head
    for (; end < this.#waiting.length; end++) {
      const mail = this.#waiting[end]!
      const more = inputsOf(mail)
      if (end > this.#head && (inputs + more > limits.batchInputs || bytes + mail.bytes.length > packetRoom)) break
      inputs += more
      bytes += mail.bytes.length
    }
    const batch = this.#head === 0 && end === this.#waiting.length ? this.#waiting : this.#waiting.slice(this.#head, end)
    if (end === this.#waiting.length) {
      this.#waiting = []
      this.#head = 0
    } else if (end * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(end)
      this.#head = 0
    } else {
      this.#head = end
    }
    this.#inputs -= inputs
    return batch
  }

  /** Everything that waits, without applying it. */
  clear(): Mail[] {
    const all = this.#waiting.slice(this.#head)
    this.#waiting = []
    this.#head = 0
    this.#inputs = 0
    return all
  }
}
