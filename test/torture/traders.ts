import { setTimeout as delay } from 'node:timers/promises'
import { Refused } from '../../src/client/errors.ts'
import type { Client } from '../../src/client/client.ts'
import type { OrderView } from '../../src/protocol/feed.ts'
import { persist } from '../venue/venueUnderTest.ts'
import type { Dice } from '../pair/book/randomCommands.ts'

/** What one trader was told of an order, last of all. */
export interface Told {
  readonly view: Pick<OrderView, 'id' | 'status' | 'filledQuantity'>
}

/**
 * One trader who trades as fast as he is answered, and keeps a record of what he was told. Every message is sent until it is answered, as a client is
 * told to do: the very same bytes, however often.
 */
export class TorturedTrader {
  readonly role: string
  /** By order: the last answer. */
  readonly told = new Map<string, Told>()
  /** Requests that were answered, and how often one was refused with which code. */
  answered = 0
  readonly refusals = new Map<string, number>()
  readonly #client: Client
  readonly #markets: readonly string[]
  readonly #dice: Dice

  constructor(role: string, client: Client, markets: readonly string[], dice: Dice) {
    this.role = role
    this.#client = client
    this.#markets = markets
    this.#dice = dice
  }

  async trade(until: () => boolean): Promise<void> {
    while (!until()) {
      const open = [...this.told.values()].filter(({ view }) => view.status === 'open').map(({ view }) => view.id)
      const what = this.#dice.below(10)
      if (what < 6 || open.length === 0) await this.#place()
      else if (what < 8) await this.#cancel(this.#dice.from(open))
      else await this.#amend(this.#dice.from(open))
      await delay(this.#dice.below(20))
    }
  }

  async #place(): Promise<void> {
    const dice = this.#dice
    const side = dice.from(['buy', 'sell'] as const)
    const order = { side, type: 'limit', price: this.#price(), quantity: String(1 + dice.below(12)), timeInForce: dice.from(['GTC', 'GTC', 'GTC', 'IOC', 'FOK'] as const) } as const
    const asks = dice.below(8)
    const rests = order.timeInForce === 'GTC'
    const more = asks === 0 && rests ? { postOnly: 'true' as const } : asks === 1 && rests ? { allOrNone: 'true' as const } : asks === 2 ? { selfTrade: 'decrement' as const } : {}
    const request = await this.#client.signOrder(dice.from(this.#markets), { ...order, ...more })
    await this.#heard(async () => {
      const view = await persist(() => this.#client.sendOrder(request))
      this.told.set(view.id, { view })
    })
  }

  async #cancel(id: string): Promise<void> {
    const request = await this.#client.signCancel(id)
    await this.#heard(async () => {
      const view = await persist(() => this.#client.sendCancel(request))
      this.told.set(id, { view })
    }, id)
  }

  async #amend(id: string): Promise<void> {
    const request = await this.#client.signAmend(id, this.#price(), String(1 + this.#dice.below(15)))
    await this.#heard(async () => {
      const view = await persist(() => this.#client.sendAmend(request))
      this.told.set(id, { view })
    }, id)
  }

  /** A refusal is an answer too; one that says an order is closed ends our interest in it. */
  async #heard(send: () => Promise<void>, id?: string): Promise<void> {
    try {
      await send()
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.refusals.set(error.code, (this.refusals.get(error.code) ?? 0) + 1)
      if (id !== undefined && error.code === 'order_not_open') this.told.set(id, { view: await persist(() => this.#client.order(id)) })
    }
    this.answered++
  }

  #price(): string {
    return ['0.48', '0.49', '0.5', '0.51', '0.52'][this.#dice.below(5)]!
  }
}
