import { Refusal } from './errors.ts'

/** One spelling per number: no sign, exponent, leading zero or trailing zero; zero is "0". At most 39 digits before the point. */
export const DECIMAL_PATTERN = '^(0|[1-9][0-9]{0,38})(\\.[0-9]{0,37}[1-9])?$'
const spelling = new RegExp(DECIMAL_PATTERN)

/**
 * Reads a decimal as a whole number of 10^-scale units: "1.05" at scale 2 is 105n.
 * @throws Refusal decimal_malformed where the spelling is not canonical, or undefined where more than `scale` digits follow the point
 */
export function parseDecimal(text: string, scale: number): bigint | undefined {
  if (!spelling.test(text)) throw new Refusal('decimal_malformed')
  const point = text.indexOf('.')
  if (point < 0) return BigInt(text) * 10n ** BigInt(scale)
  const fraction = text.length - point - 1
  if (fraction > scale) return undefined
  return BigInt(text.slice(0, point) + text.slice(point + 1)) * 10n ** BigInt(scale - fraction)
}

/** Writes a whole number of 10^-scale units in its one spelling; a difference below zero gets a minus sign. */
export function formatDecimal(units: bigint, scale: number): string {
  if (units < 0n) return `-${formatDecimal(-units, scale)}`
  if (scale === 0) return units.toString()
  const digits = units.toString().padStart(scale + 1, '0')
  const whole = digits.slice(0, -scale)
  let end = digits.length
  while (end > whole.length && digits.charCodeAt(end - 1) === 48) end--
  return end === whole.length ? whole : `${whole}.${digits.slice(whole.length, end)}`
}
