import { decode, encode } from '../../protocol/codec.ts'
import type { AccountId, ActorName, Amount, Lots, Milliseconds, OrderId, Ticks } from '../../protocol/identity.ts'
import type { FeeRates } from '../../protocol/market.ts'
import { vaultActor } from '../../protocol/subjects.ts'
import { Book } from './book/book.ts'
import { side } from './book/terms.ts'
import type { BookRules } from './book/terms.ts'
import { NamedOrders, partitionOf } from './names.ts'
import type { TapeState } from './tape.ts'
import { Timers } from './timers.ts'
import type { Timer } from './timers.ts'

/** Raised whenever what is stored changes. */
const VERSION = 5
const ID_BYTES = 32

/**
 * The book, whose accounts are numbered by their place in `accounts`, and what its orders are named, in the order in which they stand in it. What
 * each order has is a column of bytes: a list with a value for each of a million orders takes longer to read than the book.
 */
interface Stored {
  readonly version: number
  readonly trades: number
  readonly accounts: readonly AccountId[]
  readonly book: Uint8Array
  /** 32 bytes each. */
  readonly ids: Uint8Array
  /** Float64, little-endian, each. */
  readonly created: Uint8Array
  /** By number, of the orders that have traded. */
  readonly filledQuotes: ReadonlyMap<number, Amount>
  /** By number, of the orders that delegated keys have placed. */
  readonly signers: ReadonlyMap<number, AccountId>
  readonly timers: readonly Timer[]
  readonly tape: TapeState
  readonly fees: FeeRates
}

export function takeSnapshot(book: Book, names: NamedOrders, timers: Timers, trades: number, tape: TapeState, fees: FeeRates): Uint8Array {
  const accounts = names.accounts()
  const places = new Map(accounts.map((account, place) => [account, place]))
  const numbers: number[] = []
  for (const which of [side.buy, side.sell]) for (const { id } of book.resting(which)) numbers.push(id)
  const ids = Buffer.alloc(numbers.length * ID_BYTES)
  const created = Buffer.alloc(numbers.length * Float64Array.BYTES_PER_ELEMENT)
  const filledQuotes = new Map<number, Amount>()
  const signers = new Map<number, AccountId>()
  for (const [place, number] of numbers.entries()) {
    const order = names.get(number)
    if (ids.write(order.id, place * ID_BYTES, ID_BYTES, 'hex') !== ID_BYTES) throw new Error('an order id is not 32 bytes of hex')
    created.writeDoubleLE(order.created, place * Float64Array.BYTES_PER_ELEMENT)
    if (order.filledQuote !== 0n) filledQuotes.set(number, order.filledQuote)
    if (order.signer !== null) signers.set(number, order.signer)
  }
  const stored: Stored = {
    version: VERSION,
    trades,
    accounts,
    book: book.snapshot((handle) => places.get(names.accountOf(handle)) ?? -1),
    ids,
    created,
    filledQuotes,
    signers,
    timers: timers.list(),
    tape,
    fees,
  }
  return encode(stored)
}

/** @throws Error where the bytes are not a snapshot of this version */
export function readSnapshot(bytes: Uint8Array, rules: BookRules): { book: Book; names: NamedOrders; timers: Timers; trades: number; tape: TapeState; fees: FeeRates } {
  const { version, trades, accounts, book: bookBytes, filledQuotes, signers, timers, tape, fees, ...columns } = decode<Stored>(bytes)
  if (version !== VERSION) throw new Error(`a pair actor's snapshot of version ${version}; ${VERSION} is known`)
  const book = Book.restore(rules, bookBytes)
  const names = new NamedOrders(accounts)
  const ids = bufferOver(columns.ids)
  const created = bufferOver(columns.created)
  if (ids.length !== book.size * ID_BYTES || created.length !== book.size * Float64Array.BYTES_PER_ELEMENT) throw new Error('a snapshot of a pair actor does not name all of its orders')
  const vaults = new Map<number, ActorName>()
  let place = 0
  for (const which of [side.buy, side.sell]) {
    for (const { id: number, account, ticks, open, filled } of book.resting(which)) {
      const owner = accounts[account]
      if (owner === undefined) throw new Error('a snapshot of a pair actor does not name all of its accounts')
      const partition = partitionOf(number)
      const vault = vaults.get(partition) ?? vaultActor(partition)
      vaults.set(partition, vault)
      names.add(number, {
        id: ids.toString('hex', place * ID_BYTES, (place + 1) * ID_BYTES) as OrderId,
        account: owner,
        signer: signers.get(number) ?? null,
        handle: account,
        vault,
        created: created.readDoubleLE(place * Float64Array.BYTES_PER_ELEMENT) as Milliseconds,
        ticks: ticks as Ticks,
        lots: (open + filled) as Lots,
        filledLots: filled as Lots,
        filledQuote: filledQuotes.get(number) ?? (0n as Amount),
        rested: true,
        reason: null,
      })
      place++
    }
  }
  return { book, names, timers: new Timers(timers), trades, tape, fees }
}

const bufferOver = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength)
