import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { kind } from './commands.ts'
import type { Commands } from './commands.ts'

/**
 * Another order book. What it cannot do as ours does is done as it can, and then the same is asked of ours, so that fills must still agree:
 * in a book that `reenters` a reduced order loses its place, so there a reduce is a move to the next tick.
 */
export interface Peer {
  readonly name: string
  readonly version: string
  readonly reenters: boolean
  /** Gives it command number `at`; the lots that traded. */
  apply(commands: Commands, at: number): number
}

const require = createRequire(import.meta.url)
const versionOf = (name: string): string => (JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8')) as { version: string }).version

interface NodejsOrderBook {
  createOrder(options: object): { quantityLeft: number; err: Error | null }
  modify(id: string, update: object): { quantityLeft: number; err: Error | null }
  cancel(id: string): unknown
}

/** A price one tick worse than the one of command `at`. */
export const nextTick = (commands: Commands, at: number): number => commands.ticks[at]! + (commands.sides[at] === 0 ? -1 : 1)

/** Orders are objects in queues of maps; a modified order comes anew, whatever changed. */
export function nodejsOrderBook(): Peer {
  const { OrderBook } = require('nodejs-order-book') as { OrderBook: new () => NodejsOrderBook }
  const book = new OrderBook()
  const place = (commands: Commands, at: number, timeInForce: string): number => {
    const size = commands.lots[at]!
    const result = book.createOrder({ type: 'limit', side: commands.sides[at] === 0 ? 'buy' : 'sell', id: String(commands.ids[at]!), size, price: commands.ticks[at]!, timeInForce })
    if (result.err !== null) throw result.err
    return size - result.quantityLeft
  }
  return {
    name: 'nodejs-order-book',
    version: versionOf('nodejs-order-book'),
    reenters: true,
    apply(commands, at) {
      const id = String(commands.ids[at]!)
      switch (commands.kinds[at]) {
        case kind.rest:
          return place(commands, at, 'GTC')
        case kind.ioc:
          return place(commands, at, 'IOC')
        case kind.move:
        case kind.reduce:
          // One that is no longer there is an error, as it is a refusal of ours.
          book.modify(id, { price: commands.kinds[at] === kind.move ? commands.ticks[at]! : nextTick(commands, at) })
          return 0
        default:
          book.cancel(id)
          return 0
      }
    },
  }
}

interface LimitOrderBookOrder {
  sizeRemaining: string
}
interface LimitOrderBook {
  add(order: object): { taker: { sizeRemaining: string }; filled: string }
  reduce(id: string, size: string): LimitOrderBookOrder | null
  remove(id: string): LimitOrderBookOrder | null
}

/** Decimals as strings, levels in a sorted array. It has no IOC for limit orders and no amend: both are made of what it has. */
export function limitOrderBook(): Peer {
  const { LimitOrderBook, LimitOrder } = require('limit-order-book') as {
    LimitOrderBook: new () => LimitOrderBook
    LimitOrder: new (id: string, side: string, price: string, size: string) => object
  }
  const book = new LimitOrderBook()
  const place = (commands: Commands, at: number, size: string): number => {
    const order = new LimitOrder(String(commands.ids[at]!), commands.sides[at] === 0 ? 'bid' : 'ask', String(commands.ticks[at]!), size)
    return Number(book.add(order).filled)
  }
  return {
    name: 'limit-order-book',
    version: versionOf('limit-order-book'),
    reenters: false,
    apply(commands, at) {
      const id = String(commands.ids[at]!)
      switch (commands.kinds[at]) {
        case kind.rest:
          return place(commands, at, String(commands.lots[at]!))
        case kind.ioc: {
          const filled = place(commands, at, String(commands.lots[at]!))
          if (filled < commands.lots[at]!) book.remove(id)
          return filled
        }
        case kind.move: {
          const removed = book.remove(id)
          return removed === null ? 0 : place(commands, at, removed.sizeRemaining)
        }
        case kind.reduce:
          book.reduce(id, String(commands.by[at]!))
          return 0
        default:
          book.remove(id)
          return 0
      }
    },
  }
}

export const peers = { 'nodejs-order-book': nodejsOrderBook, 'limit-order-book': limitOrderBook } as const
export type PeerName = keyof typeof peers
