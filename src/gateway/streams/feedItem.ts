import type { OwnedMessage } from '../../protocol/owned.ts'

/** What can be had of an account's feed, and of a market's tape. */
export type FeedChannel = 'orders' | 'fills' | 'settlement' | 'keys' | 'tape'

const channels: Readonly<Record<Exclude<OwnedMessage['type'], 'leaves'>, FeedChannel>> = { print: 'tape', order: 'orders', fill: 'fills', settled: 'settlement', deposit: 'settlement', withdrawal: 'settlement', key: 'keys' }
const channelOf = (type: string): FeedChannel | null => (Object.hasOwn(channels, type) ? channels[type as keyof typeof channels] : null)

/** A message of an account's feed, or of a market's tape, on its way to those who follow it: written once for all to whom the same came before it, which is nearly always everybody. */
export class FeedItem {
  readonly seq: number
  /** null: of a kind that this gateway does not know yet; it counts and is not shown. */
  readonly channel: FeedChannel | null
  readonly text: string
  #prev = -1
  #frame: Buffer | undefined

  private constructor(seq: number, channel: FeedChannel | null, text: string) {
    this.seq = seq
    this.channel = channel
    this.text = text
  }

  /** @throws Error where it is no feed message */
  static read(text: string): FeedItem {
    const { seq, type } = JSON.parse(text) as Partial<OwnedMessage>
    if (!Number.isSafeInteger(seq) || seq! < 1 || typeof type !== 'string') throw new Error('a feed message has a number and a type')
    return new FeedItem(seq!, channelOf(type), text)
  }

  static of(message: OwnedMessage): FeedItem {
    return new FeedItem(message.seq, channelOf(message.type), JSON.stringify(message))
  }

  /** @param prev number of the message of this channel that came before it */
  frame(prev: number): Buffer {
    if (this.#frame === undefined || this.#prev !== prev) {
      this.#frame = Buffer.from(`{"type":"update","channel":"${this.channel}","seq":${this.seq},"prev":${prev},"data":${this.text}}`)
      this.#prev = prev
    }
    return this.#frame
  }
}
