import { Type } from 'typebox'
import type { Static } from 'typebox'
import { closed, envelope, Key } from './members.ts'

/**
 * Lets a temporary key that its holder made for one sitting read the account's feed, or also hand in the account's signed messages, until `expires`: for wallets,
 * which sign a text but no bytes of a protocol. It cannot sign for the account.
 */
export const SessionMessage = Type.Object({ action: Type.Literal('session'), ...envelope, key: Key, scope: Type.Union([Type.Literal('trade'), Type.Literal('read')]) }, closed)
export type SessionMessage = Static<typeof SessionMessage>
