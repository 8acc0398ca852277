import type { AccountId, ActorName, ContractId } from '../../src/protocol/identity.ts'
import type { PairMessage, Trade } from '../../src/protocol/pair.ts'
import type { SettlementMessage } from '../../src/protocol/settlement.ts'
import type { VaultMessage } from '../../src/protocol/vault.ts'
import type { Venue } from '../../src/protocol/venue.ts'
import type { Chain } from '../chain/chain.ts'
import type { HistoryReader, SentMessage } from '../history.ts'
import type { Verdict } from '../violation.ts'

/**
 * The venue's books once more, kept from the outside: from what became durable between actors and from what happened on chain. Slow and
 * obvious; at the end of a run everybody's money must be what it says here.
 */
export class Books implements HistoryReader {
  readonly #venue: Venue
  readonly #chain: Chain
  readonly #verdict: Verdict
  /** By account and asset: what its trades have brought it. */
  readonly #traded = new Map<string, bigint>()
  /** By asset: what trades have brought the venue. */
  readonly #fees = new Map<string, bigint>()
  /** Trades so far, by market. */
  readonly #trades = new Map<string, number>()
  /** Accounts of each trade that are yet to be told that it is settled. */
  readonly #unsettled = new Map<string, Set<AccountId>>()
  /** Orders that a vault actor has sent to a market. */
  readonly #placed = new Set<string>()
  /** What markets were asked. */
  readonly #asked = new Set<string>()
  #custody = 0
  /** Ledgers at which vault actors were told what the contract held. */
  readonly #readings = new Set<number>()

  constructor(venue: Venue, chain: Chain, verdict: Verdict) {
    this.#venue = venue
    this.#chain = chain
    this.#verdict = verdict
  }

  /** Trades of all markets. */
  get trades(): number {
    return [...this.#trades.values()].reduce((sum, count) => sum + count, 0)
  }

  get readings(): number {
    return this.#readings.size
  }

  /** Names of trades of which an account has not been told that they are settled. */
  get unsettled(): Iterable<string> {
    return this.#unsettled.keys()
  }

  /** What the venue must come to have of an asset once everything is settled. */
  fees(asset: string): bigint {
    return this.#fees.get(asset) ?? 0n
  }

  placed(order: string): boolean {
    return this.#placed.has(order)
  }

  sent(from: ActorName, { to, message }: SentMessage): void {
    const said = message as PairMessage | SettlementMessage | VaultMessage
    switch (said.kind) {
      case 'place':
        this.#placed.add(said.order)
        return this.#once(said.order)
      case 'amend':
        return this.#once(said.amend)
      case 'cancelAll':
        return this.#once(`${said.sweep} ${to}`)
      case 'trade':
        return this.#trade(said)
      case 'deposited':
      case 'withdrawn':
      case 'exit':
      case 'claimed':
        return this.#moved(said)
      case 'settled':
        return this.#settle(from, said)
      case 'holdings':
        this.#readings.add(said.ledger)
        return
      default:
        return
    }
  }

  /** What everybody must come to own once everything is settled, by account and asset. */
  get owned(): ReadonlyMap<string, bigint> {
    const owned = new Map(this.#traded)
    for (const { kind, account, asset, amount } of this.#chain.custody) if (kind !== 'exit') add(owned, account, asset, kind === 'deposited' ? amount : -amount)
    return owned
  }

  /** What a signed message asks of a market goes there once, however often it is sent. */
  #once(what: string): void {
    this.#verdict.holds(!this.#asked.has(what), 'nothing is applied twice', () => 'one signed message has had its effect twice')
    this.#asked.add(what)
  }

  #trade({ id, market, buyer, seller, base, quote, buyerFee, sellerFee }: Trade): void {
    const number = (this.#trades.get(market) ?? 0) + 1
    this.#trades.set(market, number)
    this.#verdict.holds(id === `${market}:${number}`, 'nothing is applied twice', () => `trade ${id} is made as the ${number}th of its market`)
    this.#unsettled.set(id, new Set([buyer, seller]))
    const rules = this.#venue.markets.get(market)?.rules
    if (rules === undefined) return this.#verdict.broken('conservation', `trade ${id} is of no market`)
    add(this.#traded, buyer, rules.base.contract, base - buyerFee)
    add(this.#traded, seller, rules.base.contract, 0n - base)
    add(this.#traded, buyer, rules.quote.contract, 0n - quote)
    add(this.#traded, seller, rules.quote.contract, quote - sellerFee)
    for (const [{ contract }, fee] of [[rules.base, buyerFee], [rules.quote, sellerFee]] as const) this.#fees.set(contract, this.fees(contract) + fee)
  }

  /** The watcher's reports are the chain's history: no other, none left out, in its order. */
  #moved({ kind, account, asset, amount }: Extract<VaultMessage, { kind: 'deposited' | 'withdrawn' | 'exit' | 'claimed' }>): void {
    const happened = this.#chain.custody[this.#custody++]
    const same = happened?.kind === kind && happened.account === account && happened.asset === asset && happened.amount === amount
    this.#verdict.holds(same, 'the chain is reported as it is', () => `report ${this.#custody} of a deposit, withdrawal or exit is not what happened`)
  }

  #settle(from: ActorName, { account, trades }: Extract<VaultMessage, { kind: 'settled' }>): void {
    for (const id of trades) {
      const waiting = this.#unsettled.get(id)
      const due = waiting?.delete(account) === true
      this.#verdict.holds(due, 'a trade is settled once', () => `${from} reports trade ${id} settled to an account that has no side in it, or has been told`)
      if (waiting?.size === 0) this.#unsettled.delete(id)
    }
  }
}

function add(sums: Map<string, bigint>, account: AccountId, asset: ContractId, amount: bigint): void {
  const key = `${account} ${asset}`
  sums.set(key, (sums.get(key) ?? 0n) + amount)
}
