import type { Effects, Machine } from '../../src/actors/runtime/machine.ts'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { FeedMessage } from '../../src/protocol/feed.ts'
import type { AccountId, ActorName, Milliseconds } from '../../src/protocol/identity.ts'
import type { Answer, ReplyTo } from '../../src/protocol/packets.ts'

/** `add` is answered here; `pass` travels to the peer, which answers; `later` fires at a time; `fail` throws. */
export type LedgerCommand =
  | { readonly kind: 'add'; readonly id: number }
  | { readonly kind: 'pass'; readonly id: number }
  | { readonly kind: 'later'; readonly id: number; readonly at: Milliseconds }
  | { readonly kind: 'fail' }

interface Passed {
  readonly id: number
  readonly reply: ReplyTo | null
}

/** A machine that writes down everything that happens to it, in order: two of them that were given the same are equal. */
export class LedgerMachine implements Machine<LedgerCommand, 'count' | 'throw', Passed, { readonly id: number }> {
  readonly #peer: ActorName
  readonly #feeds: boolean
  /** One line for each thing that happened. */
  readonly lines: string[] = []
  readonly timers = new Map<number, Milliseconds>()
  #published = 0

  constructor(peer: ActorName, feeds = false) {
    this.#peer = peer
    this.#feeds = feeds
  }

  advance(effects: Effects): void {
    for (const [id, at] of this.timers) {
      if (at > effects.time) continue
      this.timers.delete(id)
      this.#write(`fired ${id} ${effects.time}`, effects)
    }
  }

  command(command: LedgerCommand, reply: ReplyTo, effects: Effects): void {
    switch (command.kind) {
      case 'add':
        this.#write(`add ${command.id} ${effects.time} ${effects.backlog(this.#peer)}`, effects)
        effects.answer(reply, { ok: command.id })
        return
      case 'pass':
        this.#write(`pass ${command.id} ${effects.time} ${effects.backlog(this.#peer)}`, effects)
        effects.send(this.#peer, { id: command.id, reply } satisfies Passed)
        return
      case 'later':
        this.timers.set(command.id, command.at)
        effects.answer(reply, { ok: command.id })
        return
      case 'fail':
        throw new Error('this input is more than the machine can take')
    }
  }

  message(from: ActorName, message: Passed, effects: Effects): void {
    this.#write(`from ${from} ${message.id}`, effects)
    if (message.reply !== null) effects.answer(message.reply, { ok: message.id })
  }

  local(input: { readonly id: number }, effects: Effects): void {
    this.#write(`local ${input.id}`, effects)
    effects.send(this.#peer, { id: input.id, reply: null } satisfies Passed)
  }

  query(query: 'count' | 'throw'): Answer {
    if (query === 'throw') throw new Error('a query that cannot be answered')
    return { ok: this.lines.length }
  }

  deadline(): Milliseconds | null {
    return this.timers.size === 0 ? null : (Math.min(...this.timers.values()) as Milliseconds)
  }

  snapshot(): Uint8Array {
    return encode({ lines: this.lines, timers: this.timers, published: this.#published })
  }

  restore(bytes: Uint8Array): void {
    const { lines, timers, published } = decode<{ lines: string[]; timers: Map<number, Milliseconds>; published: number }>(bytes)
    this.lines.push(...lines)
    for (const [id, at] of timers) this.timers.set(id, at)
    this.#published = published
  }

  /** The ids that arrived from the peer, in order. */
  get received(): number[] {
    return this.lines.filter((line) => line.startsWith('from ')).map((line) => Number(line.split(' ')[2]))
  }

  #write(line: string, effects: Effects): void {
    this.lines.push(line)
    if (!this.#feeds) return
    const message = { v: 1, seq: ++this.#published, account: 'GLEDGER' as AccountId, time: new Date(effects.time).toISOString(), type: 'settled', trades: [line], transaction: '', ledger: 0, receipts: { sequence: 1, size: 2, from: 1, leaves: [0] } }
    effects.publish(message as FeedMessage)
  }
}
