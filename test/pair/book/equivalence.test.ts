import t from 'tap'
import { Book } from '../../../src/actors/pair/book/book.ts'
import { decodeEvents } from '../../../src/actors/pair/book/events.ts'
import { give, RandomCommands } from './randomCommands.ts'
import { SlowBook } from './slowBook.ts'

const SEEDS = 100
const COMMANDS = 600

t.test('the book does what the slow book does, event for event', async (t) => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const commands = new RandomCommands(seed)
    const { rules } = commands.landscape
    const book = new Book(rules)
    const slow = new SlowBook(rules)
    for (let i = 0; i < COMMANDS; i++) {
      const command = commands.next()
      give(command, slow)
      give(command, book)
      const expected = slow.take()
      const events = decodeEvents(book.events)
      book.events.clear()
      if (JSON.stringify(events) !== JSON.stringify(expected)) {
        t.same(events, expected, `seed ${seed}, command ${i}: ${JSON.stringify(command)}`)
        return
      }
      book.check()
    }
    for (const side of [0, 1] as const) t.same([...book.resting(side)], slow.resting(side).map(({ came: _came, ...order }) => order), `seed ${seed}`)
  }
})
