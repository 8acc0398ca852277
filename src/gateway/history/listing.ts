import { Type } from 'typebox'
import { Refusal } from '../../protocol/errors.ts'
import type { FeedEvent, FeedMessage } from '../../protocol/feed.ts'
import { limits } from '../../protocol/limits.ts'

const DEFAULT_LIMIT = 100

/** What every list of what has happened may be asked. */
export const listMembers = {
  limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,3}$' })),
  cursor: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,15}$', description: '`next` of the page before' })),
}
export const ListQuery = Type.Object(listMembers, { additionalProperties: false })

/** Where the next page begins, and null where what is kept begins. */
export const Next = Type.Unsafe<string | null>({ type: ['string', 'null'] })

export interface Asked {
  readonly limit?: string
  readonly cursor?: string
}

/** @throws Refusal request_malformed */
export function range({ limit = String(DEFAULT_LIMIT), cursor }: Asked): { limit: number; cursor: string | undefined } {
  if (Number(limit) > limits.listedOrders) throw new Refusal('request_malformed', `limit is at most ${limits.listedOrders}`)
  return { limit: Number(limit), cursor }
}

/** An event as a list shows it: with its number in the feed and its time. */
export function entry<Type extends FeedEvent['type']>(message: Extract<FeedMessage, { type: Type }>): Omit<Extract<FeedMessage, { type: Type }>, 'v' | 'account' | 'type'> {
  const { v: _v, account: _account, type: _type, ...shown } = message
  return shown
}
