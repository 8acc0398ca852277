import { Contract, scValToNative, xdr } from '@stellar/stellar-sdk'
import type { ContractId } from '../protocol/identity.ts'
import type { LedgerReader } from './stellarRpc.ts'
import { ACCOUNTS_PER_PAGE, ASSETS_PER_GROUP } from './pageLayout.ts'
import { u32, variant } from './scValues.ts'

/** What one request may name. */
const KEYS_PER_REQUEST = 200
const BALANCE_BYTES = 16
const SLOT_BYTES = ASSETS_PER_GROUP * BALANCE_BYTES
const EXIT_BYTES = 26
/** Bit of the pauses that stands for everything. */
const ALL_PAUSED = 64n

/** What every call of the contract loads. */
export interface VaultInstance {
  readonly admin: string | null
  readonly pauser: string | null
  /** By asset index. */
  readonly assets: readonly ContractId[]
  readonly engines: ReadonlyMap<number, string>
  readonly paused: bigint
}

/** Balances of 32 accounts in the four assets of a group, in smallest units, and what of them was asked for without the engine. */
export interface BalancePage {
  readonly group: number
  readonly number: number
  /** By place in the page, then by place of the asset in the group. */
  readonly balances: readonly (readonly bigint[])[]
  readonly exits: readonly { readonly slot: number; readonly position: number; readonly amount: bigint }[]
}

/** Entries by their key in base64, as one ledger or more had them. */
export interface StoredEntries {
  readonly values: ReadonlyMap<string, xdr.ScVal>
  /** Of the answers: the first's ledger and the last's. */
  readonly from: number
  readonly to: number
}

export const isPaused = (paused: bigint, asset: number): boolean => ((paused >> BigInt(asset)) & 1n) === 1n
export const isAllPaused = (paused: bigint): boolean => ((paused >> ALL_PAUSED) & 1n) === 1n

/** The vault contract's entries as the ledger has them (docs/contract.md, "Entries"): what it says to everybody, without being called. */
export class VaultStorage {
  readonly #server: LedgerReader
  readonly #contract: Contract

  constructor(server: LedgerReader, vault: ContractId) {
    this.#server = server
    this.#contract = new Contract(vault)
  }

  readonly keys = {
    instance: (): xdr.ScVal => xdr.ScVal.scvLedgerKeyContractInstance(),
    announcements: (): xdr.ScVal => variant('Announcements'),
    changeDelay: (): xdr.ScVal => variant('ChangeDelay'),
    accountCount: (): xdr.ScVal => variant('AccountCount'),
    accounts: (page: number): xdr.ScVal => variant('Accounts', u32(page)),
    channel: (channel: number): xdr.ScVal => variant('Channel', u32(channel)),
    fees: (channel: number): xdr.ScVal => variant('Fees', u32(channel)),
    page: (group: number, number: number): xdr.ScVal => xdr.ScVal.scvU64((BigInt(group) << 32n) | BigInt(number)),
  } as const

  /** @throws Error where the RPC fails */
  async read(keys: readonly xdr.ScVal[]): Promise<StoredEntries> {
    const values = new Map<string, xdr.ScVal>()
    let [from, to] = [Infinity, 0]
    for (let at = 0; at < keys.length; at += KEYS_PER_REQUEST) {
      const asked = keys.slice(at, at + KEYS_PER_REQUEST).map((key) => this.ledgerKey(key))
      const { entries, latestLedger } = await this.#server.getLedgerEntries(...asked)
      for (const { val } of entries) {
        if (val.type !== 'contractData') throw new Error('the RPC answers with an entry of another kind than asked for')
        values.set(nameOf(val.contractData.key), val.contractData.val)
      }
      from = Math.min(from, latestLedger)
      to = Math.max(to, latestLedger)
    }
    return { values, from, to }
  }

  /** The key of an entry as the ledger has it. */
  ledgerKey(key: xdr.ScVal): xdr.LedgerKey {
    return xdr.LedgerKey.contractData(new xdr.LedgerKeyContractData({ contract: this.#contract.address().toScAddress(), key, durability: xdr.ContractDataDurability.persistent }))
  }
}

export const nameOf = (key: xdr.ScVal): string => key.toXdr('base64')

/** @throws Error where it is no contract's instance */
export function readInstance(value: xdr.ScVal | undefined): VaultInstance {
  if (value?.type !== 'scvContractInstance') throw new Error('there is no such contract')
  const storage = new Map((value.instance.storage ?? []).map(({ key, val }) => [JSON.stringify(scValToNative(key)), scValToNative(val) as unknown]))
  const engines = new Map<number, string>()
  for (const [key, address] of storage) {
    const [name, channel] = JSON.parse(key) as [string, number?]
    if (name === 'MatchingEngine' && channel !== undefined) engines.set(channel, address as string)
  }
  return {
    admin: (storage.get('["Admin"]') as string | undefined) ?? null,
    pauser: (storage.get('["Pauser"]') as string | undefined) ?? null,
    assets: (storage.get('["Assets"]') as ContractId[] | undefined) ?? [],
    engines,
    paused: (storage.get('["Paused"]') as bigint | undefined) ?? 0n,
  }
}

/** @throws Error where it is not of the documented shape */
export function readPage(value: xdr.ScVal, group: number, number: number): BalancePage {
  const stored = scValToNative(value) as Uint8Array
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length)
  const records = bytes.length % 2 === 1 ? bytes[bytes.length - 1]! : 0
  const end = bytes.length - (records === 0 ? bytes.length % 2 : records * EXIT_BYTES + 1)
  if (end < 0 || end % SLOT_BYTES !== 0 || end > ACCOUNTS_PER_PAGE * SLOT_BYTES || (bytes.length % 2 === 1 && records === 0)) throw new Error(`page ${number} of group ${group} has an impossible length`)
  const balances = Array.from({ length: end / SLOT_BYTES }, (_, slot) => Array.from({ length: ASSETS_PER_GROUP }, (_, position) => signed(bytes, slot * SLOT_BYTES + position * BALANCE_BYTES)))
  const exits = Array.from({ length: records }, (_, n) => {
    const at = end + n * EXIT_BYTES
    return { slot: bytes[at]!, position: bytes[at + 1]!, amount: signed(bytes, at + 10) }
  })
  return { group, number, balances, exits }
}

/** A big-endian i128. */
const signed = (bytes: Buffer, at: number): bigint => (bytes.readBigInt64BE(at) << 64n) | bytes.readBigUInt64BE(at + 8)
