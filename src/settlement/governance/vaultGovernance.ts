import { Contract, xdr } from '@stellar/stellar-sdk'
import type { AccountId, ContractId } from '../../protocol/identity.ts'
import { contractView } from '../contractView.ts'
import type { Viewer } from '../contractView.ts'
import { address, u32 } from '../scValues.ts'
import { changeValue, readChange } from '../vaultChange.ts'
import type { Announcement, VaultChange } from '../vaultChange.ts'
import { ownAuthority } from './ownAuthority.ts'

const optional = (value: string | null): xdr.ScVal => (value === null ? xdr.ScVal.scvVoid() : address(value))

/** What may be done to the vault as a whole, and how it stands (docs/contract.md, "Who may change what, and when"). */
export class VaultGovernance {
  readonly id: ContractId
  readonly #server: Viewer
  readonly #passphrase: string
  readonly #contract: Contract

  constructor({ server, passphrase }: { readonly server: Viewer; readonly passphrase: string }, id: ContractId) {
    this.id = id
    this.#server = server
    this.#passphrase = passphrase
    this.#contract = new Contract(id)
  }

  // The administrator's

  addAsset(token: ContractId): xdr.Operation {
    return this.#call('add_asset', address(token))
  }

  setIssuerFlags(token: ContractId, flags: number): xdr.Operation {
    return this.#call('set_issuer_flags', address(token), u32(flags))
  }

  announceChange(change: VaultChange): xdr.Operation {
    return this.#call('announce_change', changeValue(change))
  }

  /** Makes a change that is due, or any while nobody has an account. A new administrator's own call where that is the change. */
  applyChange(change: VaultChange): xdr.Operation {
    return this.#call('apply_change', changeValue(change))
  }

  /** At once: nothing settles on that channel any more. */
  removeMatchingEngine(channel: number): xdr.Operation {
    return this.#call('remove_matching_engine', u32(channel))
  }

  /** @param token null for all */
  unpause(token: ContractId | null): xdr.Operation {
    return this.#call('unpause', optional(token))
  }

  // The pauser's

  /** @param token null for all */
  pause(token: ContractId | null): xdr.Operation {
    return this.#call('pause', optional(token))
  }

  /** @param caller administrator or pauser */
  cancelChange(caller: string, change: VaultChange): xdr.Operation {
    return this.#call('cancel_change', address(caller), changeValue(change))
  }

  // The treasury's

  /** Pays it what a channel's batches took of a token. */
  collectFees(channel: number, token: ContractId): xdr.Operation {
    return this.#call('collect_fees', u32(channel), address(token))
  }

  // How it stands

  async admin(): Promise<string> {
    return (await this.#view('get_admin')) as string
  }

  async pauser(): Promise<string> {
    return (await this.#view('get_pauser')) as string
  }

  async treasury(): Promise<AccountId | null> {
    return ((await this.#view('get_treasury')) as AccountId | null | undefined) ?? null
  }

  /** Whom the contract obeys for a channel (G…); null where it obeys nobody. */
  async engine(channel: number): Promise<string | null> {
    return ((await this.#view('get_channel_engine', u32(channel))) as string | null | undefined) ?? null
  }

  async feeCap_ppm(): Promise<number> {
    return (await this.#view('get_fee_cap')) as number
  }

  /** Tokens in the order of their index. */
  async assets(): Promise<readonly ContractId[]> {
    return (await this.#view('get_assets')) as ContractId[]
  }

  async assetIndex(token: ContractId): Promise<number | null> {
    return ((await this.#view('get_asset_index', address(token))) as number | null | undefined) ?? null
  }

  /** What the token's issuer could do when the administrator last looked; null where nobody did. */
  async issuerFlags(token: ContractId): Promise<number | null> {
    return ((await this.#view('get_issuer_flags', address(token))) as number | null | undefined) ?? null
  }

  /** @param token null for all */
  async paused(token: ContractId | null): Promise<boolean> {
    return (await this.#view('is_paused', optional(token))) as boolean
  }

  async changes(): Promise<readonly Announcement[]> {
    const listed = (await this.#view('get_changes')) as { readonly change: unknown; readonly due: bigint }[]
    return listed.map(({ change, due }) => ({ change: readChange(change), due: Number(due) }))
  }

  /** Seconds between an announcement that is made now and its change. */
  async changeDelay_s(): Promise<number> {
    return Number(await this.#view('get_change_delay'))
  }

  async accounts(): Promise<number> {
    return (await this.#view('get_account_count')) as number
  }

  async version(): Promise<number> {
    return (await this.#view('get_version')) as number
  }

  /** What a channel's batches took of a token and nobody has collected. */
  async fees(channel: number, token: ContractId): Promise<bigint> {
    return (await this.#view('get_fees', u32(channel), address(token))) as bigint
  }

  #call(name: string, ...args: xdr.ScVal[]): xdr.Operation {
    return ownAuthority(this.#contract.call(name, ...args))
  }

  async #view(name: string, ...args: xdr.ScVal[]): Promise<unknown> {
    return (await contractView(this.#server, this.#passphrase, this.#contract, name, ...args)).value
  }
}
