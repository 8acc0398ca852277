import type { AccountId, ContractId } from '../src/protocol/identity.ts'
import type { Chain } from './chain/chain.ts'
import type { Circumstances } from './circumstances.ts'
import type { Random } from './random.ts'

const ASKS_us = { least: 300_000, most: 4_000_000 }
const THINKS_BETTER_us = { least: 1_000_000, most: 6_000_000 }
const CLAIMS_us = { least: 100_000, most: 3_000_000 }
/** More than anybody has: all there is. */
const EVERYTHING = 2n ** 126n
/** In a run, however long somebody is away. */
const MOST_ASKED = 40
/** How often somebody who has asked thinks better of it. */
const CANCELS = 0.25

/** Those who take their money out by the contract alone (docs/contract.md, "The way out"): they ask while they trade, some think better of it, and when the delay is over most of them are paid. */
export class Leavers {
  readonly #circumstances: Circumstances
  readonly #random: Random
  readonly #accounts: readonly AccountId[]
  readonly #assets: readonly ContractId[]
  readonly #chain: Chain
  /** What somebody is about to do. */
  #planned = 0
  #asked = 0
  #resting = false
  #over = false

  constructor(circumstances: Circumstances, accounts: readonly AccountId[], assets: readonly ContractId[], chain: Chain) {
    this.#circumstances = circumstances
    this.#random = circumstances.random.fork('leavers')
    this.#accounts = accounts
    this.#assets = assets
    this.#chain = chain
    this.#next()
  }

  /** Nobody asks any more. */
  rest(): void {
    this.#resting = true
  }

  /** Whether everybody has been at the contract who wants to. */
  get done(): boolean {
    return this.#over && this.#planned === 0
  }

  /** The delay is over. Most claim, some never, some twice. */
  claim(): void {
    if (this.#over) return
    this.#over = true
    this.#chain.passExitDelay()
    for (const { account, asset } of this.#chain.books.exits) {
      for (let times = this.#random.pick([0, 1, 1, 1, 1, 2]); times > 0; times--) this.#plan(CLAIMS_us, 'claims', () => this.#chain.claimExit(account, asset))
    }
  }

  #next(): void {
    this.#circumstances.scheduler.after(this.#random.between(ASKS_us.least, ASKS_us.most), 'asks to leave', 'traders', () => {
      if (this.#resting || ++this.#asked > MOST_ASKED) return
      this.#ask(this.#random.pick(this.#accounts), this.#random.pick(this.#assets))
      this.#next()
    })
  }

  #ask(account: AccountId, asset: ContractId): void {
    const { books } = this.#chain
    const amount = this.#random.chance(0.5) ? EVERYTHING : (books.balance(account, asset) * BigInt(this.#random.between(1, 100))) / 100n
    if (amount > 0n) this.#chain.requestExit(account, asset, amount)
    if (this.#random.chance(CANCELS)) this.#plan(THINKS_BETTER_us, 'thinks better of it', () => this.#chain.cancelExit(account, asset))
  }

  #plan({ least, most }: { readonly least: number; readonly most: number }, what: string, run: () => void): void {
    this.#planned++
    this.#circumstances.scheduler.after(this.#random.between(least, most), what, 'traders', () => {
      this.#planned--
      run()
    })
  }
}
