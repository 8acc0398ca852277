import { Account, Address, Contract, nativeToScVal, rpc, scValToNative, StrKey, TransactionBuilder, xdr } from '@stellar/stellar-sdk'
import type { AccountId, Amount, ContractId } from '../protocol/identity.ts'
import type { Batch } from './batch.ts'
import type { StellarRpc } from './stellarRpc.ts'

/** Source of simulated views: nobody, since a simulation is neither signed nor paid for. */
const NOBODY = StrKey.encodeEd25519PublicKey(new Uint8Array(32))

export type Token = ContractId

/** What a channel's last batch said, as the chain stood at `latestLedger`; all zero before the first one. */
export interface ChainChannel {
  readonly epoch: number
  readonly sequence: number
  readonly stateRoot: Uint8Array
  readonly tradesRoot: Uint8Array
  readonly latestLedger: number
}

/** A deposit, withdrawal or claim that the chain executed, or what an account asks for by itself from now on (`exit`; 0 for nothing any more). */
export interface CustodyEvent {
  readonly kind: 'deposited' | 'withdrawn' | 'exit' | 'claimed'
  readonly account: AccountId
  /** The contract's index of the account. */
  readonly index: number
  readonly asset: ContractId
  readonly amount: Amount
  readonly transaction: string
  readonly ledger: number
}

/** A change that the administrator decides on, of those that the venue's own tools make. */
export type VaultChange = { readonly feeCap_ppm: number } | { readonly treasury: AccountId }

/** A refusal by the contract or the host, as a simulation tells it. */
export class ContractRefusal extends Error {
  /** The contract's own error number (docs/contract.md), or null where the host refused. */
  readonly number: number | null
  /** The call exceeds what one transaction may use. */
  readonly overLimit: boolean

  constructor(text: string) {
    const number = /Error\(Contract, #(\d+)\)/.exec(text)?.[1]
    const host = /Error\((\w+, \w+)\)/.exec(text)?.[1]
    // Never the text itself: it carries the arguments of the call.
    super(number === undefined ? `host error (${host ?? 'unnamed'})` : `contract error ${number}`)
    this.name = 'ContractRefusal'
    this.number = number === undefined ? null : Number(number)
    this.overLimit = /Error\((Budget|Storage), ExceededLimit\)/.test(text)
  }
}

const u32 = (value: number): xdr.ScVal => xdr.ScVal.scvU32(value)
const u64 = (value: number): xdr.ScVal => xdr.ScVal.scvU64(BigInt(value))
const i128 = (value: bigint): xdr.ScVal => nativeToScVal(value, { type: 'i128' })
const bytes = (value: Uint8Array): xdr.ScVal => xdr.ScVal.scvBytes(value)
const address = (value: string): xdr.ScVal => new Address(value).toScVal()
const symbol = (value: string): xdr.ScVal => xdr.ScVal.scvSymbol(value)

/** The events of custody by their first topic. */
const CUSTODY = new Map<string, CustodyEvent['kind']>([
  ['deposit', 'deposited'],
  ['withdraw', 'withdrawn'],
  ['exit', 'exit'],
  ['claim', 'claimed'],
])

/** A topic in a filter. */
const topic = (value: xdr.ScVal): string => value.toXdr('base64')

/** The one place that knows how the vault contract is called and read. */
export class VaultContract {
  readonly id: ContractId
  readonly passphrase: string
  readonly #contract: Contract

  constructor(id: ContractId, passphrase: string) {
    this.id = id
    this.passphrase = passphrase
    this.#contract = new Contract(id)
  }

  settleBatch(batch: Batch): xdr.Operation {
    // A contract struct is a map with its keys in order.
    const fields: Record<string, xdr.ScVal> = {
      channel: u32(batch.channel),
      deltas: bytes(batch.deltas),
      epoch: u64(batch.epoch),
      sequence: u64(batch.sequence),
      state_root: bytes(batch.stateRoot),
      trade_count: u32(batch.trades.length),
      trades_root: bytes(batch.tradesRoot),
    }
    const entries = Object.keys(fields)
      .sort()
      .map((key) => new xdr.ScMapEntry({ key: symbol(key), val: fields[key] as xdr.ScVal }))
    return this.#contract.call('settle_batch', xdr.ScVal.scvMap(entries))
  }

  deposit(user: AccountId, token: Token, amount: bigint): xdr.Operation {
    return this.#contract.call('deposit', address(user), address(token), i128(amount))
  }

  /** Without authorisations: what a simulation looks at. */
  withdraw(user: AccountId, token: Token, amount: bigint): xdr.Operation {
    return this.#contract.call('withdraw', ...withdrawArguments(user, token, amount))
  }

  withdrawCall(user: AccountId, token: Token, amount: bigint): xdr.InvokeContractArgs {
    return new xdr.InvokeContractArgs({
      contractAddress: this.#contract.address().toScAddress(),
      functionName: 'withdraw',
      args: withdrawArguments(user, token, amount),
    })
  }

  /** What user and engine authorise for a withdrawal: this call with these arguments, and nothing beneath it. */
  withdrawInvocation(user: AccountId, token: Token, amount: bigint): xdr.SorobanAuthorizedInvocation {
    return new xdr.SorobanAuthorizedInvocation({
      function: xdr.SorobanAuthorizedFunction.sorobanAuthorizedFunctionTypeContractFn(this.withdrawCall(user, token, amount)),
      subInvocations: [],
    })
  }

  setMatchingEngine(engine: AccountId): xdr.Operation {
    return this.#contract.call('set_matching_engine', address(engine))
  }

  addAsset(token: Token): xdr.Operation {
    return this.#contract.call('add_asset', address(token))
  }

  setIssuerFlags(token: Token, flags: number): xdr.Operation {
    return this.#contract.call('set_issuer_flags', address(token), u32(flags))
  }

  /** The administrator's: makes a change that is due, or any while nobody has an account. */
  applyChange(change: VaultChange): xdr.Operation {
    return this.#contract.call('apply_change', changeValue(change))
  }

  announceChange(change: VaultChange): xdr.Operation {
    return this.#contract.call('announce_change', changeValue(change))
  }

  /** The treasury's: pays it what a channel's batches took of a token. */
  collectFees(channel: number, token: Token): xdr.Operation {
    return this.#contract.call('collect_fees', u32(channel), address(token))
  }

  async getChannel(server: Pick<StellarRpc, 'simulateTransaction'>, channel: number): Promise<ChainChannel> {
    const { value, latestLedger } = await this.#view(server, 'get_channel', u32(channel))
    const { epoch, sequence, state_root, trades_root } = value as { epoch: bigint; sequence: bigint; state_root: Uint8Array; trades_root: Uint8Array }
    return { epoch: Number(epoch), sequence: Number(sequence), stateRoot: new Uint8Array(state_root), tradesRoot: new Uint8Array(trades_root), latestLedger }
  }

  async getBalance(server: Pick<StellarRpc, 'simulateTransaction'>, user: AccountId, token: Token): Promise<Amount> {
    return (await this.#view(server, 'get_balance', address(user), address(token))).value as Amount
  }

  /** null for an account that never deposited. */
  async getAccountIndex(server: Pick<StellarRpc, 'simulateTransaction'>, user: AccountId): Promise<number | null> {
    return ((await this.#view(server, 'get_account_index', address(user))).value as number | null | undefined) ?? null
  }

  async getAssetIndex(server: Pick<StellarRpc, 'simulateTransaction'>, token: Token): Promise<number | null> {
    return ((await this.#view(server, 'get_asset_index', address(token))).value as number | null | undefined) ?? null
  }

  /** What the token's issuer could do when the administrator last looked; null where nobody did. */
  async getIssuerFlags(server: Pick<StellarRpc, 'simulateTransaction'>, token: Token): Promise<number | null> {
    return ((await this.#view(server, 'get_issuer_flags', address(token))).value as number | null | undefined) ?? null
  }

  /** What batches may take as fees, in parts per million. */
  async getFeeCap(server: Pick<StellarRpc, 'simulateTransaction'>): Promise<number> {
    return (await this.#view(server, 'get_fee_cap')).value as number
  }

  async getTreasury(server: Pick<StellarRpc, 'simulateTransaction'>): Promise<AccountId | null> {
    return ((await this.#view(server, 'get_treasury')).value as AccountId | null | undefined) ?? null
  }

  /** What a channel's batches took of a token and nobody has collected. */
  async getFees(server: Pick<StellarRpc, 'simulateTransaction'>, channel: number, token: Token): Promise<Amount> {
    return (await this.#view(server, 'get_fees', u32(channel), address(token))).value as Amount
  }

  async getMatchingEngine(server: Pick<StellarRpc, 'simulateTransaction'>): Promise<AccountId | null> {
    return ((await this.#view(server, 'get_matching_engine')).value as AccountId | null | undefined) ?? null
  }

  /** For getEvents: every deposit, withdrawal, exit and claim of this vault. */
  get custodyFilter(): rpc.Api.EventFilter {
    const of = (name: string): string[] => [topic(symbol(name)), '*', '*']
    return { type: 'contract', contractIds: [this.id], topics: [...CUSTODY.keys()].map(of) }
  }

  /** For getEvents: the batches of one channel. */
  batchFilter(channel: number): rpc.Api.EventFilter {
    return { type: 'contract', contractIds: [this.id], topics: [[topic(symbol('settle_batch')), topic(u32(channel))]] }
  }

  /** @throws Error where the event is not one of `custodyFilter`, in the documented shape */
  parseCustody(event: rpc.Api.EventResponse): CustodyEvent {
    const [name, user, token] = event.topic.map((value) => scValToNative(value) as unknown)
    const [index, , amount] = (scValToNative(event.value) as unknown[] | null) ?? []
    const kind = typeof name === 'string' ? CUSTODY.get(name) : undefined
    const sound = kind !== undefined && typeof user === 'string' && typeof token === 'string' && typeof index === 'number' && typeof amount === 'bigint' && (amount > 0n || (kind === 'exit' && amount === 0n))
    if (!sound || event.contractId?.contractId() !== this.id) throw new Error(`event ${event.id} is none of this vault's custody`)
    return { kind, account: user as AccountId, index, asset: token as ContractId, amount: amount as Amount, transaction: event.txHash, ledger: event.ledger }
  }

  /** Sequence of the batch that an event of `batchFilter` tells of. */
  parseBatchSequence(event: rpc.Api.EventResponse): number {
    const [, sequence] = (scValToNative(event.value) as unknown[] | null) ?? []
    if (typeof sequence !== 'bigint') throw new Error(`event ${event.id} is not a settled batch`)
    return Number(sequence)
  }

  async #view(server: Pick<StellarRpc, 'simulateTransaction'>, name: string, ...args: xdr.ScVal[]): Promise<{ value: unknown; latestLedger: number }> {
    const transaction = new TransactionBuilder(new Account(NOBODY, '0'), { fee: '100', networkPassphrase: this.passphrase })
      .addOperation(this.#contract.call(name, ...args))
      .setTimeout(0)
      .build()
    const answer = await server.simulateTransaction(transaction)
    if (rpc.Api.isSimulationError(answer)) throw new ContractRefusal(answer.error)
    if (answer.result === undefined) throw new Error(`simulating ${name} gave no value`)
    return { value: scValToNative(answer.result.retval), latestLedger: answer.latestLedger }
  }
}

/** An enum of a contract is a vec: the variant's name, then what it holds. */
const changeValue = (change: VaultChange): xdr.ScVal =>
  xdr.ScVal.scvVec('treasury' in change ? [symbol('Treasury'), address(change.treasury)] : [symbol('FeeCap'), u32(change.feeCap_ppm)])

const withdrawArguments = (user: AccountId, token: Token, amount: bigint): xdr.ScVal[] => [address(user), address(token), i128(amount)]
