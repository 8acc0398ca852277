import { encode } from '../../protocol/codec.ts'
import type { ActorName } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { Answer, ClientPacket } from '../../protocol/packets.ts'
import type { PairQuery } from '../../protocol/pair.ts'
import type { VaultCommand, VaultQuery } from '../../protocol/vault.ts'
import type { Answered, Waiting } from './waiting.ts'

export type Content = { readonly command: VaultCommand } | { readonly query: VaultQuery | PairQuery }
type Packet = ClientPacket<VaultCommand, VaultQuery | PairQuery>
type Item = Packet['items'][number]

/** Sends one packet whose requests are numbered `first` … `first + count − 1`. */
export type SendPacket = (packet: Uint8Array, first: number, count: number) => void

const notTaken: Answer = { refused: 'account_unavailable' }

/** Gathers what one turn of the event loop has for one actor, and sends it as one packet: commands and queries each have a lane. */
export class Lane {
  readonly #gateway: string
  readonly #actor: ActorName
  readonly #waiting: Waiting<Content>
  readonly #late: Answer
  readonly #send: SendPacket
  #gathered: { readonly content: Content; readonly answered: Answered }[] = []

  constructor(gateway: string, actor: ActorName, waiting: Waiting<Content>, late: Answer, send: SendPacket) {
    this.#gateway = gateway
    this.#actor = actor
    this.#waiting = waiting
    this.#late = late
    this.#send = send
  }

  push(content: Content, answered: Answered): void {
    this.#gathered.push({ content, answered })
    if (this.#gathered.length === 1) setImmediate(() => this.#flush())
    else if (this.#gathered.length === limits.packetItems) this.#flush()
  }

  #flush(): void {
    // The packet may have left already because it was full.
    if (this.#gathered.length === 0) return
    const gathered = this.#gathered
    this.#gathered = []
    const now = Date.now()
    const items: Item[] = []
    for (const { content, answered } of gathered) items.push({ request: this.#waiting.add(now, { to: this.#actor, content, late: this.#late, notTaken, answered }), ...content })
    sendItems(this.#gateway, items, this.#waiting, this.#send)
  }
}

/** Sends requests again, with the numbers that they have, in packets of consecutive ones. */
export function sendAgain(gateway: string, requests: readonly (readonly [number, Content])[], waiting: Waiting<Content>, send: SendPacket): void {
  let items: Item[] = []
  for (const [request, content] of requests) {
    const last = items.at(-1)
    if (last !== undefined && (last.request !== request - 1 || items.length === limits.packetItems)) {
      sendItems(gateway, items, waiting, send)
      items = []
    }
    items.push({ request, ...content })
  }
  if (items.length > 0) sendItems(gateway, items, waiting, send)
}

function sendItems(gateway: string, items: readonly Item[], waiting: Waiting<Content>, send: SendPacket): void {
  const packet = encode({ gateway, items } satisfies Packet)
  if (packet.length > limits.packetBytes) throw new Error('a packet of checked commands is larger than any can be')
  try {
    send(packet, items[0]!.request, items.length)
  } catch {
    // The connection is closed: publishing throws before anything is written, so that nothing of it can take effect.
    for (const { request } of items) waiting.giveUp(request)
  }
}
