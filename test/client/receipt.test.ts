import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { ReceiptInvalid, verifyReceipt } from '../../src/client/receipt.ts'
import type { SettledBatch } from '../../src/client/receipt.ts'
import { merkleRoot } from '../../src/protocol/merkleTree.ts'
import { receiptLeaf, sideOf } from '../../src/protocol/receipt.ts'
import { fromHex, toHex } from '../../src/protocol/hex.ts'
import type { TradeSide } from '../../src/protocol/receipt.ts'
import type { Receipt } from '../../src/protocol/receiptShape.ts'
import { batchOf, marketTrade, marketTrades, receiptOf, sha, sortedLeaves } from '../settlement/receipts.ts'

/** What a receipt is found to be. */
function verdict(receipt: unknown, settled: SettledBatch | string): string {
  try {
    verifyReceipt(receipt, settled)
    return 'proved'
  } catch (error) {
    if (error instanceof ReceiptInvalid) return error.fault
    throw error
  }
}

/** Every place of a receipt where something stands, as the way there. */
function leavesOf(value: unknown, way: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [way]
  return Object.entries(value).flatMap(([name, member]) => leavesOf(member, [...way, name]))
}

/** The same with one place changed. */
function changed(receipt: Receipt, [name, ...rest]: readonly string[], change: (value: unknown) => unknown): Receipt {
  const copy: unknown = structuredClone(receipt)
  let at = copy as Record<string, unknown>
  let last = name!
  for (const next of rest) {
    at = at[last] as Record<string, unknown>
    last = next
  }
  at[last] = change(at[last])
  return copy as Receipt
}

const flipped = (value: unknown, any: number): unknown => {
  // Of a number a bit of its 32 low ones; of a text one of the seven of a character.
  if (typeof value === 'number') return value ^ (1 << any % 31)
  const text = value as string
  const at = any % text.length
  return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << any % 7)) + text.slice(at + 1)
}

t.test('a receipt proves its trade, and with any bit flipped nothing', async () => {
  fc.assert(
    fc.property(marketTrades(), fc.nat(), fc.boolean(), fc.nat(), fc.nat(), (trades, which, buys, where, bit) => {
      const batch = batchOf(trades, merkleRoot(sha, sortedLeaves(trades)))
      const receipt = receiptOf(trades, trades[which % trades.length]!, buys ? 'buy' : 'sell')
      if (verdict(receipt, batch) !== 'proved' || verdict(receipt, batch.root) !== 'proved') return false
      const places = leavesOf(receipt)
      const place = places[where % places.length]!
      return verdict(changed(receipt, place, (value) => flipped(value, bit)), batch) !== 'proved'
    }),
    { numRuns: 200 },
  )
})

t.test('each member, bit by bit', async (t) => {
  const trades = Array.from({ length: 5 }, (_, n) => marketTrade(n + 1, { buyer: n, seller: 9, lots: 25 + n, ticks: 1_000 }))
  const batch = batchOf(trades, merkleRoot(sha, sortedLeaves(trades)))
  const receipt = receiptOf(trades, trades[2]!, 'sell')
  for (const place of leavesOf(receipt)) {
    const bits = typeof place.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], receipt) === 'number' ? 31 : 70
    for (let bit = 0; bit < bits; bit++) if (verdict(changed(receipt, place, (value) => flipped(value, bit)), batch) === 'proved') t.fail(`${place.join('.')} is not proved`)
  }
  t.pass()
})

t.test('without what the chain says of the batch, all but where it is found is proved', async (t) => {
  const trades = [marketTrade(1, { buyer: 1, seller: 2, lots: 25, ticks: 1_000 }), marketTrade(2, { buyer: 1, seller: 2, lots: 5, ticks: 2_000 })]
  const batch = batchOf(trades, merkleRoot(sha, sortedLeaves(trades)))
  const receipt = receiptOf(trades, trades[0]!, 'buy')
  for (const [name, value] of Object.entries(receipt)) {
    const lookedUp = ['network', 'vault', 'transaction', 'ledger'].includes(name)
    if (typeof value === 'object') continue
    const other = name === 'vault' ? `C${'B'.repeat(55)}` : name === 'transaction' ? 'ab'.repeat(32) : name === 'side' ? 'sell' : name === 'fee' ? '1' : flipped(value, 0)
    t.equal(verdict({ ...receipt, [name]: other }, batch.root) === 'proved', lookedUp, name)
    t.not(verdict({ ...receipt, [name]: other }, batch), 'proved', name)
  }
})

t.test('of one trade’s two receipts neither says anything of the other', async () => {
  fc.assert(
    fc.property(marketTrades({ minLength: 2 }), fc.nat(), (trades, which) => {
      const one = trades[which % trades.length]!
      const [bought, sold] = (['buy', 'sell'] as const).map((side) => receiptOf(trades, one, side)) as [Receipt, Receipt]
      const [inBought, inSold] = [bought, sold].map((receipt) => JSON.stringify({ ...receipt, path: [] })) as [string, string]
      const tells = inBought.includes(one.seller) || inBought.includes(one.sellOrder) || inBought.includes(sold.salt) || inSold.includes(one.buyer) || inSold.includes(one.buyOrder) || inSold.includes(bought.salt)
      return !tells && bought.salt !== sold.salt && bought.index !== sold.index
    }),
    { numRuns: 50 },
  )
})

t.test('what is no receipt is none', async (t) => {
  const trades = [marketTrade(1, { buyer: 1, seller: 2, lots: 25, ticks: 1_000 })]
  const receipt = receiptOf(trades, trades[0]!, 'buy')
  const { root } = batchOf(trades, merkleRoot(sha, sortedLeaves(trades)))
  const { salt: _salt, ...less } = receipt
  for (const nonsense of [null, undefined, 1, 'x', [], {}, less, { ...receipt, more: 1 }, { ...receipt, path: Array.from({ length: 54 }, () => root) }, { ...receipt, price: '0.10' }, { ...receipt, quantity: '-1' }, { ...receipt, order: 'AB'.repeat(32) }, { ...receipt, time: 'yesterday, or thereabouts' }, { ...receipt, price: '1'.padEnd(39, '0') }, { ...receipt, fee: '9'.repeat(39) }, { ...receipt, time: '1969-12-31T23:59:59.999Z' }]) {
    t.equal(verdict(nonsense, root), 'malformed')
  }
  t.equal(verdict(receipt, root), 'proved')
  t.equal(verdict(receipt, root.toUpperCase()), 'root', 'a root has one spelling')
  t.equal(verdict(receipt, ''), 'root')
})

/** A number in so many bytes, highest first. */
const inBytes = (value: bigint, bytes: number): Buffer => Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex')

/** What a leaf is the hash of, put together as its documentation says it. */
function leafText(side: TradeSide, salt: Uint8Array): Buffer {
  const text = (value: string): Buffer[] => [inBytes(BigInt(Buffer.byteLength(value)), 1), Buffer.from(value)]
  return Buffer.concat([
    inBytes(0n, 1), ...text('darkpool.receipt.1'), salt, inBytes(BigInt(side.channel), 4), inBytes(BigInt(side.sequence), 8), ...text(side.trade), ...text(side.market),
    inBytes(side.side === 'buy' ? 0n : 1n, 1), ...text(side.account), Buffer.from(side.order, 'hex'), ...text(side.base.contract), inBytes(BigInt(side.base.decimals), 1),
    ...text(side.quote.contract), inBytes(BigInt(side.quote.decimals), 1), ...[side.baseAmount, side.quoteAmount, side.fee].map((amount) => inBytes(amount, 16)),
    inBytes(BigInt(side.time), 8), side.journal,
  ])
}

t.test('a leaf is written as it is documented, whatever stands in it', async (t) => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const name = fc.oneof(fc.string({ maxLength: 70 }), fc.string({ unit: 'grapheme', maxLength: 20 }))
  const amount = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n })
  const asset = fc.record({ contract: name, decimals: fc.nat(38) })
  const anySide = fc.record({
    channel: fc.nat(0xffff_ffff), sequence: fc.maxSafeNat(), trade: name, market: name, side: fc.constantFrom('buy', 'sell'), account: name, order: bytes.map(toHex),
    base: asset, quote: asset, baseAmount: amount, quoteAmount: amount, fee: amount, time: fc.maxSafeNat(), journal: bytes,
  }) as fc.Arbitrary<unknown> as fc.Arbitrary<TradeSide>
  const written = (value: Uint8Array): Uint8Array => value.slice()
  fc.assert(
    fc.property(anySide, bytes, (side, salt) => {
      if ([side.trade, side.market, side.account, side.base.contract, side.quote.contract].some((text) => Buffer.byteLength(text) > 255)) return
      assert.equal(toHex(receiptLeaf(written, side, salt)), leafText(side, salt).toString('hex'))
    }),
    { numRuns: 300 },
  )
  const [one] = fc.sample(anySide, 1)
  const leaf = (change: Partial<Record<keyof TradeSide, unknown>>) => (): Uint8Array => receiptLeaf(written, { ...one!, ...change } as TradeSide, new Uint8Array(32))
  for (const change of [{ fee: -1n }, { fee: 1n << 128n }, { channel: -1 }, { channel: 2 ** 32 }, { channel: 0.5 }, { sequence: -1 }, { trade: 'x'.repeat(256) }, { trade: 'é'.repeat(128) }, { journal: new Uint8Array(31) }]) t.throws(leaf(change), RangeError)
  for (const order of ['A'.repeat(64), '0'.repeat(63), '0'.repeat(66), `${'0'.repeat(62)}0é`, `${'0'.repeat(63)}g`]) t.throws(leaf({ order }), RangeError)
})

t.test('the documented receipt is one, by this client and by the example in Python', async (t) => {
  const docs = new URL('../../docs/api/receipt.example.json', import.meta.url)
  const { root, leaf, receipt } = JSON.parse(readFileSync(docs, 'utf8')) as { root: string; leaf: string; receipt: Receipt }
  t.equal(verdict(receipt, root), 'proved')
  t.equal(toHex(receiptLeaf(sha, sideOf(receipt)!, fromHex(receipt.salt))), leaf)
  const folder = mkdtempSync(join(tmpdir(), 'darkpool-receipt-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const python = (shown: Receipt, under: string): string => {
    const file = join(folder, 'receipt.json')
    writeFileSync(file, JSON.stringify(shown))
    const { stdout, stderr } = spawnSync('python3', [new URL('../../examples/verifyReceipt.py', import.meta.url).pathname, file, under], { encoding: 'utf8' })
    return `${stdout}${stderr}`.trim()
  }
  t.equal(python(receipt, root), 'PROVED')
  t.equal(python({ ...receipt, side: 'sell' }, root), 'NOT PROVED: not under this root')
  t.equal(python({ ...receipt, price: '0.02' }, root), 'NOT PROVED: price times quantity is not what was paid')
  const trades = Array.from({ length: 7 }, (_, n) => marketTrade(n + 1, { buyer: n, seller: 9, lots: 25 + n, ticks: 1_234 }))
  for (const side of ['buy', 'sell'] as const) t.equal(python(receiptOf(trades, trades[4]!, side), batchOf(trades, merkleRoot(sha, sortedLeaves(trades))).root), 'PROVED')
})
