/**
 * The identities and quantities the whole venue speaks of. They are strings, numbers and bigints underneath, and distinct to the
 * compiler, so that a lot is never added to a tick and an account never looked up as an order.
 */
declare const kind: unique symbol
type Distinct<Base, Name extends string> = Base & { readonly [kind]: Name }

/** A Stellar account or contract that owns balances: a G… or C… StrKey address. */
export type AccountId = Distinct<string, 'AccountId'>
/** A Stellar contract address (C…): a token or the vault. */
export type ContractId = Distinct<string, 'ContractId'>
/** The hex SEP-53 digest (64 lower-case digits) of the signed message that made the thing: order, cancel, withdrawal. */
export type MessageId = Distinct<string, 'MessageId'>
/** The id of an order is the id of the message that placed it. */
export type OrderId = MessageId
/** A trade: `<market>:<n>`, n counting the trades of that market from 1. */
export type TradeId = Distinct<string, 'TradeId'>
/** A market's name: `<base code>-<quote code>`. */
export type MarketName = Distinct<string, 'MarketName'>
/** An actor's name: `vault.<partition>`, `pair.<market>`, `settlement.<channel>`, `watcher.<n>`. */
export type ActorName = Distinct<string, 'ActorName'>

/** A price in whole ticks, 1 … MAX_TICKS. */
export type Ticks = Distinct<number, 'Ticks'>
/** A quantity in whole lots, 0 … MAX_LOTS. */
export type Lots = Distinct<number, 'Lots'>
/** An amount of one asset in its smallest unit; may be negative where it is a difference. */
export type Amount = Distinct<bigint, 'Amount'>
/** Milliseconds since the Unix epoch, by the clock of the actor whose record carries it. */
export type Milliseconds = Distinct<number, 'Milliseconds'>
/** Seconds since the Unix epoch: what signed messages and Stellar use. */
export type Seconds = Distinct<number, 'Seconds'>

export type Side = 'buy' | 'sell'
export type OrderType = 'limit' | 'market'
/** GTC and GTD rest, no longer than the message's `expires`; IOC trades what it can at once; FOK trades all at once or nothing. */
export type TimeInForce = 'GTC' | 'GTD' | 'IOC' | 'FOK'
/** What an order that comes in does where it would trade with one of its own account. */
export type SelfTrade = 'cancelNewest' | 'cancelOldest' | 'cancelBoth' | 'decrement'
/** What a fill must meet: the fills of one execution together, every single one, or all that is open at once. */
export type OrderCondition = 'none' | 'aggregate' | 'perCounterparty' | 'allOrNone'
/** `cancelOnly` takes no orders and no amends; `halted` takes no cancels either. */
export type MarketState = 'open' | 'cancelOnly' | 'halted'

/** Largest price and quantity: signed 32-bit, so that a book of typed arrays can hold them. */
export const MAX_TICKS = 2_147_483_647
export const MAX_LOTS = 2_147_483_647

export const opposite = (side: Side): Side => (side === 'buy' ? 'sell' : 'buy')
