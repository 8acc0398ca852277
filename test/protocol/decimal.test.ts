import fc from 'fast-check'
import t from 'tap'
import { formatDecimal, parseDecimal } from '../../src/protocol/decimal.ts'
import { Refusal } from '../../src/protocol/errors.ts'

t.test('one spelling per number', async (t) => {
  for (const [text, scale, units] of [
    ['0', 7, 0n],
    ['1', 0, 1n],
    ['1', 7, 10_000_000n],
    ['0.1234567', 7, 1_234_567n],
    ['1234567890123456789.5', 1, 12_345_678_901_234_567_895n],
  ] as const) {
    t.equal(parseDecimal(text, scale), units, text)
    t.equal(formatDecimal(units, scale), text, text)
  }
  for (const text of ['', '00', '01', '+1', '-1', '1.', '.1', '1.0', '1.10', '1e3', '0x1', ' 1', '1 ', '1,5', '１', 'NaN', 'Infinity', '1.5.5', '9'.repeat(40)]) {
    t.throws(() => parseDecimal(text, 7), new Refusal('decimal_malformed'), JSON.stringify(text))
  }
  t.equal(parseDecimal('0.12345678', 7), undefined, 'more digits than the scale are told apart from a bad spelling')
  t.equal(formatDecimal(-15n, 1), '-1.5')
})

t.test('reading and writing are inverse', async () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.integer({ min: 0, max: 18 }), (units, scale) => parseDecimal(formatDecimal(units, scale), scale) === units),
  )
})

t.test('no two texts mean the same number', async () => {
  const text = fc.stringMatching(/^[0-9]{1,4}(\.[0-9]{0,4})?$/)
  fc.assert(
    fc.property(text, text, (a, b) => {
      const read = (s: string): bigint | undefined | null => {
        try {
          return parseDecimal(s, 4)
        } catch (error) {
          if (error instanceof Refusal) return null
          throw error
        }
      }
      return a === b || read(a) === null || read(a) !== read(b)
    }),
  )
})
