import { encode } from '../../protocol/codec.ts'
import { limits } from '../../protocol/limits.ts'
import type { Answer, ClientItem, ClientPacket } from '../../protocol/packets.ts'
import type { VaultCommand, VaultQuery } from '../../protocol/vault.ts'
import type { Answered, Waiting } from './waiting.ts'

type Content = { readonly command: VaultCommand } | { readonly query: VaultQuery }
type Packet = ClientPacket<VaultCommand, VaultQuery>

/** Sends one packet whose requests are numbered `first` … `first + count − 1`. */
export type SendPacket = (packet: Uint8Array, first: number, count: number) => void

const notSent: Answer = { refused: 'account_unavailable' }

/** Gathers what one turn of the event loop has for one vault actor, and sends it as one packet: commands and queries each have a lane. */
export class Lane {
  readonly #gateway: string
  readonly #waiting: Waiting
  readonly #late: Answer
  readonly #send: SendPacket
  #gathered: { readonly content: Content; readonly answered: Answered }[] = []

  constructor(gateway: string, waiting: Waiting, late: Answer, send: SendPacket) {
    this.#gateway = gateway
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
    const items: ClientItem<VaultCommand, VaultQuery>[] = []
    for (const { content, answered } of gathered) items.push({ request: this.#waiting.add(now, this.#late, answered), ...content })
    const first = items[0]!.request
    const packet = encode({ gateway: this.#gateway, items } satisfies Packet)
    if (packet.length > limits.packetBytes) throw new Error('a packet of checked commands is larger than any can be')
    try {
      this.#send(packet, first, items.length)
    } catch {
      // The connection is closed: publishing throws before anything is written, so that nothing of it can take effect.
      for (const { request } of items) this.#waiting.settle(request, notSent, null)
    }
  }
}
