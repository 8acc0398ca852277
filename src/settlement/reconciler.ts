import { scValToNative } from '@stellar/stellar-sdk'
import type { DrivenActor } from '../actors/runtime/driver.ts'
import type { Log } from '../actors/runtime/log.ts'
import type { AccountId, Amount } from '../protocol/identity.ts'
import type { Asset } from '../protocol/market.ts'
import type { BooksDiffer } from '../protocol/settlement.ts'
import type { Step } from './driverLoop.ts'
import type { Read, SettlementLocal } from './settlementLocal.ts'
import type { SettlementMachine } from './settlementMachine.ts'
import type { Viewer } from './contractView.ts'
import type { LedgerReader } from './stellarRpc.ts'
import { UnshownPages } from './unshownPages.ts'
import type { UnshownPage } from './unshownPages.ts'
import { ACCOUNTS_PER_PAGE, accountPage, assetGroup, assetPosition } from './pageLayout.ts'
import type { VaultContract } from './vaultContract.ts'
import { nameOf, readPage, VaultStorage } from './vaultStorage.ts'
import type { BalancePage } from './vaultStorage.ts'

/** Pages of one reading: 128 accounts, which is one journaled input. */
const PAGES = 4
/** How often it is looked whether the batches that the chain had come to are known to be final, and how often before the chain is read anew. */
const FINAL_MS = 250
const FINAL_LOOKS = 240

export interface ReconcilerOptions {
  readonly machine: SettlementMachine
  readonly server: LedgerReader & Viewer
  readonly vault: VaultContract
  readonly channel: number
  readonly assets: readonly Pick<Asset, 'contract' | 'index'>[]
  /** Between two readings. */
  readonly every_ms: number
  readonly log: Log
}

/**
 * Reads, round by round, what the contract holds of every account, for vault actors to hold their books against. Balances and the channel's sequence are read in one answer, so of one ledger; it is
 * told when the batches up to that sequence are known to be final, and their reports with them.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #actor: DrivenActor<SettlementLocal>
  readonly #storage: VaultStorage
  readonly #unshown: UnshownPages
  /** Pages of this round that are to be read, with the accounts in them: sorted once a round, which a vault of many accounts takes a while for. */
  #left: AccountPage[] = []
  #read: Read | null = null
  /** Accounts with a balance that is not known: of this round so far, and of the one before. */
  #unseen = 0
  #unseenBefore = 0
  #looks = 0
  /** Where it was last said that books and chain part. */
  #told = new Set<string>()

  constructor(options: ReconcilerOptions, actor: DrivenActor<SettlementLocal>) {
    this.#options = options
    this.#actor = actor
    this.#storage = new VaultStorage(options.server, options.vault.id)
    this.#unshown = new UnshownPages(options.server, options.vault, this.#storage)
  }

  async step(): Promise<Step> {
    const { machine, every_ms } = this.#options
    this.#tell(machine.differences)
    if (this.#read === null) {
      if (this.#left.length === 0) {
        this.#left = pagesOf(machine.indexes)
        this.#unseenBefore = this.#unseen
        this.#unseen = 0
      }
      const pages = this.#left.splice(0, PAGES)
      if (pages.length === 0) return { sleep_ms: every_ms }
      this.#read = await this.#look(pages)
      this.#looks = 0
    }
    if (machine.sequence < this.#read.sequence) {
      if (++this.#looks >= FINAL_LOOKS) this.#read = null
      return { sleep_ms: FINAL_MS }
    }
    const read = this.#read
    this.#read = null
    await this.#actor.submit(read)
    return { sleep_ms: every_ms }
  }

  async #look(numbered: readonly AccountPage[]): Promise<Read> {
    const { channel, assets } = this.#options
    const { keys } = this.#storage
    const groups = [...new Set(assets.map(({ index }) => assetGroup(index)))]
    const wanted = groups.flatMap((group) => numbered.map(({ number }) => ({ group, number })))
    const { values, from, to } = await this.#storage.read([keys.channel(channel), ...wanted.map(({ group, number }) => keys.page(group, number))])
    if (from !== to) throw new Error('balances of different ledgers cannot be told together')
    const pages = new Map<string, BalancePage>()
    for (const { group, number } of wanted) {
      const value = values.get(nameOf(keys.page(group, number)))
      if (value !== undefined) pages.set(`${group} ${number}`, readPage(value, group, number))
    }
    const cursor = values.get(nameOf(keys.channel(channel)))
    const sequence = cursor === undefined ? 0 : Number((scValToNative(cursor) as { readonly sequence: bigint }).sequence)
    const amountsOf = (account: AccountId, index: number): (Amount | null)[] =>
      assets.map((asset) => {
        const place = { group: assetGroup(asset.index), number: accountPage(index) }
        const page = pages.get(`${place.group} ${place.number}`)
        return page === undefined ? this.#unshown.amount(place, account, asset, to) : ((page.balances[index % ACCOUNTS_PER_PAGE]?.[assetPosition(asset.index)] ?? 0n) as Amount)
      })
    const accounts = numbered.flatMap((page) => page.accounts.map(([account, index]) => ({ account, amounts: amountsOf(account, index) })))
    this.#unseen += accounts.filter(({ amounts }) => amounts.includes(null)).length
    const unshown: UnshownPage[] = []
    for (const { group, number } of wanted) {
      if (pages.has(`${group} ${number}`)) this.#unshown.forget({ group, number })
      else unshown.push({ group, number, accounts: numbered.find((page) => page.number === number)!.accounts, assets: assets.filter(({ index }) => assetGroup(index) === group) })
    }
    await this.#unshown.learn(unshown, to)
    return { kind: 'read', ledger: to, sequence, assets: assets.map(({ contract }) => contract), accounts, unseen: Math.max(this.#unseen, this.#unseenBefore) }
  }

  /** Whose they are is in the status, not in the log. */
  #tell(differences: readonly BooksDiffer[]): void {
    const told = new Set<string>()
    for (const { account, asset, ledger, agreed, first } of differences) {
      const key = `${account} ${asset} ${ledger}`
      told.add(key)
      if (this.#told.has(key)) continue
      this.#options.log.error('settlement.reconciler', 'books and chain differ: withdrawals of the account are not co-signed until they agree', { ledger, ...(agreed !== null && { agreed }), ...(first !== null && first) })
    }
    this.#told = told
  }
}

/** A page of accounts: each with its index. */
interface AccountPage {
  readonly number: number
  readonly accounts: (readonly [AccountId, number])[]
}

/** All accounts by their pages, the lowest first. */
function pagesOf(indexes: ReadonlyMap<AccountId, number>): AccountPage[] {
  const pages = new Map<number, AccountPage>()
  for (const [account, index] of indexes) {
    const number = accountPage(index)
    const page = pages.get(number) ?? { number, accounts: [] }
    pages.set(number, page)
    page.accounts.push([account, index])
  }
  return [...pages.values()].sort((a, b) => a.number - b.number)
}
