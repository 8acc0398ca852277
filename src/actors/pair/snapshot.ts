import { decode, encode } from '../../protocol/codec.ts'
import type { AccountId, Amount, Lots, Milliseconds, OrderId, Ticks } from '../../protocol/identity.ts'
import { vaultActor } from '../../protocol/subjects.ts'
import { Book } from './book/book.ts'
import { side } from './book/terms.ts'
import type { BookRules } from './book/terms.ts'
import { NamedOrders, partitionOf } from './names.ts'
import type { TapeState } from './tape.ts'
import { Timers } from './timers.ts'
import type { Timer } from './timers.ts'

/** Raised whenever what is stored changes. */
const VERSION = 3
/** As version 3, and without a tape. */
const WITHOUT_TAPE = 2

const noTape: TapeState = { rules: null, printed: 0, intervals: [] }

/** The book, whose accounts are numbered by their place in `accounts`, and the names of its orders, by their numbers. */
interface Stored {
  readonly version: number
  readonly trades: number
  readonly accounts: readonly AccountId[]
  readonly book: Uint8Array
  readonly numbers: readonly number[]
  readonly ids: readonly OrderId[]
  readonly created: readonly Milliseconds[]
  readonly filledQuotes: readonly Amount[]
  /** By number, of the orders that delegated keys have placed. */
  readonly signers: ReadonlyMap<number, AccountId>
  readonly timers: readonly Timer[]
  readonly tape: TapeState
}

export function takeSnapshot(book: Book, names: NamedOrders, timers: Timers, trades: number, tape: TapeState): Uint8Array {
  const accounts = names.accounts()
  const places = new Map(accounts.map((account, place) => [account, place]))
  const numbers: number[] = []
  for (const which of [side.buy, side.sell]) for (const { id } of book.resting(which)) numbers.push(id)
  const orders = numbers.map((number) => names.get(number))
  const stored: Stored = {
    version: VERSION,
    trades,
    accounts,
    book: book.snapshot((handle) => places.get(names.accountOf(handle)) ?? -1),
    numbers,
    ids: orders.map(({ id }) => id),
    created: orders.map(({ created }) => created),
    filledQuotes: orders.map(({ filledQuote }) => filledQuote),
    signers: new Map(orders.flatMap(({ signer }, place) => (signer === null ? [] : [[numbers[place]!, signer]]))),
    timers: timers.list(),
    tape,
  }
  return encode(stored)
}

/** @throws Error where the bytes are not a snapshot of this version */
export function readSnapshot(bytes: Uint8Array, rules: BookRules): { book: Book; names: NamedOrders; timers: Timers; trades: number; tape: TapeState } {
  const { version, trades, accounts, book: bookBytes, numbers, ids, created, filledQuotes, signers, timers, tape = noTape } = decode<Stored>(bytes)
  if (version !== VERSION && version !== WITHOUT_TAPE) throw new Error(`a pair actor's snapshot of version ${version}; ${VERSION} is known`)
  const book = Book.restore(rules, bookBytes)
  const names = new NamedOrders(accounts)
  // They are named in the order in which they stand in the book.
  let place = 0
  for (const which of [side.buy, side.sell]) {
    for (const { id: number, account, ticks, open, filled } of book.resting(which)) {
      const owner = accounts[account]
      if (number !== numbers[place] || owner === undefined) throw new Error('a snapshot of a pair actor does not name all of its orders')
      names.add(number, {
        id: ids[place]!,
        account: owner,
        signer: signers.get(number) ?? null,
        vault: vaultActor(partitionOf(number)),
        created: created[place]!,
        ticks: ticks as Ticks,
        lots: (open + filled) as Lots,
        filledLots: filled as Lots,
        filledQuote: filledQuotes[place]!,
        rested: true,
        reason: null,
      })
      place++
    }
  }
  return { book, names, timers: new Timers(timers), trades, tape }
}
