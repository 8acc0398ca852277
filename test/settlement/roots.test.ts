import { hash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import type { Trade } from '../../src/protocol/pair.ts'
import { stateRoot, GENESIS_ROOT } from '../../src/settlement/stateRoot.ts'
import { merkleRoot, tradeLeaf, tradesRoot } from '../../src/settlement/tradesRoot.ts'
import { anyTrades, trade } from './trades.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const sha = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(hash('sha256', Buffer.concat(parts), 'buffer'))
const node = (left: Uint8Array, right: Uint8Array): Uint8Array => sha(Buffer.of(1), left, right)

/** RFC 6962, 2.1: split at the largest power of two below n. */
function rfcRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0] as Uint8Array
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return node(rfcRoot(leaves.slice(0, split)), rfcRoot(leaves.slice(split)))
}

t.test('a leaf, byte by byte', async (t) => {
  const one = trade(7, { buyer: 1, seller: 2, base: 258n, quote: 3n, time: 1_700_000_000_000 })
  const text = (value: string): Buffer => Buffer.concat([Buffer.of(value.length), Buffer.from(value)])
  const expected = sha(
    Buffer.of(0),
    text('darkpool.trade.1'),
    text('A0-A1:7'),
    text('A0-A1'),
    Buffer.from(one.buyOrder, 'hex'),
    Buffer.from(one.sellOrder, 'hex'),
    text(one.buyer),
    text(one.seller),
    Buffer.from('00000000000000000000000000000102', 'hex'),
    Buffer.from('00000000000000000000000000000003', 'hex'),
    Buffer.from('0000018bcfe56800', 'hex'),
  )
  t.equal(hex(tradeLeaf(one)), hex(expected))
})

t.test('the tree is RFC 6962’s for any number of leaves', async () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { minLength: 1, maxLength: 70 }), (leaves) => hex(merkleRoot(leaves)) === hex(rfcRoot(leaves))))
})

t.test('a list and the same list with its last leaf twice differ', async (t) => {
  const leaves = [1, 2, 3].map((n) => sha(Buffer.of(n)))
  t.not(hex(merkleRoot(leaves)), hex(merkleRoot([...leaves, leaves[2] as Uint8Array])))
  t.throws(() => merkleRoot([]))
})

t.test('every member of a trade is under the root', async () => {
  const changes: ((trade: Trade) => Trade)[] = [
    (one) => ({ ...one, id: `${one.id}0` as Trade['id'] }),
    (one) => ({ ...one, market: 'A4-A1' as Trade['market'] }),
    (one) => ({ ...one, buyOrder: one.sellOrder, sellOrder: one.buyOrder }),
    (one) => ({ ...one, buyer: 'GX' as Trade['buyer'] }),
    (one) => ({ ...one, seller: 'GX' as Trade['seller'] }),
    (one) => ({ ...one, base: (one.base + 1n) as Trade['base'] }),
    (one) => ({ ...one, quote: (one.quote + 1n) as Trade['quote'] }),
    (one) => ({ ...one, time: (one.time + 1) as Trade['time'] }),
  ]
  fc.assert(
    fc.property(anyTrades(), fc.nat(), fc.nat(changes.length - 1), (trades, at, change) => {
      const index = at % trades.length
      const before = trades[index] as Trade
      const after = (changes[change] as (trade: Trade) => Trade)(before)
      fc.pre(JSON.stringify(after, big) !== JSON.stringify(before, big))
      return hex(tradesRoot(trades)) !== hex(tradesRoot(trades.with(index, after)))
    }),
  )
})
const big = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)

t.test('the state root chains', async (t) => {
  const trades = sha(Buffer.of(1))
  const first = stateRoot(GENESIS_ROOT, 1, trades, Uint8Array.of(9, 9))
  t.equal(hex(first), hex(sha(new Uint8Array(32), Buffer.from('0000000000000001', 'hex'), trades, Uint8Array.of(9, 9))))
  t.not(hex(stateRoot(first, 2, trades, Uint8Array.of(9, 9))), hex(stateRoot(GENESIS_ROOT, 2, trades, Uint8Array.of(9, 9))))
  t.throws(() => stateRoot(GENESIS_ROOT, 0, trades, Uint8Array.of()))
})
