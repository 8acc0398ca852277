import { encode } from '../../protocol/codec.ts'
import type { ActorName, Milliseconds } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { PeerAck, PeerAlarm, PeerPacket } from '../../protocol/packets.ts'
import type { Subjects } from '../../protocol/subjects.ts'
import type { Transcript } from './digest.ts'
import { Link, neverSent } from './link.ts'
import type { SentState } from './link.ts'
import type { Log } from './log.ts'
import { PacketOutbox } from './packetOutbox.ts'
import { inputTag } from './record.ts'
import type { RecordInput } from './record.ts'
import type { Transport } from './transport.ts'

/** What the log says where an alarm begins, and where it is over. */
const said = {
  peer_lost_records: { begins: 'a peer has lost messages that it had acknowledged: its journal has lost its end', ends: 'a peer has again what it had acknowledged' },
  peer_behind: { begins: 'a peer does not take what it is sent: what would cause more waits', ends: 'a peer takes again what it is sent' },
} as const satisfies Record<PeerAlarm['kind'], unknown>

/** By name, so that the order in which actors met does not show. */
export interface LinksState {
  /** The last position applied of each sender. */
  readonly applied: readonly (readonly [ActorName, number])[]
  readonly sent: readonly SentState[]
}

/**
 * Exactly once between actors over a network that loses, doubles and reorders. Each message has a position among all that its sender ever
 * sent to its receiver; the receiver applies the next one and drops every other, and acknowledges what is durable; the sender repeats what
 * is not acknowledged. The positions are part of the replayed state of both, so a crash of either changes nothing.
 */
export class Links {
  readonly #self: ActorName
  readonly #subjects: Subjects
  readonly #transport: Transport
  readonly #log: Log
  /** Outbound, by peer. */
  readonly #links = new Map<ActorName, Link>()
  /** Inbound: the last position applied, by sender. */
  readonly #applied = new Map<ActorName, number>()
  /** Links that the batch being applied sends on. */
  readonly #open = new Set<Link>()
  /** Links with messages that are not released yet, and links with an acknowledgement that is not journaled yet. */
  readonly #unreleased = new Set<Link>()
  readonly #acknowledged = new Set<Link>()
  /** Senders that wait for an acknowledgement of ours. */
  readonly #owed = new Set<ActorName>()
  #alarms: readonly PeerAlarm[] = []

  constructor(self: ActorName, subjects: Subjects, transport: Transport, log: Log) {
    this.#log = log
    this.#self = self
    this.#subjects = subjects
    this.#transport = transport
  }

  get state(): LinksState {
    return {
      applied: [...this.#applied].sort(([a], [b]) => (a < b ? -1 : 1)),
      sent: Array.from(this.#links.values(), (link) => link.state).sort((a, b) => (a.peer < b.peer ? -1 : 1)),
    }
  }

  /** Begins from a snapshot. */
  restore({ applied, sent }: LinksState): void {
    const links = sent.map(({ peer, trimmed, packets }) => this.#newLink(peer, new PacketOutbox(trimmed, packets)))
    this.#links.clear()
    this.#applied.clear()
    for (const link of links) this.#links.set(link.peer, link)
    for (const [sender, position] of applied) this.#applied.set(sender, position)
  }

  /** Peers that have less than they acknowledged, and will never have it again from here; and peers that leave what they are sent. Somebody must look. */
  get alarms(): readonly PeerAlarm[] {
    return this.#alarms
  }

  /** Messages that wait for one peer, of the peer that leaves most. */
  get behind(): number {
    let most = 0
    for (const { behind } of this.#links.values()) if (behind > most) most = behind
    return most
  }

  send(to: ActorName, message: unknown): void {
    const link = this.#link(to)
    link.push(message)
    this.#open.add(link)
  }

  /** The batch is applied: what it sends is written out, and into the transcript of its record. */
  close(transcript: Transcript): void {
    transcript.number(this.#open.size)
    for (const link of this.#open) {
      transcript.text(link.peer)
      for (const { bytes } of link.close()) transcript.bytes(bytes)
      this.#unreleased.add(link)
    }
    this.#open.clear()
  }

  backlog(to: ActorName): number {
    return this.#links.get(to)?.backlog ?? 0
  }

  /**
   * How many of a packet's first items are to be skipped because they were applied before; undefined where nothing of it is new or something
   * before it is missing. Counts the rest as applied. Either way the sender is owed an acknowledgement.
   */
  accept(packet: PeerPacket): number | undefined {
    const applied = this.#applied.get(packet.from) ?? 0
    this.#owed.add(packet.from)
    const last = packet.first + packet.items.length - 1
    if (packet.first > applied + 1 || last <= applied) return undefined
    this.#applied.set(packet.from, last)
    return applied + 1 - packet.first
  }

  /** An acknowledgement that is part of a record. */
  applyAck({ from, position }: PeerAck): void {
    this.#link(from).trim(position)
  }

  /** An acknowledgement as it arrives; it is journaled with the next record rather than causing one. */
  heard(ack: PeerAck, bytes: Uint8Array, now: Milliseconds): void {
    const link = this.#links.get(ack.from)
    if (link === undefined) {
      if (ack.position > 0) throw neverSent(ack.from, ack.position, 0)
      return
    }
    link.heard(ack.position, bytes, now)
    this.#acknowledged.add(link)
  }

  /** Puts the acknowledgements that came since the last record into the next, and applies them. */
  takeAcks(inputs: RecordInput[]): void {
    for (const link of this.#acknowledged) {
      const bytes = link.takeAck()
      if (bytes !== null) inputs.push({ tag: inputTag.peerAck, bytes })
    }
    this.#acknowledged.clear()
  }

  /** The batch is durable: its messages leave, and what it applied is acknowledged. */
  release(now: Milliseconds): void {
    for (const link of this.#unreleased) link.release(now)
    this.#unreleased.clear()
    for (const sender of this.#owed) this.#acknowledge(sender)
    this.#owed.clear()
  }

  replayed(): void {
    for (const link of this.#links.values()) link.replayed()
    this.#unreleased.clear()
    this.#owed.clear()
  }

  /** After a start. Peers are asked where they stand, so that a restart sends only what it must; and told, so that one that waits goes on. */
  resume(now: Milliseconds): void {
    for (const link of this.#links.values()) link.ask(now)
    for (const sender of this.#applied.keys()) this.#acknowledge(sender)
  }

  /** The connection was away: whatever it had in it may be lost. */
  reconnected(now: Milliseconds): void {
    for (const link of this.#links.values()) link.ask(now)
  }

  tick(now: Milliseconds): void {
    for (const link of this.#links.values()) link.tick(now)
    const alarms: PeerAlarm[] = []
    for (const { peer, lost, behind } of this.#links.values()) {
      if (lost) alarms.push({ kind: 'peer_lost_records', peer })
      if (behind >= limits.outboxMessages) alarms.push({ kind: 'peer_behind', peer })
    }
    const within = (all: readonly PeerAlarm[], { kind, peer }: PeerAlarm): boolean => all.some((alarm) => alarm.kind === kind && alarm.peer === peer)
    for (const alarm of alarms) if (!within(this.#alarms, alarm)) this.#log.error('link', said[alarm.kind].begins, { alarm: alarm.kind, peer: alarm.peer })
    for (const alarm of this.#alarms) if (!within(alarms, alarm)) this.#log.info('link', said[alarm.kind].ends, { peer: alarm.peer })
    this.#alarms = alarms
  }

  #link(peer: ActorName): Link {
    let link = this.#links.get(peer)
    if (link === undefined) {
      link = this.#newLink(peer)
      this.#links.set(peer, link)
    }
    return link
  }

  #newLink(peer: ActorName, outbox?: PacketOutbox): Link {
    return new Link(this.#self, peer, (bytes) => this.#transport.publish(this.#subjects.peers(peer), bytes), outbox)
  }

  #acknowledge(sender: ActorName): void {
    const ack: PeerAck = { from: this.#self, position: this.#applied.get(sender) ?? 0 }
    this.#transport.publish(this.#subjects.acks(sender), encode(ack))
  }
}
