import { Type } from 'typebox'
import type { Static } from 'typebox'
import { closed, Digest, envelope } from './members.ts'

/** Takes one order back: what of it has not traded yet. */
export const CancelMessage = Type.Object({ action: Type.Literal('cancel'), ...envelope, order: Digest }, closed)
export type CancelMessage = Static<typeof CancelMessage>
