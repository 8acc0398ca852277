import { decode, encode } from '../src/protocol/codec.ts'
import type { ActorName } from '../src/protocol/identity.ts'
import { limits } from '../src/protocol/limits.ts'
import type { Answer, AnswerPacket, ClientItem } from '../src/protocol/packets.ts'
import type { PairCommand } from '../src/protocol/pair.ts'
import type { Subjects } from '../src/protocol/subjects.ts'
import type { VaultCommand, VaultQuery } from '../src/protocol/vault.ts'
import { Waiting } from '../src/gateway/vaults/waiting.ts'
import type { Answered } from '../src/gateway/vaults/waiting.ts'
import type { Transport } from '../src/actors/runtime/transport.ts'
import type { Host } from './host.ts'

const SWEEP_ms = 250

/** Every answer as it arrives. */
export type Heard = (gateway: string, request: number, answer: Answer, from: ActorName) => void

export type Item = { readonly command: VaultCommand | PairCommand } | { readonly query: VaultQuery }

/** A gateway as the actors know it: packets of numbered requests go out, answers come in, and whoever waits too long is told so. */
export class Gateway {
  readonly name: string
  readonly host: Host
  readonly #transport: Transport
  readonly #subjects: Subjects
  readonly #waiting: Waiting<Item>

  readonly #queries = new Set<number>()

  /** `name`: letters, digits, - and _; never used before. */
  constructor(name: string, host: Host, transport: Transport, subjects: Subjects, timeout_ms: number, heard: Heard) {
    this.name = name
    this.host = host
    this.#transport = transport
    this.#subjects = subjects
    this.#waiting = new Waiting(timeout_ms)
    transport.subscribe(subjects.answers(this.name), (bytes) => {
      const { from, answers } = decode<AnswerPacket>(bytes)
      for (const { request, answer } of answers) {
        heard(this.name, request, answer, from)
        this.#waiting.settle(request, answer, from)
      }
    })
    this.#sweep()
  }

  /** Sends what it is given to one actor: commands in packets of their own, and queries. */
  send(to: ActorName, items: readonly { readonly item: Item; readonly answered: Answered }[]): void {
    for (const kind of ['command', 'query'] as const) {
      const some = items.filter(({ item }) => kind in item)
      for (let at = 0; at < some.length; at += limits.packetItems) this.#sendPacket(to, kind, some.slice(at, at + limits.packetItems))
    }
  }

  #sendPacket(to: ActorName, kind: 'command' | 'query', items: readonly { readonly item: Item; readonly answered: Answered }[]): void {
    const late: Answer = { refused: kind === 'command' ? 'outcome_unknown' : 'account_unavailable' }
    const packet = items.map(({ item, answered }): ClientItem<VaultCommand | PairCommand, VaultQuery> => ({ request: this.#waiting.add(this.host.clock.now(), { to, content: item, late, notTaken: late, answered }), ...item }))
    if (kind === 'query') for (const { request } of packet) this.#queries.add(request)
    this.#transport.publish(this.#subjects.clients(to), encode({ gateway: this.name, items: packet }))
  }

  /** Answers to queries are journaled nowhere. */
  isQuery(request: number): boolean {
    return this.#queries.has(request)
  }

  #sweep(): void {
    this.host.clock.after(SWEEP_ms, () => {
      this.#waiting.sweep(this.host.clock.now())
      this.#sweep()
    })
  }
}
