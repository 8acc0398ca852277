import type { AccountId, Amount } from '../protocol/identity.ts'
import type { Asset } from '../protocol/market.ts'
import { ContractRefusal } from './contractRefusal.ts'
import { restores, simulatedView } from './contractView.ts'
import type { Viewer } from './contractView.ts'
import type { VaultContract } from './vaultContract.ts'
import type { VaultStorage } from './vaultStorage.ts'

/** How many balances are asked for between two readings. */
const CALLS = 16
/** How long it stays true what was found, in ledgers: a page that is written is shown for far longer before it can be archived (docs/contract.md, "Lifetimes"). */
const TRUE_LEDGERS = 100_000

/** A page of balances, and who has some in it. */
export interface UnshownPage {
  readonly group: number
  readonly number: number
  readonly accounts: readonly (readonly [AccountId, number])[]
  /** Of its group. */
  readonly assets: readonly Pick<Asset, 'contract' | 'index'>[]
}

interface Found {
  /** As of this ledger. */
  readonly ledger: number
  readonly archived: boolean
  readonly amounts: Map<string, Amount>
}

/**
 * Pages that no endpoint shows: never written, so that nobody has anything there, or archived, where an endpoint leaves out what is. The contract says which, simulated: a call that reads what is archived
 * says so, and gives what is there without bringing it back. As long as a page is not shown nobody has changed it, so it is asked once.
 */
export class UnshownPages {
  readonly #server: Viewer
  readonly #vault: VaultContract
  readonly #storage: VaultStorage
  readonly #found = new Map<string, Found>()

  constructor(server: Viewer, vault: VaultContract, storage: VaultStorage) {
    this.#server = server
    this.#vault = vault
    this.#storage = storage
  }

  /** What an account has of an asset in a page that was not shown at a ledger; null where that is not known yet. */
  amount({ group, number }: Pick<UnshownPage, 'group' | 'number'>, account: AccountId, { index }: Pick<Asset, 'index'>, ledger: number): Amount | null {
    const found = this.#found.get(`${group} ${number}`)
    if (found === undefined || ledger < found.ledger || ledger > found.ledger + TRUE_LEDGERS) return null
    return found.archived ? (found.amounts.get(`${account} ${index}`) ?? null) : (0n as Amount)
  }

  /** Finds out about pages that were not shown, a few balances at a time: what is known then is as of a ledger that comes. */
  async learn(pages: readonly UnshownPage[], ledger: number): Promise<void> {
    let calls = CALLS
    for (const page of pages) {
      const name = `${page.group} ${page.number}`
      const known = this.#found.get(name)
      let found = known === undefined || ledger > known.ledger + TRUE_LEDGERS ? undefined : known
      for (const [account] of page.accounts) {
        for (const asset of page.assets) {
          const of = `${account} ${asset.index}`
          if (found !== undefined && (!found.archived || found.amounts.has(of))) continue
          if (calls-- === 0) return
          const asked = await this.#ask(page, account, asset)
          if (asked === null) continue
          const { amount, archived, ledger: asOf } = asked
          // Brought back and written meanwhile: then the page is shown.
          if (found?.archived === true && !archived) return void this.#found.delete(name)
          found ??= { ledger: asOf, archived, amounts: new Map() }
          found.amounts.set(of, amount)
          this.#found.set(name, { ...found, ledger: asOf })
        }
      }
    }
  }

  /** A page that is shown is read as it is. */
  forget({ group, number }: Pick<UnshownPage, 'group' | 'number'>): void {
    this.#found.delete(`${group} ${number}`)
  }

  /** null: the contract does not say. */
  async #ask({ group, number }: UnshownPage, account: AccountId, asset: Pick<Asset, 'contract'>): Promise<{ amount: Amount; archived: boolean; ledger: number } | null> {
    try {
      const simulation = await simulatedView(this.#server, this.#vault.passphrase, this.#vault.getBalanceCall(account, asset.contract))
      const amount = this.#vault.parseBalance(simulation)
      return { amount, archived: restores(simulation, this.#storage.ledgerKey(this.#storage.keys.page(group, number))), ledger: simulation.latestLedger }
    } catch (error) {
      // An asset that the venue lists and the vault does not admit, for instance.
      if (error instanceof ContractRefusal) return null
      throw error
    }
  }
}
