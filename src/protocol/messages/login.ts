import { Type } from 'typebox'
import type { Static } from 'typebox'
import { closed, envelope } from './members.ts'

/**
 * Logs a connection in: its nonce is the challenge that the gateway greeted that very connection with, so that the message is worth nothing on any other. Nothing is
 * done by it but reading.
 */
export const LoginMessage = Type.Object({ action: Type.Literal('login'), ...envelope }, closed)
export type LoginMessage = Static<typeof LoginMessage>
