import type { Book } from '../../src/actors/pair/book/book.ts'
import type { NewOrder, Side } from '../../src/actors/pair/book/terms.ts'
import { timeInForce } from '../../src/actors/pair/book/terms.ts'
import { kind } from './commands.ts'
import type { Commands } from './commands.ts'

/** Gives our book command number `at`. */
export function apply(book: Book, commands: Commands, at: number, order: NewOrder): void {
  const what = commands.kinds[at]!
  const id = commands.ids[at]!
  const account = commands.accounts[at]!
  if (what === kind.cancel) return book.cancel(id, account)
  if (what === kind.move || what === kind.reduce) return book.amend(id, account, commands.ticks[at]!, commands.lots[at]!)
  order.id = id
  order.account = account
  order.side = commands.sides[at] as Side
  order.ticks = commands.ticks[at]!
  order.lots = commands.lots[at]!
  order.timeInForce = what === kind.ioc ? timeInForce.ioc : timeInForce.rest
  book.place(order)
}
