import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { ReceiptSalts } from '../../src/enclave/receiptSalts.ts'
import { packEntries, unpackEntries } from '../../src/protocol/leaves.ts'
import { merklePath, merkleRoot, rootOfPath } from '../../src/protocol/merkleTree.ts'
import type { Trade } from '../../src/protocol/pair.ts'
import { toHex as hex } from '../../src/protocol/hex.ts'
import { leafOf, ReceiptTree } from '../../src/settlement/receiptTree.ts'
import { GENESIS_ROOT, stateRoot } from '../../src/settlement/stateRoot.ts'
import { context, marketTrade, marketTrades, sha, sortedLeaves } from './receipts.ts'
import { anyTrades, salts } from './trades.ts'

const node = (left: Uint8Array, right: Uint8Array): Uint8Array => sha(Buffer.of(1), left, right)
const text = (value: string): Buffer => Buffer.concat([Buffer.of(value.length), Buffer.from(value)])
const big = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)

/** Where RFC 6962, 2.1, splits a list: at the largest power of two below its length. */
function splitOf(length: number): number {
  let split = 1
  while (split * 2 < length) split *= 2
  return split
}

function rfcRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0]!
  const split = splitOf(leaves.length)
  return node(rfcRoot(leaves.slice(0, split)), rfcRoot(leaves.slice(split)))
}

/** RFC 6962, 2.1.1. */
function rfcPath(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  if (leaves.length === 1) return []
  const split = splitOf(leaves.length)
  return index < split ? [...rfcPath(leaves.slice(0, split), index), rfcRoot(leaves.slice(split))] : [...rfcPath(leaves.slice(split), index - split), rfcRoot(leaves.slice(0, split))]
}

const someLeaves = (most: number) => fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { minLength: 1, maxLength: most })

t.test('a leaf, byte by byte', async (t) => {
  const one = { ...marketTrade(7, { buyer: 1, seller: 2, lots: 258, ticks: 3 }), journal: Buffer.alloc(32, 0xab) }
  const leaf = (side: number, account: string, order: string, fee: bigint, salt: Uint8Array) =>
    sha(
      Buffer.of(0), text('darkpool.receipt.1'), salt, Buffer.from('00000000' + '000000000000000c', 'hex'),
      text('A0-A1:7'), text('A0-A1'), Buffer.of(side), text(account), Buffer.from(order, 'hex'),
      text(`C${'A'.repeat(55)}`), Buffer.of(7), text(`C${'B'.repeat(55)}`), Buffer.of(7),
      Buffer.from((258_000_000).toString(16).padStart(32, '0'), 'hex'),
      Buffer.from((7_740).toString(16).padStart(32, '0'), 'hex'),
      Buffer.from(fee.toString(16).padStart(32, '0'), 'hex'),
      Buffer.from('0000018bcfe56807', 'hex'),
      Buffer.alloc(32, 0xab),
    )
  t.equal(hex(leafOf(one, 'buy', context)), hex(leaf(0, one.buyer, one.buyOrder, one.buyerFee, salts.of(one.id, 'buy'))))
  t.equal(hex(leafOf(one, 'sell', context)), hex(leaf(1, one.seller, one.sellOrder, one.sellerFee, salts.of(one.id, 'sell'))))
})

t.test('a salt is a trade’s, a side’s, a venue’s and a key’s own, and the same every time', async (t) => {
  const [one, other] = [marketTrade(1, { buyer: 1, seller: 2, lots: 1, ticks: 1 }).id, marketTrade(2, { buyer: 1, seller: 2, lots: 1, ticks: 1 }).id]
  const key = new Uint8Array(32).fill(9)
  const all = [salts.of(one, 'buy'), salts.of(one, 'sell'), salts.of(other, 'buy'), new ReceiptSalts('another', key).of(one, 'buy'), new ReceiptSalts('test', new Uint8Array(32)).of(one, 'buy')].map(hex)
  t.equal(new Set(all).size, 5)
  t.equal(hex(new ReceiptSalts('test', key).of(one, 'buy')), all[0])
  t.throws(() => new ReceiptSalts('test', new Uint8Array(31)))
})

t.test('the tree is RFC 6962’s for any number of leaves, and so are its paths', async () => {
  fc.assert(fc.property(someLeaves(70), (leaves) => hex(merkleRoot(sha, leaves)) === hex(rfcRoot(leaves))))
  fc.assert(
    fc.property(someLeaves(70), fc.nat(), (leaves, any) => {
      const index = any % leaves.length
      const path = rfcPath(leaves, index)
      assert.deepEqual(merklePath(sha, leaves, index).map(hex), path.map(hex))
      assert.equal(hex(rootOfPath(sha, leaves[index]!, index, leaves.length, path)!), hex(rfcRoot(leaves)))
    }),
  )
})

t.test('a path leads to the root from its own place only, and with nothing more or less', async (t) => {
  const leaves = Array.from({ length: 13 }, (_, n) => sha(Buffer.of(n)))
  const root = hex(rfcRoot(leaves))
  const leads = (leaf: Uint8Array, index: number, size: number, path: readonly Uint8Array[]): boolean => {
    const found = rootOfPath(sha, leaf, index, size, path)
    return found !== null && hex(found) === root
  }
  for (const [at, leaf] of leaves.entries()) {
    const path = rfcPath(leaves, at)
    for (let index = 0; index < 20; index++) t.equal(leads(leaf, index, 13, path), index === at)
    t.notOk(leads(leaf, at, 13, path.slice(1)))
    t.notOk(leads(leaf, at, 13, [...path, leaf]))
    t.notOk(leads(leaves[(at + 1) % 13]!, at, 13, path))
  }
  for (const [index, size] of [[-1, 13], [0.5, 13], [0, 0], [NaN, 13], [0, Infinity]]) t.equal(rootOfPath(sha, leaves[0]!, index!, size!, []), null)
})

t.test('a list and the same list with its last leaf twice differ', async (t) => {
  const leaves = [1, 2, 3].map((n) => sha(Buffer.of(n)))
  t.not(hex(merkleRoot(sha, leaves)), hex(merkleRoot(sha, [...leaves, leaves[2]!])))
  t.throws(() => merkleRoot(sha, []))
  t.throws(() => merklePath(sha, leaves, 3))
})

t.test('a batch has both leaves of each trade, in the order of their hashes; each of its pages proves each of its leaves', async (t) => {
  for (const count of [1, 2, 255, 256, 257, 700]) {
    const trades = Array.from({ length: count }, (_, n) => marketTrade(n + 1, { buyer: n % 7, seller: 7 + (n % 3), lots: n + 1, ticks: 3 }))
    const tree = new ReceiptTree(trades, context)
    const leaves = sortedLeaves(trades)
    t.equal(hex(tree.root), hex(rfcRoot(leaves)), `${count} trades`)
    t.equal(tree.size, 2 * count)
    const pages = tree.pages()
    t.same(pages.flatMap(({ entries }) => entries.map(({ leaf }) => hex(leaf))), leaves.map(hex))
    for (const one of trades.filter((_, n) => n % 50 === 0 || n === count - 1)) {
      for (const side of ['buy', 'sell'] as const) {
        const place = tree.placeOf(one.id, side === 'buy' ? one.buyer : one.seller)
        const page = pages.findLast(({ first }) => first <= place)!
        const { leaf, journal, time } = page.entries[place - page.first]!
        t.equal(hex(leaf), hex(leafOf(one, side, context)))
        t.same([hex(journal), time], [hex(one.journal), one.time])
        const path = [...merklePath(sha, page.entries.map((entry) => entry.leaf), place - page.first), ...page.path]
        t.same(path.map(hex), rfcPath(leaves, place).map(hex))
      }
    }
  }
  t.throws(() => new ReceiptTree([marketTrade(1, { buyer: 1, seller: 2, lots: 1, ticks: 1 })], context).placeOf('A0-A1:2' as never, 'G' as never))
})

t.test('entries are what they were', async (t) => {
  const [page] = new ReceiptTree([marketTrade(1, { buyer: 1, seller: 2, lots: 1, ticks: 1 })], context).pages()
  t.same(unpackEntries(packEntries(page!.entries)).map(({ leaf, journal, time }) => [hex(leaf), hex(journal), time]), page!.entries.map(({ leaf, journal, time }) => [hex(leaf), hex(journal), time]))
  t.throws(() => unpackEntries(packEntries(page!.entries).slice(0, -4)), { message: /torn/ })
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
    (one) => ({ ...one, buyerFee: (one.buyerFee + 1n) as Trade['buyerFee'] }),
    (one) => ({ ...one, sellerFee: (one.sellerFee + 1n) as Trade['sellerFee'] }),
    (one) => ({ ...one, journal: sha(one.journal) }),
  ]
  fc.assert(
    fc.property(anyTrades(), fc.nat(), fc.nat(changes.length - 1), (trades, at, change) => {
      const index = at % trades.length
      const before = trades[index]!
      const after = changes[change]!(before)
      fc.pre(JSON.stringify(after, big) !== JSON.stringify(before, big))
      return hex(new ReceiptTree(trades, context).root) !== hex(new ReceiptTree(trades.with(index, after), context).root)
    }),
  )
  fc.assert(fc.property(marketTrades(), (trades) => hex(new ReceiptTree(trades, context).root) !== hex(new ReceiptTree(trades, { ...context, sequence: 13 }).root)), { numRuns: 20 })
})

t.test('the state root chains', async (t) => {
  const trades = sha(Buffer.of(1))
  const first = stateRoot(GENESIS_ROOT, 1, trades, Uint8Array.of(9, 9))
  t.equal(hex(first), hex(sha(new Uint8Array(32), Buffer.from('0000000000000001', 'hex'), trades, Uint8Array.of(9, 9))))
  t.not(hex(stateRoot(first, 2, trades, Uint8Array.of(9, 9))), hex(stateRoot(GENESIS_ROOT, 2, trades, Uint8Array.of(9, 9))))
  t.throws(() => stateRoot(GENESIS_ROOT, 0, trades, Uint8Array.of()))
})
