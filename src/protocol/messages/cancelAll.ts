import { Type } from 'typebox'
import type { Static } from 'typebox'
import { closed, envelope, MarketMember } from './members.ts'

/** Takes every open order back, of one market ("XLM-USDC") or of all ("all"). */
export const CancelAllMessage = Type.Object(
  { action: Type.Literal('cancelAll'), ...envelope, market: Type.Union([MarketMember, Type.Literal('all')]) },
  closed,
)
export type CancelAllMessage = Static<typeof CancelAllMessage>
