import { Type } from 'typebox'
import { Digest, Key, MarketMember, Nonce } from '../protocol/messages/members.ts'

/** Shapes of answers and parameters. What leaves through them is only what is listed. */
const text = Type.String()
const textOrNull = Type.Unsafe<string | null>({ type: ['string', 'null'] })
const numberOrNull = Type.Unsafe<number | null>({ type: ['integer', 'null'] })

/** The gateway's clock. */
export const ClockShape = Type.Object({ time: text, unix_ms: Type.Integer() })

/** An order as its owner sees it: OrderView of the protocol. */
export const OrderShape = Type.Object({
  id: text,
  clientOrderId: text,
  market: text,
  side: text,
  type: text,
  timeInForce: text,
  price: textOrNull,
  quantity: textOrNull,
  spend: textOrNull,
  filledQuantity: text,
  filledQuote: text,
  postOnly: Type.Boolean(),
  allOrNone: Type.Boolean(),
  minimum: textOrNull,
  minimumPer: textOrNull,
  remainder: text,
  selfTrade: text,
  status: text,
  reason: textOrNull,
  expires: text,
  created: text,
  updated: text,
})

/** A cancelled order: what of it had traded by then. */
export const CancelShape = Type.Object({ id: text, market: text, status: text, reason: textOrNull, filledQuantity: text, filledQuote: text, updated: text })

/** Why one message of a batch was refused: as the problem that it would be alone. */
export const RefusedShape = Type.Object({
  type: text, title: text, status: Type.Integer(), code: text, detail: Type.Optional(text), requestId: text, order: Type.Optional(CancelShape),
})

/** What became of each message of a batch, in their order: its status, and the order or the problem. */
export const PlacedShape = Type.Object({ results: Type.Array(Type.Object({ status: Type.Integer(), order: Type.Optional(OrderShape), problem: Type.Optional(RefusedShape) })) })
export const CancelledShape = Type.Object({ results: Type.Array(Type.Object({ status: Type.Integer(), order: Type.Optional(CancelShape), problem: Type.Optional(RefusedShape) })) })

/** An order after an amend: price and total quantity as they are now. */
export const AmendShape = Type.Object({
  id: text, market: text, status: text, reason: textOrNull, price: text, quantity: text, filledQuantity: text, filledQuote: text, updated: text,
})

/** What a cancel-all has done; `waiting` are markets that have yet to say, `halted` those that let nothing go. */
export const SweepShape = Type.Object({ id: text, cancelled: Type.Integer(), waiting: Type.Array(text), halted: Type.Array(text) })

export const WithdrawalShape = Type.Object({
  id: text,
  asset: text,
  amount: text,
  status: text,
  authorization: textOrNull,
  validUntil: numberOrNull,
  transaction: textOrNull,
  ledger: numberOrNull,
})

/** A dead-man timer; `timeout` in seconds, 0 where it does not run. */
export const TimerShape = Type.Object({ signer: text, timeout: Type.Integer(), deadline: Type.Union([text, Type.Null()]), waiting: Type.Array(text) })

/** A delegated key: KeyView of the protocol. */
export const KeyShape = Type.Object({ key: text, scope: text, market: text, until: text, status: text })
/** A fill: `seq` is its number in the account's feed. */
export const FillShape = Type.Object({
  seq: Type.Integer(),
  time: text,
  trade: text,
  order: text,
  market: text,
  side: text,
  role: text,
  price: text,
  quantity: text,
  quote: text,
  fee: text,
  feeAsset: text,
})
export const TradeShape = Type.Object({ ...FillShape.properties, status: text, transaction: textOrNull, ledger: numberOrNull })
export const DepositShape = Type.Object({ seq: Type.Integer(), time: text, asset: text, amount: text, transaction: text, ledger: Type.Integer() })
export const SettlementShape = Type.Object({ seq: Type.Integer(), time: text, trades: Type.Array(text), transaction: text, ledger: Type.Integer() })
/** A withdrawal as it stood at one time. */
export const WithdrawalStepShape = Type.Object({ seq: Type.Integer(), time: text, ...WithdrawalShape.properties })

export const BalanceShape = Type.Object({ asset: text, contract: text, settled: text, pending: text, reserved: text, available: text })

export const AssetShape = Type.Object({ code: text, contract: text, decimals: Type.Integer() })

export const MarketShape = Type.Object({
  name: text,
  base: AssetShape,
  quote: AssetShape,
  tickSize: text,
  lotSize: text,
  minQuantity: text,
  maxQuantity: text,
  maxPrice: text,
  maxValue: text,
  maxLifetime_s: Type.Integer(),
  maxOpenOrders: Type.Integer(),
  selfTrade: text,
  fees: Type.Object({ maker_ppm: Type.Integer(), taker_ppm: Type.Integer() }, { description: 'Kept of what each side of a trade receives, in parts per million' }),
  tape: Type.Union([Type.Object({ delay_s: Type.Integer(), quantityStep: text, priceStep: text }), Type.Null()], { description: 'How what is traded is made public; null where it is not' }),
})

/** What was traded at one price within an interval, as a list shows it. */
export const PrintShape = Type.Object({ seq: Type.Integer(), from: text, until: text, price: text, quantity: text })

const closed = { additionalProperties: false }
export const IdParameters = Type.Object({ id: Digest }, closed)
export const ClientOrderParameters = Type.Object({ clientOrderId: Nonce }, closed)
export const KeyParameters = Type.Object({ key: Key }, closed)
export const TradeParameters = Type.Object({ id: Type.String({ pattern: '^[A-Za-z0-9]{1,12}-[A-Za-z0-9]{1,12}:[1-9][0-9]{0,14}$', description: 'A trade, as fills name it: XLM-USDC:123' }) }, closed)
export const MarketParameters = Type.Object({ pair: MarketMember }, closed)
export const NoQuery = Type.Object({}, closed)
