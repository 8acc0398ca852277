import { hash } from 'node:crypto'
import type { DeployedAsset } from '../../scripts/venue/deployment.ts'
import type { AccountId, Amount, Lots, MarketName, Milliseconds, OrderId, Ticks, TradeId } from '../../src/protocol/identity.ts'
import type { Trade } from '../../src/protocol/pair.ts'
import type { MarketAssets } from '../../src/settlement/netting.ts'
import { Dice } from '../dice.ts'

/** What an account is given of an asset before it trades, and the most that one trade moves: a hundred thousand, all the same way, leave it above zero. */
const HELD = 10n ** 13n
const MOST_TRADED = 100_000_000
/** What whoever is given assets pays for them, since both sides of a trade give something. */
const TOKEN_PRICE = 1n

/** Trades as pair actors send them, numbered on: the same ones in every run. */
export class Deals {
  readonly #assets: readonly DeployedAsset[]
  readonly #markets: ReadonlyMap<MarketName, MarketAssets>
  readonly #dice = new Dice()
  #made = 0

  /** Every asset has a market against the first one. */
  constructor(assets: readonly DeployedAsset[]) {
    this.#assets = assets
    const quote = this.#asset(0)
    this.#markets = new Map(assets.slice(1).map((base) => [marketOf(base, quote), { base, quote }]))
  }

  readonly assetsOf = (name: MarketName): MarketAssets => {
    const market = this.#markets.get(name)
    if (!market) throw new Error(`no market ${name}`)
    return market
  }

  /** Of each of the assets plenty for each account, from the treasurer. Those of one account come together. */
  gifts(treasurer: AccountId, accounts: readonly AccountId[], from: number, to: number): Trade[] {
    return accounts.flatMap((account) => {
      const issued = Array.from({ length: to - Math.max(from, 1) }, (_, n) => this.#trade({ buyer: account, seller: treasurer, base: Math.max(from, 1) + n, amounts: [HELD, TOKEN_PRICE] }))
      return from > 0 ? issued : [...issued, this.#trade({ buyer: treasurer, seller: account, base: 1, amounts: [TOKEN_PRICE, HELD] })]
    })
  }

  /** A trade of two accounts that are drawn, in one of the first `assets - 1` markets. */
  drawn(accounts: readonly AccountId[], assets: number): Trade {
    const buyer = this.#dice.below(accounts.length)
    const seller = (buyer + 1 + this.#dice.below(accounts.length - 1)) % accounts.length
    return this.between(accounts[buyer] as AccountId, accounts[seller] as AccountId, assets)
  }

  between(buyer: AccountId, seller: AccountId, assets: number): Trade {
    const amount = (): bigint => BigInt(1 + this.#dice.below(MOST_TRADED))
    return this.#trade({ buyer, seller, base: 1 + this.#dice.below(assets - 1), amounts: [amount(), amount()] })
  }

  #trade({ buyer, seller, base, amounts: [baseAmount, quoteAmount] }: { buyer: AccountId; seller: AccountId; base: number; amounts: readonly [bigint, bigint] }): Trade {
    const n = ++this.#made
    const market = marketOf(this.#asset(base), this.#asset(0))
    return {
      kind: 'trade',
      id: `${market}:${n}` as TradeId,
      market,
      buyer,
      seller,
      buyOrder: hash('sha256', `buy ${n}`) as OrderId,
      sellOrder: hash('sha256', `sell ${n}`) as OrderId,
      ticks: 1 as Ticks,
      lots: 1 as Lots,
      base: baseAmount as Amount,
      quote: quoteAmount as Amount,
      buyerFee: 0n as Amount,
      sellerFee: 0n as Amount,
      time: Date.now() as Milliseconds,
      journal: hash('sha256', `journal ${n}`, 'buffer'),
    }
  }

  #asset(n: number): DeployedAsset {
    const asset = this.#assets[n]
    if (!asset) throw new Error(`there is no asset ${n}`)
    return asset
  }
}

const marketOf = (base: DeployedAsset, quote: DeployedAsset): MarketName => `${base.code}-${quote.code}` as MarketName
