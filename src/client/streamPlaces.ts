import type { OrderView } from '../protocol/feed.ts'
import type { TapePrint } from '../protocol/tape.ts'
import type { Channel, StreamMessage } from './views/stream.ts'

/** Channels whose messages are those of the account's feed, and can be resumed by its numbers. */
const numbered: ReadonlySet<Channel> = new Set(['orders', 'fills', 'settlement', 'keys'])

/** What the gateway sends of a channel. */
export interface ChannelMessage {
  readonly type: 'snapshot' | 'update'
  readonly channel: Channel
  readonly seq?: number
  readonly prev?: number
  readonly part?: number
  readonly parts?: number
  readonly data: unknown
}

interface TapePlace {
  readonly market: string
  readonly seq: number
}

/** A message is missing between what was had and what came: the gateway sees to it that this never is, and a reader begins again from what it has. */
export class Missed extends Error {}

/** How far each channel of a stream has come: lets every message through once and in order, over however many connections. */
export class StreamPlaces {
  readonly channels: readonly Channel[]
  /** By channel of the feed: the number up to which everything of it was had; absent where it is yet to begin. */
  readonly #through = new Map<Channel, number>()
  /** By market, the last print that was had. */
  readonly #prints: Map<string, number>
  #snapshot: OrderView[] = []

  /** @param after begin behind this number of the feed instead of with snapshots @param tapeAfter likewise, by market */
  constructor(channels: readonly Channel[], after: number | undefined, tapeAfter: Readonly<Record<string, number>> = {}) {
    this.channels = channels
    this.#prints = new Map(Object.entries(tapeAfter))
    if (after !== undefined) for (const channel of channels) if (numbered.has(channel)) this.#through.set(channel, after)
  }

  /** Channels that begin with what is, and those that go on, with the number behind which. */
  plan(): { readonly anew: readonly Channel[]; readonly resumed: readonly Channel[]; readonly after: number } {
    this.#snapshot = []
    const resumed = this.channels.filter((channel) => this.#through.has(channel))
    return { anew: this.channels.filter((channel) => !this.#through.has(channel)), resumed, after: Math.min(...resumed.map((channel) => this.#through.get(channel)!)) }
  }

  /** Where tapes go on, by market. */
  get tapeAfter(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#prints)
  }

  /** The gateway has taken these up, with what comes behind `seq`. Orders have begun when their snapshot is whole. */
  begin(channels: readonly Channel[], seq: number): void {
    for (const channel of channels) if (numbered.has(channel) && channel !== 'orders') this.#through.set(channel, seq)
  }

  /** What these had is no longer kept. */
  lose(channels: readonly Channel[]): void {
    for (const channel of channels) this.#through.delete(channel)
    if (channels.includes('tape')) this.#prints.clear()
  }

  /** Everything of a channel up to a number was had. */
  reach(channel: Channel, through: number): void {
    const now = this.#through.get(channel)
    if (now !== undefined && through > now) this.#through.set(channel, through)
  }

  /** @returns what the reader gets, or null @throws Missed */
  take(message: ChannelMessage): StreamMessage | null {
    const { type, channel, seq = 0, prev = 0, part = 1, parts = 1, data } = message
    if (!this.channels.includes(channel)) return null
    if (channel === 'tape') return type === 'snapshot' ? this.#beginTapes(data as readonly TapePlace[]) : this.#print(seq, data as TapePrint)
    if (type === 'snapshot') {
      if (channel !== 'orders') return { type, channel, seq, data } as StreamMessage
      this.#snapshot.push(...(data as OrderView[]))
      if (part < parts) return null
      this.#through.set(channel, seq)
      return { type, channel, seq, data: this.#snapshot.splice(0) }
    }
    if (!numbered.has(channel)) return { type, channel, seq, data } as StreamMessage
    const through = this.#through.get(channel)
    if (through !== undefined && seq <= through) return null
    if (through === undefined || prev > through) throw new Missed(`the stream goes to ${seq}, which follows ${prev}`)
    this.#through.set(channel, seq)
    return { type, channel, seq, data } as StreamMessage
  }

  /** Says where tapes begin that were not followed yet; nothing that a reader needs. */
  #beginTapes(places: readonly TapePlace[]): null {
    for (const { market, seq } of places) if (!this.#prints.has(market)) this.#prints.set(market, seq)
    return null
  }

  #print(seq: number, data: TapePrint): StreamMessage | null {
    const had = this.#prints.get(data.market)
    if (had !== undefined && seq <= had) return null
    if (seq !== (had ?? seq - 1) + 1) throw new Missed(`a tape goes from ${had} to ${seq}`)
    this.#prints.set(data.market, seq)
    return { type: 'update', channel: 'tape', seq, data }
  }
}
