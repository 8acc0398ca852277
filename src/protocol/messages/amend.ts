import { Type } from 'typebox'
import type { Static } from 'typebox'
import { closed, Decimal, Digest, envelope } from './members.ts'

/** Replaces price and open quantity of an order. A smaller quantity at the same price keeps its priority. */
export const AmendMessage = Type.Object({ action: Type.Literal('amend'), ...envelope, order: Digest, price: Decimal, quantity: Decimal }, closed)
export type AmendMessage = Static<typeof AmendMessage>
