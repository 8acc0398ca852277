import { Type } from 'typebox'
import type { Static } from 'typebox'
import { closed, Decimal, Digest, envelope } from './members.ts'

/**
 * Replaces price and total quantity (what is filled and what is open) of an order that rests. A total that is not larger, at the same price,
 * keeps its place. By the total an amend that crosses a fill on its way can never make more trade than was meant.
 */
export const AmendMessage = Type.Object({ action: Type.Literal('amend'), ...envelope, order: Digest, price: Decimal, quantity: Decimal }, closed)
export type AmendMessage = Static<typeof AmendMessage>
