import fc from 'fast-check'
import t from 'tap'
import { CODEC_VERSION, decode, encode } from '../../src/protocol/codec.ts'

t.test('what is packed comes back as it was, amounts of any size included', async () => {
  const amount = fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n })
  const item = fc.record({ kind: fc.constantFrom('a', 'b'), amount, lots: fc.nat(2 ** 31 - 1), time: fc.integer({ min: 0, max: 2 ** 45 }), text: fc.string(), none: fc.constant(null) }, { noNullPrototype: true })
  fc.assert(
    fc.property(fc.array(item, { maxLength: 50 }), (items) => {
      const packet = { from: 'vault.0', first: 7, items }
      t.strictSame(decode(encode(packet)), packet)
    }),
  )
})

t.test('packets stand alone: each is readable without the ones before', async (t) => {
  const packets = [1, 2, 3].map((n) => encode({ kind: 'x', n, amount: BigInt(n) }))
  t.strictSame(packets.reverse().map((packet) => decode(packet)), [3, 2, 1].map((n) => ({ kind: 'x', n, amount: BigInt(n) })))
})

t.test('the same value gives the same bytes, whatever was packed before it and however often it was read', async (t) => {
  // No shape of ours has a member of that name; what becomes of one is the next test's.
  const key = fc.string().filter((name) => name !== '__proto__')
  const value = fc.anything({ key, withBigInt: true, withMap: true, withNullPrototype: false, withObjectString: false, maxDepth: 4, maxKeys: 12 })
  const fresh = (): unknown => Array.from({ length: 100 }, (_, n) => ({ [`a${n}`]: n, [`b${n * 7}`]: { [`c${n}`]: BigInt(n) } }))
  fc.assert(
    fc.property(value, (value) => {
      const bytes = encode(value)
      encode(fresh())
      t.strictSame(encode(value), bytes)
      t.strictSame(encode(decode(bytes)), bytes)
    }),
    { numRuns: 300 },
  )
  // More shapes than the codec has short names for.
  const shapes = fresh()
  t.strictSame(decode(encode(shapes)), shapes)
  t.strictSame(encode(decode(encode(shapes))), encode(shapes))
})

t.test('bytes that name __proto__ do not choose what an object inherits', async (t) => {
  const read = decode<Record<string, unknown>>(encode(JSON.parse('{"a":1,"__proto__":{"b":2}}')))
  t.equal(Object.getPrototypeOf(read), Object.prototype)
  t.equal(read.a, 1)
  t.equal(read.b, undefined)
})

t.test('another version is refused', async (t) => {
  const packet = encode({ a: 1 })
  packet[0] = CODEC_VERSION + 1
  t.throws(() => decode<object>(packet), /codec version 2 instead of 1/)
  t.throws(() => decode<object>(new Uint8Array()), /codec version missing/)
})
