import { Type } from 'typebox'
import type { Static } from 'typebox'
import { closed, envelope, Key } from './members.ts'

/** Ends what a delegated key may do, at once. */
export const RevokeMessage = Type.Object({ action: Type.Literal('revoke'), ...envelope, key: Key }, closed)
export type RevokeMessage = Static<typeof RevokeMessage>
