import { Type } from 'typebox'
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { FeedEvent } from '../../protocol/feed.ts'
import { limits } from '../../protocol/limits.ts'
import { MarketMember } from '../../protocol/messages/members.ts'
import { SignedRequest } from '../../protocol/messages/message.ts'
import { AmendShape, BalanceShape, CancelledShape, CancelShape, ClockShape, OrderShape, PlacedShape, RefusedShape, SweepShape, TimerShape, WithdrawalShape } from '../schemas.ts'
import type { FeedChannel } from './feedItem.ts'

/** Every message of a stream, in both directions: text frames with one JSON object each. */

const closed = { additionalProperties: false }
const Id = Type.String({ pattern: '^[\\x20-\\x7e]{1,64}$', description: 'Chosen by the client; its answer carries it' })
const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

export const channels = ['orders', 'fills', 'settlement', 'keys', 'balances', 'market', 'tape'] as const
export type Channel = (typeof channels)[number]
const ChannelName = Type.Unsafe<Channel>({ type: 'string', enum: [...channels] })
const Channels = Type.Array(ChannelName, { minItems: 1, maxItems: channels.length, uniqueItems: true })
const Markets = Type.Array(MarketMember, { minItems: 1, maxItems: limits.markets, uniqueItems: true, description: 'For the channels market and tape: these instead of all' })
const TapePlaces = Type.Record(MarketMember, Seq, { ...closed, maxProperties: limits.markets, description: 'For the channel tape: resume these markets, everything behind that number' })
const signed = SignedRequest.properties
const Batch = Type.Array(SignedRequest, { minItems: 1, maxItems: limits.batchMessages })
const request = <Op extends string, Members extends Record<string, TSchema>>(op: Op, members: Members) => Type.Object({ id: Id, op: Type.Literal(op), ...members }, closed)

/** What a client sends, by its `op`. */
export const requestSchemas = {
  ping: request('ping', {}),
  login: Type.Union([
    request('login', { token: Type.String({ minLength: 1, maxLength: 4_096, description: 'From a SEP-10 login' }) }),
    request('login', { ...signed, cancelOnDisconnect: Type.Optional(Type.Boolean({ description: 'Take the key’s orders back when this connection ends' })) }),
  ]),
  subscribe: request('subscribe', { channels: Channels, markets: Type.Optional(Markets), after: Type.Optional(Type.Integer({ ...Seq, description: 'Resume: everything behind this number, and no snapshot' })), tapeAfter: Type.Optional(TapePlaces) }),
  unsubscribe: request('unsubscribe', { channels: Channels, markets: Type.Optional(Markets) }),
  place: request('place', { ...signed }),
  amend: request('amend', { ...signed }),
  cancel: request('cancel', { ...signed }),
  cancelAll: request('cancelAll', { ...signed }),
  deadMan: request('deadMan', { ...signed }),
  placeBatch: request('placeBatch', { messages: Batch }),
  cancelBatch: request('cancelBatch', { messages: Batch }),
} as const
export type Op = keyof typeof requestSchemas
export type Requests = { readonly [O in Op]: Static<(typeof requestSchemas)[O]> }

/** Checks a request by its `op`. */
export const requestValidators: Readonly<Record<string, { Check(value: unknown): boolean }>> = Object.fromEntries(Object.entries(requestSchemas).map(([op, schema]) => [op, Compile(schema as TSchema)]))

const text = Type.String()
const Subscribed = Type.Object({ channels: Type.Array(ChannelName), seq: Type.Optional(Type.Integer({ ...Seq, description: 'Of channels of the feed: the number from which on it is told' })) }, closed)

/** What the good answer to a request says, by the request's `op`: where HTTP has the same request, what it has there. */
export const answerBodies = {
  ping: ClockShape,
  login: Type.Object({ account: text, key: text, until: text }, closed),
  subscribe: Subscribed,
  unsubscribe: Subscribed,
  place: OrderShape,
  amend: AmendShape,
  cancel: CancelShape,
  cancelAll: SweepShape,
  deadMan: TimerShape,
  placeBatch: PlacedShape,
  cancelBatch: CancelledShape,
} as const satisfies Record<Op, TSchema>

const ReceiptPlacesShape = Type.Object(
  { sequence: Seq, size: Seq, from: Seq, leaves: Type.Array(Seq) },
  { ...closed, description: 'The batch’s sequence and number of leaves, and where the venue keeps the leaf of each of these trades: a trade’s receipt says all that is needed to prove it' },
)
const feedMessage = <Kind extends FeedEvent['type'], Members extends Record<string, TSchema>>(type: Kind, members: Members) =>
  Type.Object({ v: Type.Literal(1), seq: Seq, account: text, time: text, type: Type.Literal(type), ...members }, closed)
/** The messages of an account's feed, by their type: the same here and on NATS. */
export const feedSchemas = {
  order: feedMessage('order', { order: OrderShape }),
  fill: feedMessage('fill', { trade: text, order: text, market: text, side: text, role: text, price: text, quantity: text, quote: text, fee: text, feeAsset: text }),
  settled: feedMessage('settled', { trades: Type.Array(text), transaction: text, ledger: Type.Integer(), receipts: ReceiptPlacesShape }),
  deposit: feedMessage('deposit', { asset: text, amount: text, transaction: text, ledger: Type.Integer() }),
  withdrawal: feedMessage('withdrawal', { withdrawal: WithdrawalShape }),
  key: feedMessage('key', { key: text, scope: text, market: text, until: text, status: text }),
} as const satisfies Record<FeedEvent['type'], TSchema>
/** Any of them. */
export const FeedMessageShape = Type.Union(Object.values(feedSchemas))
export const MarketStateShape = Type.Object(
  { name: text, state: Type.Unsafe<string>({ type: 'string', enum: ['open', 'cancelOnly', 'halted', 'unavailable'] }), lowestPrice: Type.Unsafe<string | null>({ type: ['string', 'null'] }), highestPrice: Type.Unsafe<string | null>({ type: ['string', 'null'] }) },
  closed,
)

/** A message of a market's tape: the same on NATS. */
export const TapePrintShape = Type.Object({ v: Type.Literal(1), seq: Seq, market: text, type: Type.Literal('print'), from: text, until: text, price: text, quantity: text }, closed)

const part = { part: Type.Integer({ minimum: 1 }), parts: Type.Integer({ minimum: 1 }) }
const told = { seq: Seq, prev: Seq }
const feedChannel = (channel: FeedChannel, data: TSchema) => Type.Object({ type: Type.Literal('update'), channel: Type.Literal(channel), ...told, data }, closed)

/** What the gateway sends, by its name. */
export const sentSchemas = {
  hello: Type.Object({ type: Type.Literal('hello'), time: text, challenge: text, heartbeat_s: Type.Number() }, closed),
  answer: Type.Object({ type: Type.Literal('answer'), id: Id, status: Type.Integer(), body: Type.Object({}, { additionalProperties: true }) }, closed),
  refusal: Type.Object({ type: Type.Literal('answer'), id: Type.Union([Id, Type.Null()]), status: Type.Integer(), problem: RefusedShape, retryAfter_s: Type.Optional(Type.Integer({ minimum: 1 })) }, closed),
  orderSnapshot: Type.Object({ type: Type.Literal('snapshot'), channel: Type.Literal('orders'), seq: Seq, ...part, data: Type.Array(OrderShape) }, closed),
  balanceSnapshot: Type.Object({ type: Type.Literal('snapshot'), channel: Type.Literal('balances'), seq: Seq, data: Type.Array(BalanceShape) }, closed),
  marketSnapshot: Type.Object({ type: Type.Literal('snapshot'), channel: Type.Literal('market'), data: Type.Array(MarketStateShape) }, closed),
  tapeSnapshot: Type.Object(
    { type: Type.Literal('snapshot'), channel: Type.Literal('tape'), data: Type.Array(Type.Object({ market: text, seq: Seq }, closed), { description: 'Of each market the number behind which its prints begin here' }) },
    closed,
  ),
  orders: feedChannel('orders', feedSchemas.order),
  fills: feedChannel('fills', feedSchemas.fill),
  settlement: feedChannel('settlement', Type.Union([feedSchemas.settled, feedSchemas.deposit, feedSchemas.withdrawal])),
  keys: feedChannel('keys', feedSchemas.key),
  balances: Type.Object({ type: Type.Literal('update'), channel: Type.Literal('balances'), ...told, data: Type.Array(BalanceShape) }, closed),
  tape: Type.Object({ type: Type.Literal('update'), channel: Type.Literal('tape'), ...told, data: TapePrintShape }, closed),
  market: Type.Object({ type: Type.Literal('update'), channel: Type.Literal('market'), data: MarketStateShape }, closed),
  heartbeat: Type.Object(
    { type: Type.Literal('heartbeat'), time: text, channels: Type.Record(text, Type.Object({ last: Seq, through: Seq }, closed), { description: 'Of each channel the last number sent, and the number up to which all of it has been' }) },
    closed,
  ),
} as const
