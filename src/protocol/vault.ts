import type { AccountId, Amount, ContractId, Lots, MarketName, MessageId, Milliseconds, OrderId, OrderType, Seconds, Side, Ticks, TimeInForce, TradeId } from './identity.ts'
import type { ReplyTo } from './packets.ts'
import type { AmendRefusal, CloseReason, FillRole } from './pair.ts'
import type { OrderTerms } from './terms.ts'

/** What a gateway may ask of the vault actor that owns an account. The gateway has proved who speaks, not what that is worth. */
export type VaultCommand = SignedCommand | Presence

/** What a trader has signed; its id is the message's, and it takes effect once. */
export type SignedCommand = PlaceOrder | CancelOrder | AmendOrder | CancelAllOrders | SetDeadMan | RequestWithdrawal | DelegateKey | RevokeKey

export interface PlaceOrder {
  readonly kind: 'place'
  readonly id: OrderId
  /** Of the trader's choice: no two open orders of an account have the same. */
  readonly clientOrderId: string
  readonly account: AccountId
  readonly signer: AccountId
  readonly market: MarketName
  readonly side: Side
  readonly type: OrderType
  /** Limit or worst price; 0 where `spend` bounds the order instead. */
  readonly ticks: Ticks
  /** 0 where `spend` bounds the order. */
  readonly lots: Lots
  /** Most quote units to spend: market buys without a quantity; otherwise 0. */
  readonly spend: Amount
  readonly timeInForce: TimeInForce
  readonly terms: OrderTerms
  readonly expires: Seconds
}

/** Another price, another total quantity (what is filled and what is open), or both, for a limit order that rests. */
export interface AmendOrder {
  readonly kind: 'amend'
  readonly id: MessageId
  readonly account: AccountId
  readonly signer: AccountId
  readonly order: OrderId
  /** Decimals as signed: the message names no market, and only the owner of the order knows by whose steps to read them. */
  readonly price: string
  readonly quantity: string
  readonly expires: Seconds
}

/** Takes every open order back: of one market, or of all (null). Answered with SweepState when all markets have done it. */
export interface CancelAllOrders {
  readonly kind: 'cancelAll'
  readonly id: MessageId
  readonly account: AccountId
  readonly signer: AccountId
  readonly market: MarketName | null
  readonly expires: Seconds
}

/**
 * Sets the dead-man timer of a key: unless it is set again in time, every order that it covers is taken back. A timer of the account's own key covers all orders of
 * the account, one of a delegated key those that this key has placed. Answered with TimerState once it is in force.
 */
export interface SetDeadMan {
  readonly kind: 'deadMan'
  readonly id: MessageId
  readonly account: AccountId
  readonly signer: AccountId
  /** 0 ends it. */
  readonly timeout_s: number
  readonly expires: Seconds
}

/**
 * Cancel on disconnect: a gateway says, for a session that has proved to hold the key `signer`, that its connection lives, and says so again well before `timeout_ms`
 * are over; when it does not, or when it says that the connection has ended, the orders that a dead-man timer of that key would cover are taken back. Answered
 * with TimerState once it is in force. Ending a session that is not known does nothing: its time was over already.
 */
export interface Presence {
  readonly kind: 'presence'
  readonly account: AccountId
  readonly signer: AccountId
  /** Names the connection: 1–64 letters, digits, `.`, `_`, `:` or `-`, unique in the venue, for instance the gateway's name and a number that it never uses again. */
  readonly session: string
  /** 0: it is over. */
  readonly timeout_ms: number
  /** Where it is over: whether the orders are taken back. */
  readonly cancel: boolean
}

export interface CancelOrder {
  readonly kind: 'cancel'
  readonly id: MessageId
  readonly account: AccountId
  readonly signer: AccountId
  /** One of the two names the order, the other is null. */
  readonly order: OrderId | null
  readonly clientOrderId: string | null
  readonly expires: Seconds
}

export interface RequestWithdrawal {
  readonly kind: 'withdraw'
  readonly id: MessageId
  readonly account: AccountId
  readonly signer: AccountId
  readonly asset: ContractId
  readonly amount: Amount
  readonly expires: Seconds
}

/** `trade`: places, amends and cancels orders, and reads. `read`: reads. Neither ever withdraws, delegates or revokes. */
export type KeyScope = 'trade' | 'read'

/** What another key may do for an account. */
export interface Grant {
  readonly key: AccountId
  readonly scope: KeyScope
  /** The only market it may trade in; null: all. What it may read is the account's whole. */
  readonly market: MarketName | null
  /** It may nothing from then on. */
  readonly until: Seconds
}

/** Lets a key act for the account; named again, it may what it is named for last. Answered with KeyState. */
export interface DelegateKey extends Grant {
  readonly kind: 'delegate'
  readonly id: MessageId
  readonly account: AccountId
  readonly signer: AccountId
  readonly expires: Seconds
}

/** Takes back what a key may do, at once. Answered with KeyState. */
export interface RevokeKey {
  readonly kind: 'revoke'
  readonly id: MessageId
  readonly account: AccountId
  readonly signer: AccountId
  readonly key: AccountId
  readonly expires: Seconds
}

/** What may be read. Only `account`'s own is ever answered; anything else is as if it were not there. */
export type VaultQuery =
  | { readonly kind: 'order'; readonly account: AccountId; readonly id: OrderId }
  /** The last order that was placed under that client order id. */
  | { readonly kind: 'clientOrder'; readonly account: AccountId; readonly clientOrderId: string }
  /** Newest first; with `before`, those older than an order of the account. */
  | { readonly kind: 'orders'; readonly account: AccountId; readonly market: MarketName | null; readonly open: boolean; readonly limit: number; readonly before?: OrderId }
  | { readonly kind: 'balances'; readonly account: AccountId }
  /** Answered with Standing: what the account's feed goes on from. */
  | { readonly kind: 'standing'; readonly account: AccountId; readonly orders: boolean; readonly balances: boolean }
  | { readonly kind: 'withdrawal'; readonly account: AccountId; readonly id: MessageId }
  /** Answered with a list of KeyState: the trading key of a contract account, and the keys that are delegated and not revoked. */
  | { readonly kind: 'keys'; readonly account: AccountId }
  /** Answered with KeyState, or refused with key_unknown: whoever lets a key in asks this, and judges `until` by its own clock. */
  | { readonly kind: 'key'; readonly account: AccountId; readonly key: AccountId }
  /** Answered with the TimerState of each of the account's keys that has a dead-man timer running. */
  | { readonly kind: 'deadMan'; readonly account: AccountId }

/** For operators, not for gateways. */
export type OperatorQuery =
  /** Answered with VaultAlarms. */
  | { readonly kind: 'alarms' }
  /** Answered with KnownWithdrawals: of one account, or of all (null); with those that are over, as far as they are remembered, or without. */
  | { readonly kind: 'withdrawals'; readonly account: AccountId | null; readonly closed: boolean; readonly limit: number }

/** `pending`: reserved, on its way to the market. Only `open` orders and `pending` ones hold a reservation. */
export type OrderStatus = 'pending' | 'open' | 'filled' | 'cancelled' | 'expired' | 'rejected'

/** An order as its vault actor knows it. */
export interface OrderState {
  readonly id: OrderId
  readonly clientOrderId: string
  readonly account: AccountId
  readonly market: MarketName
  readonly side: Side
  readonly type: OrderType
  readonly ticks: Ticks
  readonly lots: Lots
  readonly spend: Amount
  readonly timeInForce: TimeInForce
  readonly terms: OrderTerms
  readonly expires: Seconds
  readonly status: OrderStatus
  /** Why it is closed; null while it is not. */
  readonly reason: CloseReason | null
  readonly filledLots: Lots
  readonly filledQuote: Amount
  readonly created: Milliseconds
  readonly updated: Milliseconds
}

/** Answer to an amend that was seen before and not refused: the order as it stands, and whether its market has yet to say. */
export interface AmendState {
  readonly amended: OrderState
  readonly waiting: boolean
}

/** What became of a cancel-all: `cancelled` orders so far, `markets` that have yet to say, and those that were `halted` and gave nothing back. */
export interface SweepState {
  readonly id: MessageId
  readonly cancelled: number
  readonly markets: readonly MarketName[]
  readonly halted: readonly MarketName[]
}

/** A delegated key. One that is read as `active` may do what it says until `until` and no longer, though it is listed for a while yet. */
export interface KeyState extends Grant {
  readonly status: 'active' | 'expired' | 'revoked'
}

/** A dead-man timer or the watch over one connection, as it runs now: `timeout_ms` and `deadline` are null where it does not. */
export interface TimerState {
  readonly signer: AccountId
  readonly timeout_ms: number | null
  /** When the orders are taken back, by the venue's clock. */
  readonly deadline: Milliseconds | null
  /** Markets that have yet to hear of it: there it is not in force. The answer waits for them, so there are some only where a message is repeated meanwhile. */
  readonly waiting: readonly MarketName[]
}

/** Where an account stands at one moment of its feed: everything up to message `fed` is in it, and nothing of any after. */
export interface Standing {
  /** 0 before the first message. */
  readonly fed: number
  /** Every pending and open order, oldest first; empty where nobody asked. */
  readonly orders: readonly OrderState[]
  /** Every asset of the venue; empty where nobody asked. */
  readonly balances: readonly BalanceState[]
}

export interface BalanceState {
  readonly asset: ContractId
  /** What the chain shows. */
  readonly settled: Amount
  /** Trades not yet on chain: what comes in less what goes out. */
  readonly pending: Amount
  /** Held for open orders, withdrawals in flight and what was asked of the contract. */
  readonly reserved: Amount
  /** settled + pending − reserved */
  readonly available: Amount
}

/**
 * `requested`: reserved. `cosigned`: the engine's authorisation is there, valid until ledger `validUntil`. `completed`: the chain paid it.
 * `expired`: the chain passed `validUntil` without it, and the reservation is released. `refused`: the engine could not co-sign.
 */
export type WithdrawalStatus = 'requested' | 'cosigned' | 'completed' | 'expired' | 'refused'

export interface WithdrawalState {
  readonly id: MessageId
  readonly account: AccountId
  readonly asset: ContractId
  readonly amount: Amount
  readonly status: WithdrawalStatus
  /** Base64 XDR of the engine's SorobanAuthorizationEntry, and the last ledger at which it is valid. */
  readonly authorization: string | null
  readonly validUntil: number | null
  readonly transaction: string | null
  readonly ledger: number | null
}

/** A withdrawal as the venue's operator sees it: with whose it is, and without the engine's authorisation, which is its owner's alone. */
export interface KnownWithdrawal extends Omit<WithdrawalState, 'authorization'> {
  /** When it was asked for, and when its status was last another. */
  readonly created: Milliseconds
  readonly updated: Milliseconds
}

/** Money that an account has asked the contract for, without the engine. */
export interface KnownExit {
  readonly account: AccountId
  readonly asset: ContractId
  /** What the chain will pay, if it is there. */
  readonly asked: Amount
  /** What of it is held so far: the rest is in open orders, or was traded away. */
  readonly held: Amount
  /** From when on the chain pays. */
  readonly due: Seconds
  /** When the venue heard of it first. */
  readonly created: Milliseconds
}

export interface KnownWithdrawals {
  /** How far the watcher has reported the chain. */
  readonly ledger: number
  readonly counts: Readonly<Record<WithdrawalStatus | 'exits', number>>
  /** Those in flight, oldest first, then those that are over, newest first; of these and of exits `limit` at most. */
  readonly withdrawals: readonly KnownWithdrawal[]
  readonly exits: readonly KnownExit[]
}

/** From a pair actor: what became of an order of an account that this vault actor owns, and when, by the market's clock. In the order it happened. */
export type PairReport = PairChange & { readonly time: Milliseconds }

export type PairChange =
  | { readonly kind: 'rested'; readonly order: OrderId; readonly account: AccountId }
  | {
      readonly kind: 'filled'
      readonly order: OrderId
      readonly account: AccountId
      readonly trade: TradeId
      readonly role: FillRole
      readonly ticks: Ticks
      readonly lots: Lots
      readonly base: Amount
      readonly quote: Amount
      /** What the venue keeps of what the order receives: base for a buy, quote for a sell. */
      readonly fee: Amount
    }
  /** Self-trade prevention took `lots` off its total; they did not trade. */
  | { readonly kind: 'reduced'; readonly order: OrderId; readonly account: AccountId; readonly lots: Lots }
  | { readonly kind: 'amended'; readonly order: OrderId; readonly account: AccountId; readonly amend: MessageId; readonly ticks: Ticks; readonly lots: Lots }
  | { readonly kind: 'amendRefused'; readonly order: OrderId; readonly account: AccountId; readonly amend: MessageId; readonly reason: AmendRefusal }
  /** `halted`: the market lets nothing go now, and has let nothing go. */
  | { readonly kind: 'swept'; readonly account: AccountId; readonly sweep: MessageId; readonly cancelled: number; readonly halted: boolean }
  | { readonly kind: 'closed'; readonly order: OrderId; readonly account: AccountId; readonly reason: CloseReason }
  /** The market holds the timer that it was told with that `ask`. */
  | { readonly kind: 'timed'; readonly account: AccountId; readonly signer: AccountId; readonly ask: number }

/** From the watcher: what the chain did, each once and in ledger order. */
export type ChainReport =
  | { readonly kind: 'deposited'; readonly account: AccountId; readonly asset: ContractId; readonly amount: Amount; readonly transaction: string; readonly ledger: number }
  | { readonly kind: 'withdrawn'; readonly account: AccountId; readonly asset: ContractId; readonly amount: Amount; readonly transaction: string; readonly ledger: number }
  /** Asked for without the engine: what the contract will pay from `due` on. 0: nothing any more. */
  | { readonly kind: 'exit'; readonly account: AccountId; readonly asset: ContractId; readonly amount: Amount; readonly due: Seconds; readonly transaction: string; readonly ledger: number }
  /** The contract paid an exit, which is over. */
  | { readonly kind: 'claimed'; readonly account: AccountId; readonly asset: ContractId; readonly amount: Amount; readonly transaction: string; readonly ledger: number }
  /** The key that signs for a contract account from now on; null: none any more. */
  | { readonly kind: 'tradingKey'; readonly account: AccountId; readonly key: AccountId | null; readonly transaction: string; readonly ledger: number }
  /** Everything up to and including this ledger has been reported. */
  | { readonly kind: 'ledger'; readonly ledger: number }

/** What the contract holds of some accounts, as one ledger shows it. */
export interface Holdings {
  readonly ledger: number
  readonly assets: readonly ContractId[]
  /** Of each account the amounts of `assets`, in their order; null where the ledger does not show it. */
  readonly accounts: readonly { readonly account: AccountId; readonly amounts: readonly (Amount | null)[] }[]
}

/** From the settlement actor. */
export type SettlementReport =
  /** One account's part of a batch that is final: the trades, and per asset what came in, less the fees on it, and what went out, both ≥ 0. */
  | {
      readonly kind: 'settled'
      readonly account: AccountId
      readonly trades: readonly TradeId[]
      /** Where the leaf of the account's side of each trade stands among `size`, and the number of the stored message that begins with the first. */
      readonly leaves: readonly number[]
      readonly size: number
      readonly from: number
      readonly moves: readonly { readonly asset: ContractId; readonly in: Amount; readonly out: Amount }[]
      readonly sequence: number
      readonly transaction: string
      readonly ledger: number
    }
  /** What the contract held at a ledger. Every batch up to that ledger has been reported before. */
  | ({ readonly kind: 'holdings' } & Holdings)
  | { readonly kind: 'cosigned'; readonly withdrawal: MessageId; readonly account: AccountId; readonly authorization: string; readonly validUntil: number }
  | { readonly kind: 'cosignRefused'; readonly withdrawal: MessageId; readonly account: AccountId }

/**
 * What the chain did and the ledger did not expect. The ledger follows the chain all the same; a person has to look.
 * `books_differ`: at that ledger the contract held another amount than the books say, transaction: the first one since the two last agreed that the books know of.
 * `withdrawal_unmatched`: paid without a withdrawal in flight or an exit. `funds_short`: what an account has no longer covers what it owes
 * and has promised. `asset_unlisted`: the vault contract holds an asset that the venue's configuration does not list.
 */
export interface VaultAlarm {
  readonly kind: 'withdrawal_unmatched' | 'funds_short' | 'asset_unlisted' | 'books_differ'
  readonly account: AccountId
  readonly asset: ContractId
  readonly transaction: string | null
  readonly ledger: number
  readonly time: Milliseconds
}

/** `raised` counts all since the venue began; `recent` has the last ones, oldest first. */
export interface VaultAlarms {
  readonly raised: number
  readonly recent: readonly VaultAlarm[]
}

/** All that other actors say to a vault actor. */
export type VaultMessage = PairReport | ChainReport | SettlementReport

export type { ReplyTo }
