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
  readonly #trades = new Map<string, Trade>()
  /** Orders that a vault actor has sent to a market. */
  readonly #placed = new Set<string>()
  /** What markets were asked. */
  readonly #asked = new Set<string>()
  /** Trade and account, as they were reported settled. */
  readonly #settled = new Set<string>()
  #custody = 0

  constructor(venue: Venue, chain: Chain, verdict: Verdict) {
    this.#venue = venue
    this.#chain = chain
    this.#verdict = verdict
  }

  get trades(): ReadonlyMap<string, Trade> {
    return this.#trades
  }

  isSettled(trade: string, account: AccountId): boolean {
    return this.#settled.has(`${trade} ${account}`)
  }

  placed(order: string): boolean {
    return this.#placed.has(order)
  }

  sent(from: ActorName, { to, message }: SentMessage): void {
    switch ((message as PairMessage | SettlementMessage | VaultMessage).kind) {
      case 'place':
        this.#placed.add((message as Extract<PairMessage, { kind: 'place' }>).order)
        return this.#once((message as Extract<PairMessage, { kind: 'place' }>).order)
      case 'amend':
        return this.#once((message as Extract<PairMessage, { kind: 'amend' }>).amend)
      case 'cancelAll':
        return this.#once(`${(message as Extract<PairMessage, { kind: 'cancelAll' }>).sweep} ${to}`)
      case 'trade':
        return this.#trade(message as Trade)
      case 'deposited':
      case 'withdrawn':
        return this.#moved(message as Extract<VaultMessage, { kind: 'deposited' | 'withdrawn' }>)
      case 'settled':
        return this.#settle(from, message as Extract<VaultMessage, { kind: 'settled' }>)
      default:
        return
    }
  }


  /** What a signed message asks of a market goes there once, however often it is sent. */
  #once(what: string): void {
    this.#verdict.holds(!this.#asked.has(what), 'nothing is applied twice', () => 'one signed message has had its effect twice')
    this.#asked.add(what)
  }

  #trade(trade: Trade): void {
    this.#verdict.holds(!this.#trades.has(trade.id), 'nothing is applied twice', () => `trade ${trade.id} was made twice`)
    this.#trades.set(trade.id, trade)
  }

  /** The watcher's reports are the chain's history: no other, none left out, in its order. */
  #moved({ kind, account, asset, amount }: Extract<VaultMessage, { kind: 'deposited' | 'withdrawn' }>): void {
    const happened = this.#chain.custody[this.#custody++]
    const same = happened?.kind === kind && happened.account === account && happened.asset === asset && happened.amount === amount
    this.#verdict.holds(same, 'the chain is reported as it is', () => `report ${this.#custody} of a deposit or withdrawal is not what happened`)
  }

  #settle(from: ActorName, { account, trades }: Extract<VaultMessage, { kind: 'settled' }>): void {
    for (const id of trades) {
      const trade = this.#trades.get(id)
      this.#verdict.holds(trade?.buyer === account || trade?.seller === account, 'only trades are settled', () => `${from} reports a trade settled that was never made`)
      const side = `${id} ${account}`
      this.#verdict.holds(!this.#settled.has(side), 'a trade is settled once', () => `${from} reports trade ${id} settled twice`)
      this.#settled.add(side)
    }
  }

  /** What everybody must come to own once everything is settled, by account and asset. */
  get all(): ReadonlyMap<string, bigint> {
    const owned = new Map<string, bigint>()
    const add = (account: AccountId, asset: ContractId, amount: bigint): void => void owned.set(`${account} ${asset}`, (owned.get(`${account} ${asset}`) ?? 0n) + amount)
    for (const { kind, account, asset, amount } of this.#chain.custody) add(account, asset, kind === 'deposited' ? amount : 0n - amount)
    for (const { market, buyer, seller, base, quote } of this.#trades.values()) {
      const rules = this.#venue.markets.get(market)?.rules
      if (rules === undefined) continue
      add(buyer, rules.base.contract, base)
      add(seller, rules.base.contract, 0n - base)
      add(buyer, rules.quote.contract, 0n - quote)
      add(seller, rules.quote.contract, quote)
    }
    return owned
  }
}
