import t from 'tap'
import { Book } from '../../../src/actors/pair/book/book.ts'
import { decodeEvents } from '../../../src/actors/pair/book/events.ts'
import { condition, marketState, side } from '../../../src/actors/pair/book/terms.ts'
import type { NewOrder } from '../../../src/actors/pair/book/terms.ts'
import { landscapes } from './randomCommands.ts'

/** The rules of orders that wait for their condition, case by case: each of them a sentence of docs/matching.md. */
function open() {
  const book = new Book({ ...landscapes[0]!.rules, minLots: 1, maxLots: 1_000, maxValue: 1e9, fees: null })
  let ids = 0
  const place = (which: 'buy' | 'sell', lots: number, ticks: number, more: Partial<NewOrder> = {}): number => {
    const id = ++ids
    book.place({
      id, account: id, side: side[which], ticks, lots, budget: 0, timeInForce: 0, postOnly: false, condition: 0, minimum: 0, returnRemainder: false, selfTrade: 0, expires: 0, ...more,
    })
    return id
  }
  /** Fills since the last call, as "taker maker lots@price". */
  const fills = (): string[] => {
    const found = decodeEvents(book.events).flatMap((event) => (event.event === 'filled' ? [`${event.taker} ${event.maker} ${event.lots}@${event.ticks}`] : []))
    book.events.clear()
    book.check()
    return found
  }
  return { book, place, fills }
}
const whole = { condition: condition.allOrNone } as const

t.test('orders behind it trade past it, and it has its place when it can be met', async (t) => {
  const { place, fills } = open()
  place('buy', 100, 10, whole)
  place('buy', 5, 10)
  place('sell', 5, 10)
  t.strictSame(fills(), ['3 2 5@10'])
  place('buy', 5, 10)
  place('sell', 100, 10)
  t.strictSame(fills(), ['5 1 100@10'], 'it came first')
})

t.test('it trades when what rests opposite can meet it, even where no single order did', async (t) => {
  const { place, fills } = open()
  place('buy', 100, 12, whole)
  place('sell', 60, 10)
  place('sell', 30, 11)
  t.strictSame(fills(), [])
  place('sell', 10, 12)
  t.strictSame(fills(), ['1 2 60@10', '1 3 30@11', '1 4 10@12'], 'it takes, at the prices of those who rest')
})

t.test('among several, price and time decide, and nobody gives way to make one fit', async (t) => {
  const { place, fills } = open()
  place('buy', 50, 10, whole)
  place('buy', 80, 11, whole)
  place('buy', 80, 11, whole)
  place('sell', 79, 10)
  t.strictSame(fills(), ['4 1 50@10'], 'those at better prices need more than came')
  place('sell', 60, 10)
  t.strictSame(fills(), ['2 4 29@10', '2 5 51@10'], 'who came first of two at one price')
})

/** Ten at the best price leave ninety of the hundred that the buyer needs at once, into which the ninety-five do not fit. */
function blocked() {
  const market = open()
  const first = market.place('sell', 10, 9, { expires: 5 })
  market.place('sell', 95, 10, whole)
  market.place('sell', 5, 10)
  market.place('buy', 100, 10, whole)
  return { ...market, first }
}

t.test('leaving can make room as well: by cancel, by expiry, by a smaller amend', async (t) => {
  for (const leave of ['cancel', 'expire', 'amend'] as const) {
    const { book, fills, first } = blocked()
    t.strictSame(fills(), [])
    if (leave === 'cancel') book.cancel(first, first)
    if (leave === 'expire') book.expire(5)
    if (leave === 'amend') book.amend(first, first, 9, 5)
    t.strictSame(fills(), leave === 'amend' ? ['4 1 5@9', '4 2 95@10'] : ['4 2 95@10', '4 3 5@10'], leave)
  }
})

t.test('where orders of both sides wait for each other, the one that came first takes', async (t) => {
  const { book, place, fills } = open()
  place('sell', 95, 10, whole)
  place('buy', 100, 11, whole)
  t.strictSame(fills(), [])
  book.amend(2, 2, 11, 95)
  t.strictSame(fills(), ['1 2 95@11'])
})

t.test('nothing trades in a market that is closed; what waits is looked at when it opens', async (t) => {
  const { book, fills, first } = blocked()
  book.control(marketState.cancelOnly, 1, 1_000)
  book.cancel(first, first)
  t.strictSame(fills(), [])
  book.control(marketState.open, 1, 1_000)
  t.strictSame(fills(), ['4 2 95@10', '4 3 5@10'])
})

t.test('who waits does not meet its own account, and is not ended by it', async (t) => {
  const { book, place, fills } = open()
  place('buy', 20, 10, { ...whole, account: 7 })
  place('sell', 15, 9, { account: 7, selfTrade: 1 })
  place('sell', 15, 10)
  t.strictSame(fills(), [])
  place('sell', 5, 10)
  t.strictSame(fills(), ['1 3 15@10', '1 4 5@10'])
  t.ok(book.has(2))
})

t.test('a minimum of every fill: larger orders are met, smaller ones passed over, and a small rest takes any size', async (t) => {
  const { place, fills } = open()
  place('buy', 50, 10, { condition: condition.perCounterparty, minimum: 20 })
  place('sell', 10, 10)
  place('sell', 40, 10)
  t.strictSame(fills(), ['3 1 40@10', '1 2 10@10'])
})
