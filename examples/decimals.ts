/** Decimals of the venue as whole numbers of their last place, and back. No price or quantity ever passes through floating point. */
export const PLACES = 12

export function parse(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.')
  if (!/^[0-9]+$/.test(whole) || !/^[0-9]*$/.test(fraction) || fraction.length > PLACES) throw new Error(`${text} is no decimal of at most ${PLACES} places`)
  return BigInt(whole + fraction.padEnd(PLACES, '0'))
}

/** The venue's one spelling: nothing in front that is zero, nothing behind. */
export function format(value: bigint): string {
  if (value < 0n) return `-${format(-value)}`
  const digits = String(value).padStart(PLACES + 1, '0')
  const fraction = digits.slice(-PLACES).replace(/0+$/, '')
  return digits.slice(0, -PLACES) + (fraction === '' ? '' : `.${fraction}`)
}

/** The largest multiple of a step that is not above the value. */
export const floor = (value: bigint, step: bigint): bigint => value - (value % step)
