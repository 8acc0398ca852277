import { Type } from 'typebox'
import type { Static } from 'typebox'
import { closed, Contract, Decimal, envelope, MarketMember } from './members.ts'

const Side = Type.Union([Type.Literal('buy'), Type.Literal('sell')])
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
  },
  closed,
)

export const OrderMessage = Type.Union([LimitOrder, MarketOrder, MarketSpendOrder])
export type OrderMessage = Static<typeof OrderMessage>
