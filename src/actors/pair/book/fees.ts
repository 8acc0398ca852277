import assert from 'node:assert/strict'
import type { BookRules, FeeRules } from './terms.ts'

const MILLION = 1_000_000

/**
 * ⌈amount × rate / 1 000 000⌉, exactly, for amounts below 2^53: whole millions apart from the rest, so that no product exceeds 2^53. The quotient is below 2^34, where
 * doubles are rounded by less than a millionth: one that is not whole is never rounded up to a whole number.
 */
export function feeOf(amount: number, rate_ppm: number): number {
  const millions = Math.floor(amount / MILLION)
  const rest = amount - millions * MILLION
  return millions * rate_ppm + Math.ceil((rest * rate_ppm) / MILLION)
}

/**
 * The fee on `count` times `size`, both whole numbers. A market that charges has bounds under which the product is below 2^53; an order that rests since before they were as
 * narrow may exceed them once more, and is charged exactly all the same.
 */
export function feeOn(count: number, size: number, rate_ppm: number): number {
  const amount = count * size
  if (amount <= Number.MAX_SAFE_INTEGER) return feeOf(amount, rate_ppm)
  return Number((BigInt(count) * BigInt(size) * BigInt(rate_ppm) + 999_999n) / 1_000_000n)
}

/** Under these bounds every amount, and with it every fee, is exact. */
export function assertExact(rules: BookRules, fees: FeeRules): void {
  const whole = (value: number): boolean => Number.isSafeInteger(value) && value >= 1
  assert(whole(fees.lotSize) && whole(fees.tickSize), 'lot and tick are whole numbers of smallest units')
  assert(rules.maxLots * fees.lotSize <= Number.MAX_SAFE_INTEGER, 'the largest order in base units is below 2^53')
  assert(rules.maxValue * fees.tickSize <= Number.MAX_SAFE_INTEGER, 'the largest value in quote units is below 2^53')
  for (const rate of [fees.maker_ppm, fees.taker_ppm]) assert(Number.isSafeInteger(rate) && rate >= 0 && rate <= MILLION, 'a fee is 0 … 1 000 000 ppm')
}
