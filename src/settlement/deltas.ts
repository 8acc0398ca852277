import { assetGroup, assetIndex, assetPosition, ASSETS_PER_GROUP } from './pageLayout.ts'
import { unzigzag, VarintReader, writeVarint, zigzag } from './varint.ts'

/** What one account gains (or, below zero, loses) of one asset. Both are the contract's stable indexes. */
export interface Delta {
  readonly account: number
  readonly asset: number
  readonly delta: bigint
}

/** What the venue keeps of one asset, and the turnover that it is taken from: 0 < amount ≤ turnover. */
export interface ChargedFee {
  readonly asset: number
  readonly amount: bigint
  readonly turnover: bigint
}

/** A batch's deltas and fees, as its bytes say them. */
export interface Decoded {
  readonly deltas: Delta[]
  readonly fees: ChargedFee[]
}

/** Stands where the group of another section would, which is never 0: the fees of the section before follow. */
const FEES = 0

/** By account: the deltas of a group's assets, by position; empty where there is none. */
type Deltas = (bigint | undefined)[]
type Records = Map<number, Deltas>
type Groups = Map<number, Records>

/**
 * The deltas of a batch as the contract reads them (docs/contract.md): sections by rising group of four assets; in each, one record an
 * account by rising index: the gap to the account before, a mask of the assets that follow, and for each a zigzag varint; behind the records
 * the fees of the group's assets, where there are some. Deltas of zero are left out; the order of the input does not matter.
 * @throws Error where an account has an asset twice, or an asset's deltas and fees do not sum to zero
 */
export function encodeDeltas(deltas: readonly Delta[], fees: readonly ChargedFee[] = []): Uint8Array {
  const groups: Groups = new Map()
  const sums = new Map<number, bigint>()
  for (const { account, asset, delta } of deltas) {
    if (delta === 0n) continue
    assertIndex(account)
    assertIndex(asset)
    const group = assetGroup(asset)
    const records: Records = groups.get(group) ?? new Map<number, Deltas>()
    groups.set(group, records)
    const record: Deltas = records.get(account) ?? []
    records.set(account, record)
    const bit = assetPosition(asset)
    if (record[bit] !== undefined) throw new Error(`deltas: account ${account} has asset ${asset} twice`)
    record[bit] = delta
    sums.set(asset, (sums.get(asset) ?? 0n) + delta)
  }
  const charged = new Map<number, ChargedFee>()
  for (const fee of fees) {
    assertFee(fee)
    if (charged.has(fee.asset)) throw new Error(`deltas: asset ${fee.asset} is charged twice`)
    charged.set(fee.asset, fee)
    sums.set(fee.asset, (sums.get(fee.asset) ?? 0n) + fee.amount)
  }
  for (const [asset, sum] of sums) if (sum !== 0n) throw new Error(`deltas: asset ${asset} does not sum to zero`)
  const bytes: number[] = []
  for (const [group, records] of [...groups].sort(byKey)) {
    writeSection(bytes, group, records)
    writeFees(bytes, group, charged)
  }
  return Uint8Array.from(bytes)
}

function writeSection(bytes: number[], group: number, records: Records): void {
  writeVarint(bytes, BigInt(group))
  writeVarint(bytes, BigInt(records.size))
  let last = 0
  for (const [account, record] of [...records].sort(byKey)) {
    writeVarint(bytes, BigInt(account - last))
    last = account
    bytes.push(record.reduce<number>((mask, delta, bit) => (delta === undefined ? mask : mask | (1 << bit)), 0))
    for (const delta of record) if (delta !== undefined) writeVarint(bytes, zigzag(delta))
  }
}

function writeFees(bytes: number[], group: number, charged: ReadonlyMap<number, ChargedFee>): void {
  const fees = Array.from({ length: ASSETS_PER_GROUP }, (_, bit) => charged.get(assetIndex(group, bit)))
  const mask = fees.reduce((bits, fee, bit) => (fee === undefined ? bits : bits | (1 << bit)), 0)
  if (mask === 0) return
  bytes.push(FEES, mask)
  for (const fee of fees) {
    if (fee === undefined) continue
    writeVarint(bytes, fee.amount)
    writeVarint(bytes, fee.turnover)
  }
}

/**
 * Reads deltas back, by rising asset group and account, and fees by rising asset. Whatever does not follow the encoding to the byte is
 * refused, as on chain.
 * @throws RangeError
 */
export function decodeDeltas(bytes: Uint8Array): Decoded {
  const reader = new VarintReader(bytes)
  const decoded: Decoded = { deltas: [], fees: [] }
  let lastGroup = -1
  while (!reader.atEnd) {
    const group = reader.u32()
    if (group <= lastGroup) throw new RangeError('sections are not in rising order of group')
    lastGroup = group
    const sums = readSection(reader, group, decoded.deltas)
    if (reader.take(FEES)) readFees(reader, group, decoded.fees, sums)
    for (const sum of sums.values()) if (sum !== 0n) throw new RangeError('the deltas of an asset do not sum to zero')
  }
  return decoded
}

/** Gives what the deltas of each asset come to. */
function readSection(reader: VarintReader, group: number, deltas: Delta[]): Map<number, bigint> {
  const count = reader.u32()
  if (count === 0) throw new RangeError('a section has no records')
  const sums = new Map<number, bigint>()
  let account = 0
  for (let record = 0; record < count; record++) {
    const gap = reader.u32()
    if (record > 0 && gap === 0) throw new RangeError('accounts are not in rising order')
    account += gap
    assertIndex(account)
    const mask = readMask(reader)
    for (let bit = 0; bit < ASSETS_PER_GROUP; bit++) {
      if ((mask & (1 << bit)) === 0) continue
      const delta = unzigzag(reader.varint())
      if (delta === 0n) throw new RangeError('a delta is zero')
      const asset = assetIndex(group, bit)
      sums.set(asset, (sums.get(asset) ?? 0n) + delta)
      deltas.push({ account, asset, delta })
    }
  }
  return sums
}

function readFees(reader: VarintReader, group: number, fees: ChargedFee[], sums: Map<number, bigint>): void {
  const mask = readMask(reader)
  for (let bit = 0; bit < ASSETS_PER_GROUP; bit++) {
    if ((mask & (1 << bit)) === 0) continue
    const fee = { asset: assetIndex(group, bit), amount: reader.varint(), turnover: reader.varint() }
    assertFee(fee)
    sums.set(fee.asset, (sums.get(fee.asset) ?? 0n) + fee.amount)
    fees.push(fee)
  }
}

function readMask(reader: VarintReader): number {
  const mask = reader.byte()
  if (mask === 0 || mask > 0x0f) throw new RangeError('a mask is zero or has one of its high bits set')
  return mask
}

const byKey = (a: readonly [number, unknown], b: readonly [number, unknown]): number => a[0] - b[0]

function assertFee({ asset, amount, turnover }: ChargedFee): void {
  assertIndex(asset)
  if (amount <= 0n || amount > turnover || turnover >= 1n << 127n) throw new RangeError('a fee is zero, more than its turnover, or beyond an i128')
}

function assertIndex(index: number): void {
  if (!Number.isInteger(index) || index < 0 || index > 0xffff_ffff) throw new RangeError('an index is not a u32')
}
