import { formatDecimal, parseDecimal } from './decimal.ts'
import { Refusal } from './errors.ts'
import type { ErrorCode } from './errors.ts'
import { MAX_LOTS, MAX_TICKS } from './identity.ts'
import type { Amount, ContractId, Lots, MarketName, SelfTrade, Ticks } from './identity.ts'
import type { TapeRules } from './tape.ts'

/** An asset the vault holds. */
export interface Asset {
  /** Display code, 1–12 letters and digits, unique in the venue. */
  readonly code: string
  readonly contract: ContractId
  /** The vault's stable index of the asset: what a settlement batch names. */
  readonly index: number
  /** Digits after the point that the smallest unit stands for: 7 for classic Stellar assets. */
  readonly decimals: number
}

/** What a market keeps of what each side of a trade receives, in parts per million. */
export interface FeeRates {
  readonly maker_ppm: number
  readonly taker_ppm: number
}

export const noFees: FeeRates = { maker_ppm: 0, taker_ppm: 0 }

/** The rules of one market. Amounts are in smallest units. */
export interface MarketRules {
  readonly name: MarketName
  readonly base: Asset
  readonly quote: Asset
  /** Base units per lot. */
  readonly lotSize: bigint
  /** Quote units per lot per tick. */
  readonly tickSize: bigint
  /** Smallest and largest order, in lots. */
  readonly minLots: number
  readonly maxLots: number
  /** Highest price, in ticks. */
  readonly maxTicks: number
  /** Largest ticks × lots of one order, and largest budget in ticks × lots: at most MAX_VALUE. */
  readonly maxValue: number
  /** How far ahead a message may expire, which is also the longest an order may rest, in seconds. */
  readonly maxLifetime_s: number
  /** What happens where two orders of one account would meet and the newer does not say. */
  readonly selfTrade: SelfTrade
  /** Orders that may rest at once: in the market, of one account, and of those with a minimum or all-or-none. */
  readonly maxOrders: number
  readonly maxOrdersPerAccount: number
  readonly maxConditionalOrders: number
  readonly fees: FeeRates
  /** What is told to everybody of its trades; null for nothing. */
  readonly tape: TapeRules | null
}

/** Up to here a book's arithmetic is exact. */
export const MAX_VALUE = Number.MAX_SAFE_INTEGER

/**
 * A market with its exact arithmetic: `quote = ticks × lots × tickSize`, `base = lots × lotSize`, no rounding anywhere. One tick must be
 * a terminating decimal price, which is checked when the market is made.
 */
export class Market {
  readonly rules: MarketRules
  /** One tick as a decimal price is `tickUnits × 10^-priceScale` quote per base. */
  readonly #tickUnits: bigint
  readonly #priceScale: number

  constructor(rules: MarketRules) {
    const { name, base, quote, lotSize, tickSize, minLots, maxLots, maxTicks, maxValue, fees, tape } = rules
    if (lotSize < 1n || tickSize < 1n) throw new Error(`market ${name}: lotSize and tickSize must be at least 1 smallest unit`)
    if (!(minLots >= 1 && minLots <= maxLots && maxLots <= MAX_LOTS)) throw new Error(`market ${name}: 1 ≤ minLots ≤ maxLots ≤ ${MAX_LOTS} does not hold`)
    if (!(maxTicks >= 1 && maxTicks <= MAX_TICKS)) throw new Error(`market ${name}: 1 ≤ maxTicks ≤ ${MAX_TICKS} does not hold`)
    if (!(maxValue >= minLots && maxValue <= MAX_VALUE)) throw new Error(`market ${name}: minLots ≤ maxValue ≤ ${MAX_VALUE} does not hold`)
    if (fees.maker_ppm + fees.taker_ppm > 0) {
      // Under these bounds every amount, and with it every fee, is exact as a double: docs/matching.md, "Fees".
      const most = BigInt(Number.MAX_SAFE_INTEGER)
      if (BigInt(maxLots) * lotSize > most) throw new Error(`market ${name}: with fees, maxLots × lotSize is at most ${most}`)
      if (BigInt(maxValue) * tickSize > most) throw new Error(`market ${name}: with fees, maxValue × tickSize is at most ${most}`)
    }
    if (tape !== null && !(tape.roundLots <= MAX_LOTS && tape.roundTicks <= MAX_TICKS)) throw new Error(`market ${name}: its tape rounds to more than ${MAX_LOTS} lots or ${MAX_TICKS} ticks`)
    if (base.contract === quote.contract) throw new Error(`market ${name}: base and quote are the same asset`)
    // price of one tick = (tickSize / 10^quote.decimals) / (lotSize / 10^base.decimals)
    let units = tickSize * 10n ** BigInt(base.decimals)
    let scale = quote.decimals
    for (let extra = 0; units % lotSize !== 0n; extra++) {
      if (extra > 37) throw new Error(`market ${name}: the price of one tick is no terminating decimal; choose another lotSize or tickSize`)
      units *= 10n
      scale++
    }
    units /= lotSize
    while (scale > 0 && units % 10n === 0n) {
      units /= 10n
      scale--
    }
    this.rules = rules
    this.#tickUnits = units
    this.#priceScale = scale
  }

  get name(): MarketName {
    return this.rules.name
  }

  /** @throws Refusal decimal_malformed, price_off_tick, price_out_of_range */
  parsePrice(text: string): Ticks {
    const units = parseDecimal(text, this.#priceScale)
    if (units === undefined || units % this.#tickUnits !== 0n) throw new Refusal('price_off_tick')
    const ticks = units / this.#tickUnits
    if (ticks < 1n || ticks > BigInt(this.rules.maxTicks)) throw new Refusal('price_out_of_range')
    return Number(ticks) as Ticks
  }

  /** @throws Refusal decimal_malformed, quantity_off_lot, quantity_out_of_range */
  parseQuantity(text: string): Lots {
    return this.#parseLots(text, this.rules.minLots, 'quantity_out_of_range')
  }

  /** A minimum may be less than the smallest order. @throws Refusal decimal_malformed, quantity_off_lot, minimum_out_of_range */
  parseMinimum(text: string): Lots {
    return this.#parseLots(text, 1, 'minimum_out_of_range')
  }

  #parseLots(text: string, least: number, outside: ErrorCode): Lots {
    const units = parseDecimal(text, this.rules.base.decimals)
    if (units === undefined || units % this.rules.lotSize !== 0n) throw new Refusal('quantity_off_lot')
    const lots = units / this.rules.lotSize
    if (lots < BigInt(least) || lots > BigInt(this.rules.maxLots)) throw new Refusal(outside)
    return Number(lots) as Lots
  }

  formatPrice(ticks: Ticks): string {
    return formatDecimal(BigInt(ticks) * this.#tickUnits, this.#priceScale)
  }

  /** @param lots of one order, or of many together */
  formatQuantity(lots: Lots | bigint): string {
    return formatDecimal(this.baseAmount(lots), this.rules.base.decimals)
  }

  /** Base units in a number of lots. */
  baseAmount(lots: Lots | bigint): Amount {
    return (BigInt(lots) * this.rules.lotSize) as Amount
  }

  /** Quote units that `lots` cost at `ticks`. */
  quoteAmount(ticks: Ticks, lots: Lots): Amount {
    return (BigInt(ticks) * BigInt(lots) * this.rules.tickSize) as Amount
  }

  /** Whether an order of that price and quantity is no larger than the market takes. */
  takes(ticks: Ticks, lots: Lots): boolean {
    // Where the product is inexact it is beyond every bound, and rounding does not bring it back.
    return ticks * lots <= this.rules.maxValue
  }

  /** Likewise for a budget. */
  takesBudget(spend: Amount): boolean {
    return spend / this.rules.tickSize <= BigInt(this.rules.maxValue)
  }

  /** The lots that `spend` quote units buy at `ticks`, rounded down to whole lots. */
  affordableLots(ticks: Ticks, spend: Amount): Lots {
    const lots = spend / (BigInt(ticks) * this.rules.tickSize)
    return Number(lots > BigInt(MAX_LOTS) ? BigInt(MAX_LOTS) : lots) as Lots
  }
}

/**
 * Reads an amount of an asset.
 * @throws Refusal decimal_malformed (also where it has more digits than the asset)
 */
export function parseAmount(text: string, asset: Asset): Amount {
  const units = parseDecimal(text, asset.decimals)
  if (units === undefined) throw new Refusal('decimal_malformed', `more than ${asset.decimals} digits after the point`)
  return units as Amount
}

export const formatAmount = (amount: Amount, asset: Asset): string => formatDecimal(amount, asset.decimals)
