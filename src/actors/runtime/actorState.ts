import { decode, encode } from '../../protocol/codec.ts'
import type { ActorName, Milliseconds } from '../../protocol/identity.ts'
import type { ClientPacket, PeerPacket } from '../../protocol/packets.ts'
import { genesisDigest, sameDigest, Transcript } from './digest.ts'
import { BatchEffects } from './effects.ts'
import type { Envelope, Enveloped } from './envelope.ts'
import type { Feed } from './feed.ts'
import { JournalFault } from './journalFault.ts'
import type { Links } from './links.ts'
import { sentence } from './log.ts'
import type { Machine } from './machine.ts'
import { readClientPacket, readPeerAck, readPeerPacket } from './packets.ts'
import { decodeBody, digestedPart, encodeBody, inputTag } from './record.ts'
import type { RecordBody, RecordInput } from './record.ts'
import type { Snapshot } from './snapshot.ts'

export interface ActorStateParts {
  readonly venue: string
  readonly name: ActorName
  readonly machine: Machine
  readonly links: Links
  readonly feed: Feed
  /** Of the journal's records. */
  readonly envelope: Envelope
}

/**
 * What an actor is, as far as its journal says: its machine, what it sent and published that is not acknowledged, how far it heard its peers,
 * and the record it has come to. Live it writes records (`advance`, inputs, `close`), in a replay it reads them; both go through the same
 * steps, and each record's digest says that they came to the same.
 */
export class ActorState {
  readonly effects: BatchEffects
  readonly #machine: Machine
  readonly #links: Links
  readonly #feed: Feed
  readonly #envelope: Envelope
  readonly #transcript = new Transcript()
  #epoch = 0
  #records = 0
  #restored = 0
  #bytes = 0
  #time = 0 as Milliseconds
  #digest: Uint8Array

  constructor({ venue, name, machine, links, feed, envelope }: ActorStateParts) {
    this.#machine = machine
    this.#links = links
    this.#feed = feed
    this.#envelope = envelope
    this.#digest = genesisDigest(venue, name)
    this.effects = new BatchEffects(links, feed)
  }

  /** Number of the owner whose record came last. */
  get epoch(): number {
    return this.#epoch
  }

  /** Number of the last record. */
  get records(): number {
    return this.#records
  }

  /** Number of the record whose snapshot it began from; 0 where it began at the beginning. */
  get restored(): number {
    return this.#restored
  }

  /** Bytes of the records that were written or replayed since. */
  get bytes(): number {
    return this.#bytes
  }

  get time(): Milliseconds {
    return this.#time
  }

  /** The digest chain after the last record. */
  get digest(): Uint8Array {
    return this.#digest
  }

  /** All of it. The same history gives the same snapshot, lived or replayed. */
  snapshot(): Snapshot {
    const [epoch, index, time, digest] = [this.#epoch, this.#records, this.#time, this.#digest]
    return { epoch, index, time, digest, links: this.#links.state, feed: this.#feed.state, machine: this.#machine.snapshot() }
  }

  /**
   * Begins where the snapshot was taken. Nothing may have happened yet.
   * @throws JournalFault where the machine does not know what it is given; nothing has happened then
   */
  restore(snapshot: Snapshot): void {
    if (this.#records > 0) throw new Error('a snapshot is where an actor begins')
    try {
      this.#links.restore(snapshot.links)
      this.#feed.restore(snapshot.feed)
      this.#machine.restore(snapshot.machine)
    } catch (error) {
      this.#links.restore({ applied: [], sent: [] })
      this.#feed.restore({ trimmed: 0, waiting: [] })
      throw new JournalFault('unknown_version', snapshot.index, `its snapshot is refused: ${sentence(error)}`, error)
    }
    this.#epoch = snapshot.epoch
    this.#records = snapshot.index
    this.#time = snapshot.time
    this.#digest = snapshot.digest
    this.#restored = snapshot.index
  }

  // Live

  /** The replay is over: from here on it says what it does. */
  speak(): void {
    this.#links.replayed()
    this.effects.speak()
  }

  /** Begins a batch: time comes to `now`, or stays where it is if the clock has gone back. Gives the acknowledgements that go with it. */
  advance(now: Milliseconds): RecordInput[] {
    this.#time = Math.max(this.#time, now) as Milliseconds
    this.#begin(this.#time)
    const inputs: RecordInput[] = []
    this.#links.takeAcks(inputs)
    const stored = this.#feed.takeAck()
    if (stored !== null) inputs.push({ tag: inputTag.feedAck, bytes: encode(stored) })
    return inputs
  }

  /** Ends the batch: the record of it, to be appended. */
  close(inputs: readonly RecordInput[]): Uint8Array {
    const body = encodeBody(this.#time, inputs)
    this.#digest = this.#digestOf(this.#epoch, body)
    body.set(this.#digest)
    const record = this.#envelope.wrap({ epoch: this.#epoch, index: this.#records + 1, part: 0 }, body)
    this.#bytes += record.length
    return record
  }

  /** The record that `close` gave is durable. */
  appended(): void {
    this.#records++
  }

  /**
   * The first record of a new owner, to be appended and then replayed: until it is durable nothing changes. The machine does not advance in
   * it, so that what it says is known beforehand.
   */
  takeOver(now: Milliseconds): Uint8Array {
    const epoch = this.#epoch + 1
    const body = encodeBody(Math.max(this.#time, now) as Milliseconds, [])
    body.set(this.#digestOf(epoch, body))
    return this.#envelope.wrap({ epoch, index: this.#records + 1, part: 0 }, body)
  }

  applyClient({ gateway, items }: ClientPacket<unknown, unknown>): void {
    for (const item of items) if ('command' in item) this.#machine.command(item.command, { gateway, request: item.request }, this.effects)
  }

  /** A packet whose first `skip` messages were applied before. */
  applyPeer({ from, items }: PeerPacket, skip: number): void {
    for (let i = skip; i < items.length; i++) this.#machine.message(from, items[i], this.effects)
  }

  applyLocal(input: unknown): void {
    this.#machine.local(input, this.effects)
  }

  // Replay

  /** @throws JournalFault where it is not the next record, not whole, or has other effects than it had; the state is then good for nothing */
  replay(record: Uint8Array): void {
    const { heading, body: bytes } = this.#unwrap(record)
    const { epoch, index, part } = heading
    const fault = (kind: 'torn' | 'out_of_order' | 'diverged', what: string, cause?: unknown): JournalFault => new JournalFault(kind, index, what, cause)
    if (this.#records === 0 && index > 1) throw new JournalFault('beginning_missing', index, 'the journal begins here, and no snapshot holds what came before')
    if (index !== this.#records + 1 || part !== 0) throw fault('out_of_order', `it stands where record ${this.#records + 1} is expected`)
    const takesOver = epoch === this.#epoch + 1
    if (!takesOver && (epoch !== this.#epoch || index === 1)) throw fault('out_of_order', `it is of epoch ${epoch}, after ${this.#epoch}`)
    let body: RecordBody
    try {
      body = decodeBody(bytes)
    } catch (error) {
      throw fault('torn', sentence(error), error)
    }
    if (body.time < this.#time) throw fault('out_of_order', 'it is older than the one before it')
    if (takesOver && body.inputs.length > 0) throw fault('out_of_order', 'a new owner begins with a record without inputs')
    this.#epoch = epoch
    this.#time = body.time
    if (!takesOver) {
      try {
        this.#apply(body)
      } catch (error) {
        throw fault('diverged', `what was applied when it was written is refused now: ${sentence(error)}`, error)
      }
    }
    this.#digest = this.#digestOf(epoch, bytes)
    if (!sameDigest(this.#digest, body.digest)) throw fault('diverged', `it leads to the digest ${hex(this.#digest)}, ${hex(body.digest)} is written`)
    this.#records = index
    this.#bytes += record.length
  }

  #unwrap(record: Uint8Array): Enveloped {
    try {
      return this.#envelope.unwrap(record)
    } catch (error) {
      throw error instanceof JournalFault ? error.of(this.#records + 1) : error
    }
  }

  #begin(time: Milliseconds): void {
    this.effects.time = time
    // Not as the buffer that a hash is: one that is read from a snapshot is none, and a machine that passes it on would write other bytes.
    this.effects.digest = new Uint8Array(this.#digest)
    this.effects.record = this.#records + 1
    this.effects.epoch = this.#epoch
    this.#machine.advance(this.effects)
  }

  #apply({ time, inputs }: RecordBody): void {
    this.#begin(time)
    for (const input of inputs) this.#replayInput(input)
  }

  #replayInput({ tag, bytes }: RecordInput): void {
    switch (tag) {
      case inputTag.client:
        return this.applyClient(readClientPacket(bytes))
      case inputTag.peer: {
        const packet = readPeerPacket(bytes)
        const skip = this.#links.accept(packet)
        if (skip === undefined) throw new Error(`a packet of ${packet.from} is out of its order`)
        return this.applyPeer(packet, skip)
      }
      case inputTag.peerAck:
        return this.#links.applyAck(readPeerAck(bytes))
      case inputTag.feedAck:
        return this.#feed.trim(decode<number>(bytes))
      case inputTag.local:
        return this.applyLocal(decode(bytes))
    }
  }

  /** What came in and what it caused, in order. Answers are not in it: a replay gives none. */
  #digestOf(epoch: number, body: Uint8Array): Uint8Array {
    this.#transcript.begin(this.#digest, epoch, this.#records + 1)
    this.#transcript.bytes(digestedPart(body))
    this.#links.close(this.#transcript)
    this.#feed.close(this.#transcript)
    return this.#transcript.end()
  }
}

const hex = (digest: Uint8Array): string => Buffer.from(digest).toString('hex').slice(0, 16)
