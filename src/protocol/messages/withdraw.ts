import { Type } from 'typebox'
import type { Static } from 'typebox'
import { closed, Contract, Decimal, envelope } from './members.ts'

/** Asks the engine to co-sign a withdrawal of settled funds to the account itself. */
export const WithdrawMessage = Type.Object({ action: Type.Literal('withdraw'), ...envelope, asset: Contract, amount: Decimal }, closed)
export type WithdrawMessage = Static<typeof WithdrawMessage>
