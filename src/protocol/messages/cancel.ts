import { Type } from 'typebox'
import type { Static } from 'typebox'
import { closed, Digest, envelope, Nonce } from './members.ts'

const cancel = { action: Type.Literal('cancel'), ...envelope }

/** Takes one order back: what of it has not traded yet. Names it by its id. */
export const CancelById = Type.Object({ ...cancel, order: Digest }, closed)

/** Likewise, of the open order with that client order id, which is the nonce of the message that placed it. */
export const CancelByClientId = Type.Object({ ...cancel, clientOrderId: Nonce }, closed)

export const CancelMessage = Type.Union([CancelById, CancelByClientId])
export type CancelMessage = Static<typeof CancelMessage>
