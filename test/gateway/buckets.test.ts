import fc from 'fast-check'
import t from 'tap'
import { customerOf } from '../../src/gateway/limits/address.ts'
import { Buckets } from '../../src/gateway/limits/buckets.ts'

/** The plain way: a bucket of tokens, filled evenly as time passes. Whole milliseconds and tokens of so many milliseconds, so nothing is rounded. */
class SlowBucket {
  #tokens_ms: number
  #at_ms = 0
  readonly #quota: number
  readonly #each_ms: number

  constructor(quota: number, each_ms: number) {
    this.#quota = quota
    this.#each_ms = each_ms
    this.#tokens_ms = quota * each_ms
  }

  take(now_ms: number, count: number): boolean {
    this.#tokens_ms = Math.min(this.#quota * this.#each_ms, this.#tokens_ms + now_ms - this.#at_ms)
    this.#at_ms = now_ms
    if (this.#tokens_ms < count * this.#each_ms) return false
    this.#tokens_ms -= count * this.#each_ms
    return true
  }

  /** Whether a request would pass later, without making it. */
  would(then_ms: number, count: number): boolean {
    return Math.min(this.#quota * this.#each_ms, this.#tokens_ms + then_ms - this.#at_ms) >= count * this.#each_ms
  }

  get left(): number {
    return Math.floor(this.#tokens_ms / this.#each_ms)
  }

  get untilFull_ms(): number {
    return this.#quota * this.#each_ms - this.#tokens_ms
  }
}

t.test('one number per key does what a bucket of tokens does', async () => {
  const requests = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), after_ms: fc.nat(2_000), count: fc.integer({ min: 1, max: 4 }) }), { maxLength: 100 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.constantFrom(1, 10, 250), requests, (quota, each_ms, sequence) => {
      const buckets = new Buckets({ quota, window_s: (quota * each_ms) / 1_000 }, 10)
      const slow = new Map(['a', 'b', 'c'].map((key) => [key, new SlowBucket(quota, each_ms)]))
      let now_ms = 0
      for (const { key, after_ms, count } of sequence) {
        now_ms += after_ms
        const model = slow.get(key)!
        const peeked = count === 1 ? buckets.peek(key, now_ms) : null
        const fullIn_ms = buckets.take(key, now_ms, count)
        const taken = model.take(now_ms, count)
        if (peeked !== null && Math.abs(peeked - fullIn_ms) > 1e-6) throw new Error('a look says something else than a request')
        if (taken !== fullIn_ms >= 0) throw new Error(`${taken ? 'refused' : 'let through'} at ${now_ms}`)
        if (taken && (buckets.left(fullIn_ms) !== model.left || Math.abs(fullIn_ms - model.untilFull_ms) > 1e-6)) throw new Error('another rest than the model')
        // Who waits as long as it is told gets through.
        if (!taken && count <= quota && !model.would(now_ms - fullIn_ms + 1e-6, count)) throw new Error('told to wait too short')
        if (!taken && count <= quota && model.would(now_ms - fullIn_ms - 1, count)) throw new Error('told to wait too long')
      }
    }),
    { numRuns: 500 },
  )
})

t.test('strangers beyond the capacity share one bucket; who is known keeps its own, and memory is bounded', async (t) => {
  const buckets = new Buckets({ quota: 2, window_s: 10 }, 100)
  for (let n = 0; n < 100; n++) t.ok(buckets.take(`known ${n}`, 0) >= 0)
  t.equal([1, 2, 3].filter((n) => buckets.take(`stranger ${n}`, 1) >= 0).length, 2)
  t.ok(buckets.take('known 1', 1) >= 0)
  t.equal(buckets.size, 100)
  // When the known ones are full again, they are as good as forgotten.
  t.ok(buckets.take('stranger 3', 20_000) >= 0)
  t.equal(buckets.size, 1)
})

t.test('an address is its customer’s: one IPv4 address, one /64 of IPv6', async (t) => {
  for (const [address, customer] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::1', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ] as const) t.equal(customerOf(address), customer, address)
  t.equal(customerOf(undefined), 'gone')
})
