import { Type } from 'typebox'
import type { Static } from 'typebox'
import { closed, envelope } from './members.ts'

/** Sets the dead-man timer of the key that signs: unless it is set again within `timeout` seconds, the orders that it covers are taken back. "0" ends it. */
export const DeadManMessage = Type.Object(
  { action: Type.Literal('deadMan'), ...envelope, timeout: Type.String({ pattern: '^(0|[1-9][0-9]{0,5})$', description: 'Whole seconds; 0 ends the timer' }) },
  closed,
)
export type DeadManMessage = Static<typeof DeadManMessage>
