import type { xdr } from '@stellar/stellar-sdk'
import { nativeToScVal, xdr as xdrTypes } from '@stellar/stellar-sdk'
import type { AccountId, ContractId } from '../../src/protocol/identity.ts'
import type { Circumstances } from '../circumstances.ts'
import type { Random } from '../random.ts'
import { EXIT_DELAY_s, VaultBooks } from './vaultBooks.ts'
import type { Exit, OnChainBatch, OnChainChannel } from './vaultBooks.ts'

/** The ledger in which the contract was made. */
export const FIRST_LEDGER = 100
const OPERATION_BITS = 12n
const TRANSACTION_BITS = 20n
/** How many ledgers a transaction that nobody includes may have to wait. */
const LATE_LEDGERS = 20

export interface Custody {
  readonly kind: 'deposited' | 'withdrawn' | 'exit' | 'claimed'
  readonly account: AccountId
  readonly asset: ContractId
  /** Of an exit: what is asked for from now on, 0 for nothing any more. */
  readonly amount: bigint
}

/** The first topic of each kind's event. */
const topicOf = { deposited: 'deposit', withdrawn: 'withdraw', exit: 'exit', claimed: 'claim' } as const

export interface ChainEvent {
  readonly ledger: number
  /** Where it stands among all events, as the RPC writes it. */
  readonly cursor: string
  readonly transaction: string
  readonly topics: readonly xdr.ScVal[]
  readonly value: xdr.ScVal
}

export interface Outcome {
  readonly ledger: number
  readonly succeeded: boolean
}

interface Closed {
  readonly closeTime_s: number
  readonly channel: OnChainChannel
  /** The page of balances; null before there is one. */
  readonly page: Uint8Array | null
}

/** A transaction that validators hold. */
interface Pending {
  readonly hash: string
  /** The ledger that includes it at the earliest. */
  readonly ledger: number
  /** False: it cannot be in a ledger any more. */
  valid(closeTime_s: number): boolean
  /** Its effect, and whether it succeeded. */
  apply(transaction: number): boolean
}

/** A settlement transaction that has been read. */
export interface BatchTransaction {
  readonly hash: string
  readonly sequence: bigint
  readonly maxTime_s: number
  readonly batch: OnChainBatch
}

const symbol = (text: string): xdr.ScVal => xdrTypes.ScVal.scvSymbol(text)
const address = (text: string): xdr.ScVal => nativeToScVal(text, { type: 'address' })
const list = (...values: xdr.ScVal[]): xdr.ScVal => xdrTypes.ScVal.scvVec(values)
const u32 = (value: number): xdr.ScVal => xdrTypes.ScVal.scvU32(value)
const u64 = (value: bigint): xdr.ScVal => xdrTypes.ScVal.scvU64(value)
const i128 = (value: bigint): xdr.ScVal => nativeToScVal(value, { type: 'i128' })

/** The place of something in a ledger, as an event cursor writes it (SEP-35). */
export const cursorOf = (ledger: number, transaction: number, event: number): string =>
  `${((BigInt(ledger) << 32n) | (BigInt(transaction) << OPERATION_BITS)).toString().padStart(19, '0')}-${event.toString().padStart(10, '0')}`
/** Behind everything in a ledger. */
export const endOf = (ledger: number): string => {
  const last = (BigInt(ledger) << 32n) | (((1n << TRANSACTION_BITS) - 1n) << OPERATION_BITS) | ((1n << OPERATION_BITS) - 1n)
  return `${last.toString().padStart(19, '0')}-${(0xffff_fffe).toString().padStart(10, '0')}`
}

/** A Stellar network with one contract on it: ledgers that close, wallets, the vault's books, and whatever validators do with a transaction. */
export class Chain {
  readonly books: VaultBooks
  readonly #circumstances: Circumstances
  readonly #random: Random
  readonly #ledger_s: number
  readonly #wallets = new Map<AccountId, Map<ContractId, bigint>>()
  readonly #closed = new Map<number, Closed>()
  readonly #events: ChainEvent[] = []
  readonly #custody: Custody[] = []
  readonly #outcomes = new Map<string, Outcome>()
  readonly #nonces = new Set<bigint>()
  #pool: Pending[] = []
  #latest = FIRST_LEDGER
  #closeTime_s: number
  #engineSequence = 1_000n
  #transactions = 0

  constructor(circumstances: Circumstances, assets: readonly ContractId[], ledger_s: number) {
    this.#circumstances = circumstances
    this.#random = circumstances.random.fork('chain')
    this.#ledger_s = ledger_s
    this.books = new VaultBooks(assets)
    this.#closeTime_s = Math.floor(circumstances.scheduler.now_ms / 1_000)
    this.#remember()
    this.#tick()
  }

  get latest(): number {
    return this.#latest
  }
  get engineSequence(): bigint {
    return this.#engineSequence
  }
  /** All that came of custody, in order. */
  get custody(): readonly Custody[] {
    return this.#custody
  }
  get events(): readonly ChainEvent[] {
    return this.#events
  }
  /** The last ledger in which money came or went. */
  get lastCustodyLedger(): number {
    return this.#lastCustody
  }
  #lastCustody = FIRST_LEDGER
  /** Transactions that validators hold. */
  get pending(): number {
    return this.#pool.length
  }

  closed(ledger: number): Closed {
    const closed = this.#closed.get(ledger)
    if (closed === undefined) throw new Error(`there is no ledger ${ledger}`)
    return closed
  }

  outcome(hash: string, asOf: number): Outcome | undefined {
    const outcome = this.#outcomes.get(hash)
    return outcome !== undefined && outcome.ledger <= asOf ? outcome : undefined
  }

  endow(account: AccountId, asset: ContractId, amount: bigint): void {
    this.#wallet(account).set(asset, this.wallet(account, asset) + amount)
  }

  wallet(account: AccountId, asset: ContractId): bigint {
    return this.#wallets.get(account)?.get(asset) ?? 0n
  }

  /** Everything in wallets. */
  inWallets(asset: ContractId): bigint {
    return [...this.#wallets.values()].reduce((sum, wallet) => sum + (wallet.get(asset) ?? 0n), 0n)
  }

  deposit(account: AccountId, asset: ContractId, amount: bigint): void {
    this.#pool.push(
      this.#ofUser((transaction) => {
        if (this.wallet(account, asset) < amount || amount <= 0n) return false
        this.#wallet(account).set(asset, this.wallet(account, asset) - amount)
        const index = this.books.deposit(account, asset, amount)
        this.#moved({ kind: 'deposited', account, asset, amount }, index, transaction)
        return true
      }),
    )
  }

  /** A withdrawal whose authorisation by the engine has been read; a nonce is good for one, and up to its last ledger. */
  withdraw(account: AccountId, asset: ContractId, amount: bigint, nonce: bigint, validUntil: number): void {
    this.#pool.push(
      this.#ofUser((transaction) => {
        if (this.#nonces.has(nonce) || this.#latest > validUntil || this.books.withdrawFault(account, asset, amount) !== null) return false
        this.#nonces.add(nonce)
        const { index, left } = this.books.withdraw(account, asset, amount)
        this.#wallet(account).set(asset, this.wallet(account, asset) + amount)
        const hash = this.#moved({ kind: 'withdrawn', account, asset, amount }, index, transaction)
        if (left !== undefined) this.#asks(account, asset, left, index, transaction, hash)
        return true
      }),
    )
  }

  /** Money is asked for without the engine: everything there is, where more is asked for. */
  requestExit(account: AccountId, asset: ContractId, amount: bigint): void {
    this.#pool.push(
      this.#ofUser((transaction) => {
        const asked = this.books.requestExit(account, asset, amount, this.#closeTime_s)
        if (typeof asked === 'number') return false
        this.#asks(account, asset, asked.exit, asked.index, transaction)
        return true
      }),
    )
  }

  cancelExit(account: AccountId, asset: ContractId): void {
    this.#pool.push(
      this.#ofUser((transaction) => {
        const cancelled = this.books.cancelExit(account, asset)
        if (typeof cancelled === 'number') return false
        this.#asks(account, asset, null, cancelled.index, transaction)
        return true
      }),
    )
  }

  claimExit(account: AccountId, asset: ContractId): void {
    this.#pool.push(
      this.#ofUser((transaction) => {
        const paid = this.books.claimExit(account, asset, this.#closeTime_s)
        if (typeof paid === 'number') return false
        this.#wallet(account).set(asset, this.wallet(account, asset) + paid.amount)
        this.#moved({ kind: 'claimed', account, asset, amount: paid.amount }, paid.index, transaction)
        return true
      }),
    )
  }

  /** The network stands for as long as an exit takes: the next ledger is that much later. */
  passExitDelay(): void {
    this.#closeTime_s += EXIT_DELAY_s
  }

  /** What a validator says to a transaction of the engine: a result code where it does not take it. */
  submit(transaction: BatchTransaction): 'PENDING' | 'DUPLICATE' | 'txBadSeq' | 'txTooLate' {
    const { hash, sequence, maxTime_s, batch } = transaction
    if (this.#pool.some((pending) => pending.hash === hash)) return 'DUPLICATE'
    if (sequence !== this.#engineSequence + 1n) return 'txBadSeq'
    if (maxTime_s < this.#closeTime_s) return 'txTooLate'
    const { plan, faults } = this.#circumstances
    if (this.#random.chance(plan.chain.dropped)) {
      faults.add('transaction dropped')
      return 'PENDING'
    }
    let ledger = this.#latest + 1
    if (this.#random.chance(plan.chain.late)) {
      faults.add('transaction included late')
      ledger += this.#random.between(1, LATE_LEDGERS)
    }
    this.#pool.push({
      hash,
      ledger,
      valid: (closeTime_s) => closeTime_s <= maxTime_s && sequence === this.#engineSequence + 1n,
      apply: (place) => {
        this.#engineSequence = sequence
        if (this.books.batchFault(batch, this.books.channel, this.#closeTime_s) !== null) return false
        this.books.settle(batch, this.#closeTime_s)
        this.#tell(place, hash, [symbol('settle_batch'), u32(batch.channel)], list(u64(batch.epoch), u64(batch.sequence)))
        return true
      },
    })
    return 'PENDING'
  }

  /** Closes a ledger now, whatever the time. */
  closeNow(): void {
    this.#close()
  }

  #tick(): void {
    this.#circumstances.scheduler.after(this.#ledger_s * 1_000_000, 'ledger closes', 'chain', () => {
      this.#close()
      this.#tick()
    })
  }

  #close(): void {
    this.#latest++
    this.#closeTime_s += this.#ledger_s
    const waiting: Pending[] = []
    let place = 0
    for (const pending of this.#pool) {
      if (!pending.valid(this.#closeTime_s)) continue
      if (pending.ledger > this.#latest) {
        waiting.push(pending)
        continue
      }
      place++
      const succeeded = pending.apply(place)
      this.#outcomes.set(pending.hash, { ledger: this.#latest, succeeded })
      this.#circumstances.trace.event(this.#circumstances.scheduler.now_us, succeeded ? 'transaction applied' : 'transaction failed', 'chain', this.#latest)
    }
    this.#pool = waiting
    this.#remember()
  }

  #remember(): void {
    this.#closed.set(this.#latest, { closeTime_s: this.#closeTime_s, channel: this.books.channel, page: this.books.accounts.length === 0 ? null : this.books.page })
  }

  #ofUser(apply: Pending['apply']): Pending {
    return { hash: this.#random.hex(64), ledger: this.#latest + 1, valid: () => true, apply }
  }

  /** Gives the hash of the transaction. */
  #moved(custody: Custody, index: number, place: number): string {
    const hash = this.#hash()
    this.#record(custody, list(u32(index), u32(0), i128(custody.amount)), place, hash, 0)
    return hash
  }

  /** What an account asks for from now on. */
  #asks(account: AccountId, asset: ContractId, exit: Exit | null, index: number, place: number, withdrawal?: string): void {
    const { amount, due_s } = exit ?? { amount: 0n, due_s: 0 }
    this.#record({ kind: 'exit', account, asset, amount }, list(u32(index), u32(0), i128(amount), u64(BigInt(due_s))), place, withdrawal ?? this.#hash(), withdrawal === undefined ? 0 : 1)
  }

  #record(custody: Custody, value: xdr.ScVal, place: number, hash: string, event: number): void {
    const { kind, account, asset } = custody
    this.#custody.push(custody)
    this.#lastCustody = this.#latest
    this.#tell(place, hash, [symbol(topicOf[kind]), address(account), address(asset)], value, event)
  }

  #hash(): string {
    return (++this.#transactions).toString(16).padStart(64, '0')
  }

  #tell(place: number, transaction: string, topics: readonly xdr.ScVal[], value: xdr.ScVal, event = 0): void {
    this.#events.push({ ledger: this.#latest, cursor: cursorOf(this.#latest, place, event), transaction, topics, value })
  }

  #wallet(account: AccountId): Map<ContractId, bigint> {
    const wallet = this.#wallets.get(account) ?? new Map<ContractId, bigint>()
    this.#wallets.set(account, wallet)
    return wallet
  }
}
