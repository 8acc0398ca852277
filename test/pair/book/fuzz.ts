// `npm run fuzz:book -- --seed N --count N`: random commands to the book and to all that must agree with it. Ends with code 1 at the first
// difference, after printing its seed and the fewest commands that show it.
import { parseArgs } from 'node:util'
import { describe, fuzz } from './fuzzing.ts'

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' }, count: { type: 'string', default: '10000000' } } })
const [seed, count] = [Number(values.seed), Number(values.count)]
if (!Number.isSafeInteger(seed) || seed < 0 || !Number.isSafeInteger(count) || count < 1) {
  console.error('usage: npm run fuzz:book -- [--seed N] [--count N], whole numbers')
  process.exit(2)
}

const STEP = 200_000
let events = 0
for (let done = 0; done < count; done += STEP) {
  const divergence = fuzz(seed + done / 1_000, Math.min(STEP, count - done), () => events++)
  if (divergence !== null) {
    console.error(describe(divergence))
    process.exit(1)
  }
  console.log(`${Math.min(done + STEP, count)} commands, ${events} events, no difference`)
}
