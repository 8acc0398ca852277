/** Of longer texts, which are ids, addresses and encoded bytes, so many characters from either end. */
const SAMPLED = 8
/** The lowest 64 bits of a bigint, which are all that it is digested from, as two numbers: without making a bigint of each. */
const low64 = new BigInt64Array(1)
const halves = new Int32Array(low64.buffer)

/**
 * 32 bits of what a message says, the same before and after it was encoded. Enough to tell two messages that are not the same one; not
 * meant against anybody who chooses them.
 */
export function digestOf(value: unknown): number {
  return mix(0x811c9dc5 | 0, value) >>> 0
}

function mix(hash: number, value: unknown): number {
  switch (typeof value) {
    case 'string':
      return step(hash, hashOf(value))
    case 'number':
      return step(step(hash, value | 0), Math.floor(value / 0x1_0000_0000) | 0)
    case 'bigint':
      low64[0] = value
      return step(step(hash, halves[0]!), halves[1]!)
    case 'boolean':
      return step(hash, value ? 1 : 2)
    case 'object':
      break
    default:
      return hash
  }
  if (value === null) return step(hash, 3)
  let mixed = hash
  // Bytes before and after they were encoded are not of one class.
  if (value instanceof Uint8Array) {
    mixed = step(mixed, value.length)
    for (const byte of value) mixed = step(mixed, byte)
    return mixed
  }
  if (Array.isArray(value)) {
    mixed = step(mixed, value.length)
    for (const item of value) mixed = mix(mixed, item)
    return mixed
  }
  for (const name in value) {
    const member = (value as Record<string, unknown>)[name]
    if (member !== undefined) mixed = mix(step(mixed, name.length), member)
  }
  return mixed
}

function hashOf(value: string): number {
  const { length } = value
  let hash = Math.imul(0x811c9dc5 ^ length, 0x01000193)
  const head = length > 2 * SAMPLED ? SAMPLED : length
  for (let i = 0; i < head; i++) hash = Math.imul(hash ^ value.charCodeAt(i), 0x01000193)
  for (let i = Math.max(head, length - SAMPLED); i < length; i++) hash = Math.imul(hash ^ value.charCodeAt(i), 0x01000193)
  return hash
}

function step(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x5bd1e995)
  return mixed ^ (mixed >>> 13)
}
