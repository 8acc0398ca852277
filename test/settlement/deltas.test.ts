import fc from 'fast-check'
import t from 'tap'
import { decodeDeltas, encodeDeltas } from '../../src/settlement/deltas.ts'
import type { ChargedFee, Delta } from '../../src/settlement/deltas.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))

t.test('written out by hand', async (t) => {
  t.equal(hex(encodeDeltas([])), '')
  // group 0, two records; account 3 gap 3: assets 0 and 1; account 5 gap 2.
  t.equal(
    hex(encodeDeltas([{ account: 5, asset: 1, delta: 35n }, { account: 3, asset: 0, delta: 10n }, { account: 3, asset: 1, delta: -35n }, { account: 5, asset: 0, delta: -10n }])),
    hex(bytes('00 02 03 03 14 45 02 03 13 46')),
  )
  // groups 0 and 2; account 300 as a two-byte gap; a delta of 2^64.
  t.equal(
    hex(encodeDeltas([{ account: 0, asset: 3, delta: 1n }, { account: 300, asset: 3, delta: -1n }, { account: 1, asset: 8, delta: 1n << 64n }, { account: 0, asset: 8, delta: -(1n << 64n) }])),
    hex(bytes('00 02 00 08 02 ac02 08 01 02 02 00 01 ffffffffffffffffff03 01 01 80808080808080808004')),
  )
})

t.test('the worked examples of docs/contract.md, which the contract’s own tests hold too', async (t) => {
  t.equal(
    hex(encodeDeltas([{ account: 0, asset: 0, delta: 1_000n }, { account: 1, asset: 0, delta: -1_000n }, { account: 0, asset: 1, delta: -25_000n }, { account: 1, asset: 1, delta: 25_000n }])),
    '00020003d00fcf86030103cf0fd08603',
  )
  t.equal(
    hex(
      encodeDeltas([
        { account: 3, asset: 0, delta: -1n },
        { account: 300, asset: 0, delta: 1n },
        { account: 3, asset: 1, delta: 1n << 70n },
        { account: 301, asset: 1, delta: -(1n << 70n) },
        { account: 3, asset: 6, delta: -64n },
        { account: 4, asset: 6, delta: 64n },
      ]),
    ),
    '00030303018080808080808080808002a90201020102ffffffffffffffffffff01010203047f01048001',
  )
})

t.test('fees stand behind the deltas of their group', async (t) => {
  const deltas = [{ account: 0, asset: 0, delta: 998n }, { account: 1, asset: 0, delta: -1_000n }, { account: 0, asset: 1, delta: -25_000n }, { account: 1, asset: 1, delta: 24_950n }]
  const fees = [{ asset: 1, amount: 50n, turnover: 25_000n }, { asset: 0, amount: 2n, turnover: 1_000n }]
  // The third example of docs/contract.md.
  t.equal(hex(encodeDeltas(deltas, fees)), '00020003cc0fcf86030103cf0fec8503000302e80732a8c301')
  t.same(decodeDeltas(encodeDeltas(deltas, fees)).fees, fees.toReversed())
  t.throws(() => encodeDeltas(deltas), /sum to zero/)
  t.throws(() => encodeDeltas(deltas, [...fees, { asset: 0, amount: 2n, turnover: 1_000n }]), /charged twice/)
  t.throws(() => encodeDeltas(deltas, [fees[0]!, { asset: 0, amount: 3n, turnover: 1_000n }]), /sum to zero/)
  t.throws(() => encodeDeltas(deltas, [...fees, { asset: 2, amount: 1n, turnover: 1_000n }]), /sum to zero/, 'of what nobody has paid')
  for (const [amount, turnover] of [[0n, 1_000n], [2n, 1n], [2n, 1n << 127n]] as const) t.throws(() => encodeDeltas(deltas, [{ asset: 0, amount, turnover }]), /a fee is/)
})

t.test('zero is left out, imbalance and repeats are refused', async (t) => {
  t.equal(hex(encodeDeltas([{ account: 1, asset: 0, delta: 0n }])), '')
  t.throws(() => encodeDeltas([{ account: 1, asset: 0, delta: 1n }]), /sum to zero/)
  t.throws(() => encodeDeltas([{ account: 1, asset: 0, delta: 1n }, { account: 1, asset: 0, delta: -1n }]), /twice/)
  t.throws(() => encodeDeltas([{ account: -1, asset: 0, delta: 1n }, { account: 2, asset: 0, delta: -1n }]), /u32/)
  const beyond = 1n << 127n
  t.throws(() => encodeDeltas([{ account: 1, asset: 0, delta: beyond }, { account: 2, asset: 0, delta: -beyond }]), /i128/)
})

t.test('what is not the encoding to the byte is refused, as on chain', async (t) => {
  const refused: [string, string, RegExp][] = [
    ['ends in a section', '00 01 00', /end inside/],
    ['groups out of order', '02 02 00 01 02 01 01 01 01 02 00 01 02 01 01 01', /order of group/],
    ['a group twice', '01 02 00 01 02 01 01 01 01 02 00 01 02 01 01 01', /order of group/],
    ['fees twice', '00 02 00 01 02 01 01 03 00 01 01 05 00 01 01 05', /order of group/],
    ['fees of nothing', '00 02 00 01 02 01 01 01 00 00', /mask/],
    ['a fee of zero', '00 02 00 01 02 01 01 01 00 01 00 05', /a fee is zero/],
    ['a fee above its turnover', '00 02 00 01 02 01 01 03 00 01 01 00', /more than its turnover/],
    ['fees that end early', '00 02 00 01 02 01 01 03 00 01 01', /end inside/],
    ['a fee too small', '00 02 00 01 02 01 01 05 00 01 01 05', /sum to zero/],
    ['an empty section', '00 00', /no records/],
    ['an account twice', '00 02 00 01 02 00 01 01', /rising order/],
    ['an empty mask', '00 01 00 00', /mask/],
    ['a high mask bit', '00 01 00 10 02', /mask/],
    ['a zero delta', '00 01 00 01 00', /zero/],
    ['a long varint', '00 02 00 01 8200 01 01 01', /longer/],
    ['unbalanced', '00 02 00 01 02 01 01 03', /sum to zero/],
    ['a gap beyond u32', '00 01 8080808010 01 02', /32 bits/],
    ['beyond 128 bits', '00 01 00 01 ffffffffffffffffffffffffffffffffffff07', /128 bits/],
  ]
  for (const [name, text, fault] of refused) t.throws(() => decodeDeltas(bytes(text)), { message: fault }, name)
})

/** Balanced by construction: every transfer takes from one what it gives to another, and to the venue. */
const anyDeltas: fc.Arbitrary<{ deltas: Delta[]; fees: ChargedFee[] }> = fc
  .array(fc.record({ from: fc.nat(4_000_000_000), to: fc.nat(4_000_000_000), asset: fc.nat(30), amount: fc.oneof(fc.bigInt(1n, 300n), fc.bigInt(1n, 1n << 100n)), fee: fc.oneof(fc.constant(0n), fc.nat(9).map(BigInt)) }), { maxLength: 60 })
  .map((transfers) => {
    const fees = new Map<number, ChargedFee>()
    const sums = new Map<string, Delta>()
    const add = (account: number, asset: number, delta: bigint): void => {
      const before = sums.get(`${account}/${asset}`)?.delta ?? 0n
      sums.set(`${account}/${asset}`, { account, asset, delta: before + delta })
    }
    for (const { from, to, asset, amount, fee: wanted } of transfers) {
      const fee = wanted < amount ? wanted : 0n
      add(from, asset, -amount)
      add(to, asset, amount - fee)
      if (fee === 0n) continue
      const before = fees.get(asset) ?? { asset, amount: 0n, turnover: 0n }
      fees.set(asset, { asset, amount: before.amount + fee, turnover: before.turnover + amount })
    }
    return { deltas: [...sums.values()], fees: [...fees.values()] }
  })

t.test('any deltas come back, sorted, without zeros', async (t) => {
  const rank = (a: Delta, b: Delta): number => (a.asset >> 2) - (b.asset >> 2) || a.account - b.account || a.asset - b.asset
  fc.assert(
    fc.property(anyDeltas, ({ deltas, fees }) => {
      const encoded = encodeDeltas(deltas, fees)
      const expected = deltas.filter(({ delta }) => delta !== 0n).sort(rank)
      t.same(decodeDeltas(encoded), { deltas: expected, fees: fees.toSorted((a, b) => a.asset - b.asset) })
      t.equal(hex(encodeDeltas(expected.toReversed(), fees)), hex(encoded))
    }),
    { numRuns: 60 },
  )
})

t.test('one flipped byte never decodes to the same deltas', async () => {
  fc.assert(
    fc.property(anyDeltas, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ deltas, fees }, at, flip) => {
      const encoded = encodeDeltas(deltas, fees)
      if (encoded.length === 0) return true
      const changed = Uint8Array.from(encoded)
      const position = at % changed.length
      changed[position] = (changed[position] as number) ^ flip
      try {
        const decoded = decodeDeltas(changed)
        return hex(encodeDeltas(decoded.deltas, decoded.fees)) === hex(changed) && hex(changed) !== hex(encoded)
      } catch (error) {
        return error instanceof RangeError
      }
    }),
  )
})
