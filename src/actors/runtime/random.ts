import { randomBytes } from 'node:crypto'

/** Random bytes as the runtime gets them, so that a simulation can hand in its own. */
export type Random = (length: number) => Uint8Array

export const systemRandom: Random = randomBytes
