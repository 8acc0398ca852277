import { Type } from 'typebox'
import type { Static } from 'typebox'
import { closed, Contract, Decimal, envelope, MarketMember } from './members.ts'

const Side = Type.Union([Type.Literal('buy'), Type.Literal('sell')])
const SelfTrade = Type.Union([Type.Literal('cancelNewest'), Type.Literal('cancelOldest'), Type.Literal('cancelBoth'), Type.Literal('decrement')])
/** What an order may ask for besides: each absent unless asked, so that there is one spelling. docs/matching.md says what they mean and what goes together. */
const prevention = { selfTrade: Type.Optional(SelfTrade) }
const minimum = { minimum: Type.Optional(Decimal), minimumPer: Type.Optional(Type.Literal('counterparty')), remainder: Type.Optional(Type.Literal('return')) }
const resting = { postOnly: Type.Optional(Type.Literal('true')), allOrNone: Type.Optional(Type.Literal('true')) }
const order = { action: Type.Literal('order'), ...envelope, market: MarketMember, base: Contract, quote: Contract }

/** Trades at `price` or better; what does not trade at once rests (GTC, GTD: until `expires`), is returned (IOC), or prevents all of it (FOK). */
export const LimitOrder = Type.Object(
  {
    ...order,
    side: Side,
    type: Type.Literal('limit'),
    price: Decimal,
    quantity: Decimal,
    timeInForce: Type.Union([Type.Literal('GTC'), Type.Literal('GTD'), Type.Literal('IOC'), Type.Literal('FOK')]),
    ...resting,
    ...minimum,
    ...prevention,
  },
  closed,
)

/** Trades at once at whatever rests opposite, no worse than `price`; never rests. */
export const MarketOrder = Type.Object(
  {
    ...order,
    side: Side,
    type: Type.Literal('market'),
    price: Decimal,
    quantity: Decimal,
    timeInForce: Type.Union([Type.Literal('IOC'), Type.Literal('FOK')]),
    ...minimum,
    ...prevention,
  },
  closed,
)

/** Buys at once as many whole lots as `spend` quote pays for, best prices first; never rests. */
export const MarketSpendOrder = Type.Object(
  {
    ...order,
    side: Type.Literal('buy'),
    type: Type.Literal('market'),
    spend: Decimal,
    timeInForce: Type.Literal('IOC'),
    ...prevention,
  },
  closed,
)

export const OrderMessage = Type.Union([LimitOrder, MarketOrder, MarketSpendOrder])
export type OrderMessage = Static<typeof OrderMessage>
