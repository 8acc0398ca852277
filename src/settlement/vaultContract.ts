import { Contract, nativeToScVal, scValToNative, StrKey, xdr } from '@stellar/stellar-sdk'
import type { rpc } from '@stellar/stellar-sdk'
import type { AccountId, Amount, ContractId, Seconds } from '../protocol/identity.ts'
import type { Batch } from './batch.ts'
import { contractView, simulatedView } from './contractView.ts'
import type { Viewer } from './contractView.ts'
import { address, symbol, u32, u64 } from './scValues.ts'

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
  /** Of an exit: from when on the contract pays it; 0 where nothing is asked for. Otherwise null. */
  readonly due: Seconds | null
  readonly transaction: string
  readonly ledger: number
}

/** The key that signs for an account from now on, as the account itself has it on chain; null: none. */
export interface TradingKeyEvent {
  readonly kind: 'tradingKey'
  readonly account: AccountId
  readonly key: AccountId | null
  readonly transaction: string
  readonly ledger: number
}

/** What the watcher reads. */
export type AccountEvent = CustodyEvent | TradingKeyEvent

const i128 = (value: bigint): xdr.ScVal => nativeToScVal(value, { type: 'i128' })
const bytes = (value: Uint8Array): xdr.ScVal => xdr.ScVal.scvBytes(value)

/** The events of custody by their first topic. */
const CUSTODY = new Map<string, CustodyEvent['kind']>([
  ['deposit', 'deposited'],
  ['withdraw', 'withdrawn'],
  ['exit', 'exit'],
  ['claim', 'claimed'],
])

const TRADING_KEY = 'trading_key'
const KEY_BYTES = 32

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

  async getChannel(server: Viewer, channel: number): Promise<ChainChannel> {
    const { value, latestLedger } = await this.#view(server, 'get_channel', u32(channel))
    const { epoch, sequence, state_root, trades_root } = value as { epoch: bigint; sequence: bigint; state_root: Uint8Array; trades_root: Uint8Array }
    return { epoch: Number(epoch), sequence: Number(sequence), stateRoot: new Uint8Array(state_root), tradesRoot: new Uint8Array(trades_root), latestLedger }
  }

  async getBalance(server: Viewer, user: AccountId, token: Token): Promise<Amount> {
    return this.parseBalance(await simulatedView(server, this.passphrase, this.getBalanceCall(user, token)))
  }

  getBalanceCall(user: AccountId, token: Token): xdr.Operation {
    return this.#contract.call('get_balance', address(user), address(token))
  }

  /** @throws Error where a simulated `get_balance` gave no amount */
  parseBalance({ result }: rpc.Api.SimulateTransactionSuccessResponse): Amount {
    const balance = result === undefined ? undefined : (scValToNative(result.retval) as unknown)
    if (typeof balance !== 'bigint') throw new Error('simulating get_balance gave no amount')
    return balance as Amount
  }

  /** null for an account that never deposited. */
  async getAccountIndex(server: Viewer, user: AccountId): Promise<number | null> {
    return ((await this.#view(server, 'get_account_index', address(user))).value as number | null | undefined) ?? null
  }

  /** For getEvents: every deposit, withdrawal, exit and claim of this vault, and every trading key: five kinds, as many as one filter takes. */
  get accountFilter(): rpc.Api.EventFilter {
    const of = (name: string): string[] => [topic(symbol(name)), '*', '*']
    return { type: 'contract', contractIds: [this.id], topics: [...[...CUSTODY.keys()].map(of), [topic(symbol(TRADING_KEY)), '*']] }
  }

  /** For getEvents: the batches of one channel. */
  batchFilter(channel: number): rpc.Api.EventFilter {
    return { type: 'contract', contractIds: [this.id], topics: [[topic(symbol('settle_batch')), topic(u32(channel))]] }
  }

  /** @throws Error where the event is not one of `accountFilter`, in the documented shape */
  parseAccountEvent(event: rpc.Api.EventResponse): AccountEvent {
    const [name, user, token] = event.topic.map((value) => scValToNative(value) as unknown)
    if (name === TRADING_KEY) return this.#tradingKey(event, user)
    const [index, , amount, due] = (scValToNative(event.value) as unknown[] | null) ?? []
    const kind = typeof name === 'string' ? CUSTODY.get(name) : undefined
    const sound = kind !== undefined && typeof user === 'string' && typeof token === 'string' && typeof index === 'number' && typeof amount === 'bigint' && (kind === 'exit' ? amount >= 0n && typeof due === 'bigint' : amount > 0n)
    if (!sound || event.contractId?.contractId() !== this.id) throw new Error(`event ${event.id} is none of this vault's accounts`)
    return { kind, account: user as AccountId, index, asset: token as ContractId, amount: amount as Amount, due: kind === 'exit' ? (Number(due) as Seconds) : null, transaction: event.txHash, ledger: event.ledger }
  }

  #tradingKey(event: rpc.Api.EventResponse, user: unknown): TradingKeyEvent {
    const [key] = (scValToNative(event.value) as unknown[] | null) ?? []
    const named = key instanceof Uint8Array && key.length === KEY_BYTES ? (StrKey.encodeEd25519PublicKey(key) as AccountId) : null
    if (typeof user !== 'string' || (named === null && key !== null && key !== undefined) || event.contractId?.contractId() !== this.id) throw new Error(`event ${event.id} is none of this vault's accounts`)
    return { kind: 'tradingKey', account: user as AccountId, key: named, transaction: event.txHash, ledger: event.ledger }
  }

  /** Sequence of the batch that an event of `batchFilter` tells of. */
  parseBatchSequence(event: rpc.Api.EventResponse): number {
    const [, sequence] = (scValToNative(event.value) as unknown[] | null) ?? []
    if (typeof sequence !== 'bigint') throw new Error(`event ${event.id} is not a settled batch`)
    return Number(sequence)
  }

  #view(server: Viewer, name: string, ...args: xdr.ScVal[]): Promise<{ value: unknown; latestLedger: number }> {
    return contractView(server, this.passphrase, this.#contract, name, ...args)
  }
}

const withdrawArguments = (user: AccountId, token: Token, amount: bigint): xdr.ScVal[] => [address(user), address(token), i128(amount)]
