import fc from 'fast-check'
import t from 'tap'
import { Book } from '../../../src/actors/pair/book/book.ts'
import { give, landscapes, RandomCommands } from './randomCommands.ts'

const { rules } = landscapes[0]!

/** A book in the middle of its life. */
function livedBook(seed: number, commands: number): Book {
  const random = new RandomCommands(seed)
  const book = new Book(random.landscape.rules)
  for (let i = 0; i < commands; i++) give(random.next(), book)
  book.events.clear()
  return book
}

t.test('same state, same bytes, whatever the history', async (t) => {
  const place = (book: Book, id: number, account: number, ticks: number): void =>
    book.place({ id, account, side: 0, ticks, lots: 5, budget: 0, timeInForce: 0, postOnly: false, condition: 0, minimum: 0, returnRemainder: false, selfTrade: 0, expires: 9 })
  const straight = new Book(rules)
  place(straight, 7, 1, 100)
  place(straight, 8, 2, 101)
  place(straight, 9, 1, 100)
  const roundabout = new Book(rules)
  for (let id = 100; id < 140; id++) place(roundabout, id, id % 3, 1 + (id % 7))
  for (const account of [0, 1, 2]) roundabout.cancelAll(account)
  place(roundabout, 7, 1, 100)
  place(roundabout, 9, 1, 90)
  place(roundabout, 8, 2, 101)
  roundabout.control(2, 1, 50)
  roundabout.control(0, 1, rules.maxTicks)
  roundabout.amend(9, 1, 100, 5)
  t.same(roundabout.snapshot(), straight.snapshot())
})

t.test('a snapshot of thousands of orders is taken up whole', async (t) => {
  const wide = { ...rules, maxOrders: 100_000, maxOrdersPerAccount: 100_000, maxTicks: 2 ** 31 - 1, maxLots: 1_000, maxValue: Number.MAX_SAFE_INTEGER, fees: null }
  const book = new Book(wide)
  for (let id = 1; id <= 40_000; id++) {
    const side = (id & 1) as 0 | 1
    const ticks = side === 0 ? 1 + ((id * 7_919) % 1_000_000) : 2_000_000 + ((id * 104_729) % 2_000_000_000)
    book.place({ id: id * 64, account: id % 500, side, ticks, lots: 2 + (id % 998), budget: 0, timeInForce: 0, postOnly: false, condition: 0, minimum: 0, returnRemainder: false, selfTrade: 0, expires: 1 + (id % 5_000) })
  }
  book.check()
  const again = Book.restore(wide, book.snapshot())
  again.check()
  t.equal(again.size, 40_000)
  t.equal(again.nextExpiry, book.nextExpiry)
  again.events.clear()
  again.expire(2_500)
  book.events.clear()
  book.expire(2_500)
  t.same(again.events.bytes, book.events.bytes)
})

t.test('bytes that are no snapshot are refused with a reason', async (t) => {
  const bytes = livedBook(0, 400).snapshot()
  t.throws(() => Book.restore(rules, bytes.subarray(0, 10)), /torn/)
  t.throws(() => Book.restore(rules, bytes.subarray(0, bytes.length - 1)), /length/)
  const changed = (at: number, value: number): Uint8Array => {
    const copy = bytes.slice()
    copy[at] = value
    return copy
  }
  t.throws(() => Book.restore(rules, changed(0, 9)), /version/)
  t.throws(() => Book.restore(rules, changed(1, 3)), /state/)
  t.throws(() => Book.restore(rules, changed(2, 1)), /state/)
  t.throws(() => Book.restore(rules, changed(11, 0xff)), /price band/)
  const twice = new Uint8Array(bytes.length + 40)
  twice.set(bytes)
  twice.set(bytes.subarray(16, 56), bytes.length)
  new DataView(twice.buffer).setUint32(4, (bytes.length - 16) / 40 + 1, true)
  t.throws(() => Book.restore(rules, twice), /two orders/)
  let refused = 0
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      try {
        // Some changes make another book; none makes a broken one.
        Book.restore(rules, changed(at, bytes[at]! ^ flip)).check()
      } catch (error) {
        if (!(error instanceof Error) || !/snapshot of a book|no order waits/.test(error.message)) throw error
        refused++
      }
    }),
    { numRuns: 2_000 },
  )
  t.ok(refused > 200, `${refused} refused`)
})
