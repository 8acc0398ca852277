import { Contract, scValToNative } from '@stellar/stellar-sdk'
import type { rpc, xdr } from '@stellar/stellar-sdk'
import type { ContractId } from '../protocol/identity.ts'
import { CHANNELS } from '../protocol/subjects.ts'
import { contractView, restores, simulatedView } from './contractView.ts'
import type { Viewer } from './contractView.ts'
import { ACCOUNTS_PER_PAGE, assetIndex, groupsOf } from './pageLayout.ts'
import { address } from './scValues.ts'
import { isAllPaused, isPaused, nameOf, readInstance, readPage, VaultStorage } from './vaultStorage.ts'
import type { BalancePage, StoredEntries, VaultInstance } from './vaultStorage.ts'

/** How often the whole is read before it is given up: a vault that settles every ledger can change while it is read. */
const PASSES = 8

export interface AuditedAsset {
  readonly asset: number
  readonly contract: ContractId
  /** What the token says that the vault holds. */
  readonly held: bigint
  /** What accounts have, together. */
  readonly balances: bigint
  /** Of it, what was asked for without the engine. */
  readonly exits: bigint
  /** What is to be collected as fees. */
  readonly fees: bigint
  /** held − balances − fees: below zero, somebody's money is missing. Above it, somebody has given the vault something. */
  readonly surplus: bigint
  readonly paused: boolean
}

export interface AuditedChannel {
  readonly channel: number
  readonly engine: string | null
  readonly epoch: number
  readonly sequence: number
  readonly stateRoot: string
  readonly tradesRoot: string
}

export interface Audit {
  readonly vault: ContractId
  readonly ledger: number
  readonly accounts: number
  readonly solvent: boolean
  readonly assets: readonly AuditedAsset[]
  readonly channels: readonly AuditedChannel[]
  readonly paused: boolean
  readonly admin: string | null
  readonly pauser: string | null
  /** Changes that were announced and neither made nor cancelled: from when on they may be made, in Unix seconds. */
  readonly announced: readonly { readonly change: readonly unknown[]; readonly due: number }[]
}

/** What cannot be audited as it is: the sentence says why, and what helps. */
export class AuditInconclusive extends Error {
  constructor(sentence: string) {
    super(sentence)
    this.name = 'AuditInconclusive'
  }
}

interface Pass {
  readonly stored: StoredEntries
  readonly instance: VaultInstance
  readonly accounts: number
  readonly pages: readonly BalancePage[]
}

/**
 * Compares, for each asset, what the vault owes with what it holds, by nothing but what the ledger shows to everybody. All that is owed is read before and after what is held, until nothing has
 * changed between: then all of it stands side by side.
 * @throws AuditInconclusive; Error where the RPC fails
 */
export async function auditVault(server: Pick<rpc.Server, 'getLedgerEntries' | 'simulateTransaction'>, vault: ContractId, passphrase: string): Promise<Audit> {
  const storage = new VaultStorage(server, vault)
  let before = await passOver(storage)
  for (let pass = 0; pass < PASSES; pass++) {
    const held = new Map<ContractId, bigint>()
    for (const token of before.instance.assets) held.set(token, await holding(server, token, vault, passphrase))
    const after = await passOver(storage)
    if (sameEntries(before.stored, after.stored)) {
      await assertPages(server, storage, after, vault, passphrase)
      return verdict(storage, vault, after, held)
    }
    before = after
  }
  throw new AuditInconclusive(`the vault has changed each of ${PASSES} times while it was read: ask a nearer RPC, or at a quieter time`)
}

async function passOver(storage: VaultStorage): Promise<Pass> {
  const { keys } = storage
  const channels = Array.from({ length: CHANNELS }, (_, channel) => channel)
  const few = [keys.instance(), keys.accountCount(), keys.announcements(), ...channels.map(keys.channel), ...channels.map(keys.fees)]
  const first = await storage.read(few)
  const instance = readInstance(first.values.get(nameOf(keys.instance())))
  const accounts = Number(nativeOf(first, keys.accountCount()) ?? 0)
  const wanted = pagesOf(instance, accounts)
  const second = await storage.read(wanted.map(({ group, number }) => keys.page(group, number)))
  const values = new Map([...first.values, ...second.values])
  const pages = wanted.flatMap(({ group, number }) => {
    const value = values.get(nameOf(keys.page(group, number)))
    return value === undefined ? [] : [readPage(value, group, number)]
  })
  return { stored: { values, from: Math.min(first.from, second.from), to: Math.max(first.to, second.to) }, instance, accounts, pages }
}

function pagesOf({ assets }: VaultInstance, accounts: number): { readonly group: number; readonly number: number }[] {
  const numbers = Array.from({ length: Math.ceil(accounts / ACCOUNTS_PER_PAGE) }, (_, number) => number)
  return Array.from({ length: groupsOf(assets.length) }, (_, group) => numbers.map((number) => ({ group, number }))).flat()
}

/** A page that is not there was never written, or an RPC does not show it since it is archived: then its balances would be left out. */
async function assertPages(server: Viewer, storage: VaultStorage, { instance, accounts, pages }: Pass, vault: ContractId, passphrase: string): Promise<void> {
  const there = new Set(pages.map(({ group, number }) => `${group} ${number}`))
  const missing = pagesOf(instance, accounts).filter(({ group, number }) => !there.has(`${group} ${number}`))
  const owners = await storage.read(missing.map(({ number }) => storage.keys.accounts(number)))
  for (const { group, number } of missing) {
    const addresses = nativeOf(owners, storage.keys.accounts(number)) as readonly string[] | undefined
    const [first] = addresses ?? []
    const archived = first === undefined || restores(await simulatedView(server, passphrase, new Contract(vault).call('get_balance', address(first), address(instance.assets[assetIndex(group, 0)]!))), storage.ledgerKey(storage.keys.page(group, number)))
    if (archived) throw new AuditInconclusive(`accounts from ${number * ACCOUNTS_PER_PAGE} on are archived, and their balances cannot be read: anybody can bring them back with \`extend\``)
  }
}

function verdict({ keys }: VaultStorage, vault: ContractId, { stored, instance, accounts, pages }: Pass, held: ReadonlyMap<ContractId, bigint>): Audit {
  const channels = Array.from({ length: CHANNELS }, (_, channel) => channel)
  const fees = channels.map((channel) => (nativeOf(stored, keys.fees(channel)) ?? {}) as Readonly<Record<string, bigint>>)
  const [balances, exits] = [new Array<bigint>(instance.assets.length).fill(0n), new Array<bigint>(instance.assets.length).fill(0n)]
  for (const page of pages) {
    for (const slot of page.balances) for (const [position, balance] of slot.entries()) if (balance !== 0n) balances[assetIndex(page.group, position)]! += balance
    for (const { position, amount } of page.exits) exits[assetIndex(page.group, position)]! += amount
  }
  const assets = instance.assets.map((contract, asset): AuditedAsset => {
    const pot = fees.reduce((sum, of) => sum + (of[asset] ?? 0n), 0n)
    return { asset, contract, held: held.get(contract)!, balances: balances[asset]!, exits: exits[asset]!, fees: pot, surplus: held.get(contract)! - balances[asset]! - pot, paused: isPaused(instance.paused, asset) }
  })
  return {
    vault,
    ledger: stored.to,
    accounts,
    solvent: assets.every(({ surplus }) => surplus >= 0n),
    assets,
    channels: channels.flatMap((channel) => channelOf(channel, instance, nativeOf(stored, keys.channel(channel)))),
    paused: isAllPaused(instance.paused),
    admin: instance.admin,
    pauser: instance.pauser,
    announced: ((nativeOf(stored, keys.announcements()) ?? []) as readonly { change: unknown[]; due: bigint }[]).map(({ change, due }) => ({ change, due: Number(due) })),
  }
}

function channelOf(channel: number, { engines }: VaultInstance, stored: unknown): AuditedChannel[] {
  const engine = engines.get(channel) ?? null
  if (stored === undefined && engine === null) return []
  const { epoch = 0n, sequence = 0n, state_root, trades_root } = (stored ?? {}) as { epoch?: bigint; sequence?: bigint; state_root?: Uint8Array; trades_root?: Uint8Array }
  const hex = (root: Uint8Array | undefined): string => Buffer.from(root ?? new Uint8Array(32)).toString('hex')
  return [{ channel, engine, epoch: Number(epoch), sequence: Number(sequence), stateRoot: hex(state_root), tradesRoot: hex(trades_root) }]
}

function nativeOf({ values }: StoredEntries, key: xdr.ScVal): unknown {
  const value = values.get(nameOf(key))
  return value === undefined ? undefined : (scValToNative(value) as unknown)
}

function sameEntries({ values: before }: StoredEntries, { values: after }: StoredEntries): boolean {
  return before.size === after.size && [...before].every(([key, value]) => after.get(key)?.toXdr('base64') === value.toXdr('base64'))
}

async function holding(server: Viewer, token: ContractId, vault: ContractId, passphrase: string): Promise<bigint> {
  const { value } = await contractView(server, passphrase, new Contract(token), 'balance', address(vault))
  if (typeof value !== 'bigint') throw new Error('a token does not say what the vault holds')
  return value
}
