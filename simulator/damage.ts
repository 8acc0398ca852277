import type { Random } from './random.ts'

/** The bytes torn off somewhere, or with one bit that is not what was written. Never the same bytes, and always other memory. */
export function damaged(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.chance(0.5)) return Uint8Array.from(bytes.subarray(0, random.below(bytes.length)))
  const flipped = Uint8Array.from(bytes)
  const at = random.below(bytes.length)
  flipped[at] = flipped[at]! ^ (1 << random.below(8))
  return flipped
}
