import type { ErrorCode } from '../../protocol/errors.ts'
import type { AccountId, ContractId, Lots, MarketName, MessageId, Milliseconds, OrderId, Seconds, Ticks } from '../../protocol/identity.ts'
import type { ReplyTo } from '../../protocol/packets.ts'
import type { Grant, Holdings, OrderState, VaultAlarm, WithdrawalState } from '../../protocol/vault.ts'

type Mutable<T> = { -readonly [Member in keyof T]: T[Member] }

/**
 * One asset of one account, in smallest units. Trades that are not yet on chain are kept gross, what comes in apart from what goes
 * out: a batch may settle what goes out before what comes in, so a withdrawal must leave enough for all of `pendingOut` without
 * help from `pendingIn`; a net figure could not tell. Either may be below zero for a moment, when the settlement actor's
 * report of a trade overtakes the pair actor's; their effect on what is available is right at any time.
 */
export interface Balance {
  /** What the chain shows. */
  settled: bigint
  pendingIn: bigint
  pendingOut: bigint
  /** Held for pending and open orders, for withdrawals in flight and for exits. */
  reserved: bigint
}

/** An order as the vault actor keeps it. */
export interface Order extends Mutable<OrderState> {
  /** Counts the orders of this vault actor: the order in which they came, finer than time. */
  readonly number: number
  /** None was placed under its client order id since: this is the order that the id finds. */
  latest: boolean
  /** What is still held for it: quote for a buy, base for a sell. */
  reserved: bigint
  /** What it may become: amends on their way to its market, in the order they were sent. */
  amends: AmendedTerms[]
}

export interface AmendedTerms {
  readonly id: MessageId
  readonly ticks: Ticks
  readonly lots: Lots
}

/** A message that asked for an amend: its id is remembered until it expires, with what became of it. */
export interface Amend {
  readonly id: MessageId
  readonly account: AccountId
  readonly order: OrderId
  readonly expires: number
  /** null: on its way. */
  outcome: 'amended' | ErrorCode | null
}

/** A message that cancelled an order by its client order id. Until it expires it means that order and none that has the id later. */
export interface NamedCancel {
  readonly account: AccountId
  readonly order: OrderId
}

/** A message that took every order back. */
export interface Sweep {
  readonly id: MessageId
  readonly account: AccountId
  readonly expires: number
  cancelled: number
  /** Markets that have yet to say, and those that were halted. */
  markets: MarketName[]
  halted: MarketName[]
  reply: ReplyTo | null
}

/** What takes the orders of one key back when its time is over: of the account's own key, all orders of the account. */
export interface Timer {
  readonly account: AccountId
  readonly signer: AccountId
  /** What has set it, by name: a connection that is watched, or, by the empty name, the trader himself. */
  readonly sources: Map<string, { readonly timeout_ms: number; readonly deadline: Milliseconds }>
  /** The earliest of theirs. */
  deadline: Milliseconds
  /** Markets that hold a deadline of this timer, and which they were told last. */
  readonly told: Map<MarketName, Milliseconds>
  /** Markets that were asked to say that they hold it, by the number of the question, and whoever waits for them. */
  readonly waiting: Map<number, MarketName>
  replies: { readonly reply: ReplyTo; readonly source: string }[]
}

/** A message that set a timer: its id is remembered until it expires. */
export interface TimerMessage {
  readonly id: MessageId
  readonly account: AccountId
}

export interface Withdrawal extends Mutable<WithdrawalState> {
  /** When its message expires, in seconds: until then its id is remembered. */
  readonly expires: number
  readonly created: Milliseconds
  /** When its status was last another. */
  updated: Milliseconds
}

/** A message that delegated a key or revoked one: its id is remembered until it expires, with what it was about. */
export interface KeyChange {
  readonly id: MessageId
  readonly account: AccountId
  readonly expires: number
  readonly kind: 'delegate' | 'revoke'
  readonly grant: Grant
}

/** Money that an account has asked the contract for, without the engine. */
export interface Exit {
  readonly asset: ContractId
  /** What the chain will pay when the time has come, if it is there. */
  asked: bigint
  /** What of it is held so far. */
  held: bigint
  /** From when on the chain pays it. */
  due: Seconds
  readonly created: Milliseconds
}

/** An asset of an account as it was last held against the chain. */
export interface Compared {
  /** The last ledger in which the chain moved it, as the books have it. */
  moved: number
  /** The last ledger at which books and chain were seen to agree. */
  agreed: number | null
  /** The first record after that which moved it. */
  first: { readonly record: number; readonly transaction: string } | null
  differs: boolean
}

export interface Account {
  readonly id: AccountId
  readonly balances: Map<ContractId, Balance>
  /** Pending and open orders, oldest first. */
  readonly open: Map<OrderId, Order>
  /** By client order id: the latest under each that is still known. */
  readonly named: Map<string, Order>
  /** Ids of those closed last, oldest first: what a list shows. */
  closed: OrderId[]
  /** Withdrawals in flight, oldest first. */
  inFlight: Withdrawal[]
  /** Cancel-alls in flight. */
  sweeping: number
  /** Delegated keys that are not revoked; those that are over go when there is another. */
  readonly keys: Map<AccountId, Grant>
  /** Delegations that are remembered. */
  delegations: number
  /** Timers that run, by key. */
  readonly timers: Map<AccountId, Timer>
  /** Messages that set them and are remembered. */
  timerMessages: number
  /** Number of the last feed message. */
  fed: number
}

/** All that a vault actor knows: plain data, so that a snapshot can hold it and a test compare it. */
export interface VaultState {
  readonly accounts: Map<AccountId, Account>
  /** Every order whose id may still be met: open ones, and closed ones until their message has expired. */
  readonly orders: Map<OrderId, Order>
  /** Likewise. */
  readonly withdrawals: Map<MessageId, Withdrawal>
  /** Of these the ones that the engine has signed and the chain has not paid, in the order it signed them. */
  readonly cosigned: Map<MessageId, Withdrawal>
  /** Exits under way, of the accounts that have some. */
  readonly exits: Map<AccountId, Map<ContractId, Exit>>
  /** Amends and cancel-alls: those in flight, and those done until their message has expired. */
  readonly amends: Map<MessageId, Amend>
  readonly sweeps: Map<MessageId, Sweep>
  /** Cancels by client order id that went to a market, until their message has expired. */
  readonly cancels: Map<MessageId, NamedCancel>
  /** The keys that contract accounts have named on chain, whether or not they have deposited. */
  readonly tradingKeys: Map<AccountId, AccountId>
  /** Delegations and revocations, until their message has expired. */
  readonly keyChanges: Map<MessageId, KeyChange>
  /** Messages that set a timer and have not expired. */
  readonly timerMessages: Map<MessageId, TimerMessage>
  /** Ids of what is closed or done by the minute in which they may be forgotten. */
  readonly forgettable: Map<number, MessageId[]>
  /** Every asset of every account that the chain has moved. */
  readonly compared: Map<AccountId, Map<ContractId, Compared>>
  /** What the contract held at ledgers up to which not everything has been reported yet, oldest first. */
  readonly holdings: Holdings[]
  /** Everything up to and including this ledger has been reported. */
  ledger: number
  /** Orders so far. */
  orderCount: number
  /** Questions to markets about timers so far. */
  timerCount: number
  /** Alarms so far, and the last of them. */
  alarmCount: number
  readonly alarms: VaultAlarm[]
}

export const emptyState = (): VaultState => ({
  accounts: new Map(),
  orders: new Map(),
  withdrawals: new Map(),
  cosigned: new Map(),
  exits: new Map(),
  amends: new Map(),
  sweeps: new Map(),
  cancels: new Map(),
  tradingKeys: new Map(),
  keyChanges: new Map(),
  timerMessages: new Map(),
  forgettable: new Map(),
  compared: new Map(),
  holdings: [],
  ledger: 0,
  orderCount: 0,
  timerCount: 0,
  alarmCount: 0,
  alarms: [],
})

/** Whether a message with that id has had its effect: it can have only one. */
export const used = (state: VaultState, id: MessageId): boolean =>
  state.orders.has(id) || state.withdrawals.has(id) || state.amends.has(id) || state.sweeps.has(id) || state.keyChanges.has(id) || state.timerMessages.has(id)

/** Markets in which the account has orders, in the order of the oldest in each. */
export function marketsOf(account: Account, only: MarketName | null): MarketName[] {
  const markets = new Set<MarketName>()
  for (const { market } of account.open.values()) if (only === null || market === only) markets.add(market)
  return [...markets]
}
