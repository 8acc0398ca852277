// Prints the SHA-256 of all that a long run of random commands makes the book do: every event's bytes and a snapshot now and then. Run by
// any build of Node that strips types; they must all print the same.
import { createHash } from 'node:crypto'
import { Book } from '../../../src/actors/pair/book/book.ts'
import { give, RandomCommands } from './randomCommands.ts'

const SEEDS = 25
const COMMANDS = 4_000

const hash = createHash('sha256')
for (let seed = 0; seed < SEEDS; seed++) {
  const commands = new RandomCommands(seed)
  const book = new Book(commands.landscape.rules)
  for (let i = 0; i < COMMANDS; i++) {
    give(commands.next(), book)
    hash.update(book.events.bytes)
    book.events.clear()
    if (i % 500 === 499) hash.update(book.snapshot())
  }
}
console.log(hash.digest('hex'))
