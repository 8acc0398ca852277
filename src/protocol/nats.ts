import { Type } from 'typebox'
import type { Static } from 'typebox'
import { limits } from './limits.ts'
import { SignedRequest } from './messages/message.ts'
import type { KeyScope } from './vault.ts'

// What a trader's connection to NATS asks and hears, apart from its feed (feed.ts). Each request goes to `dp.v1.<venue>.trader.<account>.<key>.<operation>`.

const closed = { additionalProperties: false }

export const BatchRequest = Type.Object({ messages: Type.Array(SignedRequest, { minItems: 1, maxItems: limits.batchMessages }) }, closed)
/** One signed message, or up to 100 of one kind (orders, or cancels): the bodies of the HTTP routes. */
export const OrdersRequest = Type.Union([SignedRequest, BatchRequest])

/** Asks for the feed's messages behind a number, oldest first. */
export const ReplayRequest = Type.Object(
  {
    after: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'The last number that the reader has seen; 0 for all that are kept. Left out: no messages, and `last` is the newest number' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.replayMessages, description: `Messages at most; ${limits.replayMessages} unless given` })),
  },
  closed,
)
export type ReplayRequest = Static<typeof ReplayRequest>

export const EmptyRequest = Type.Object({}, closed)

/** What each operation takes. An empty message is the same as `{}`. */
export const operations = {
  orders: OrdersRequest,
  replay: ReplayRequest,
  balances: EmptyRequest,
  openOrders: EmptyRequest,
} as const
export type Operation = keyof typeof operations

export const operationsOf = (scope: KeyScope): readonly Operation[] => (scope === 'trade' ? ['orders', 'replay', 'balances', 'openOrders'] : ['replay', 'balances', 'openOrders'])

/** Every answer: the status and the body that the same request has over HTTP. A refusal's body is a problem (RFC 9457). */
export const OperationAnswer = Type.Object({ status: Type.Integer(), body: Type.Object({}, { additionalProperties: true }) }, closed)
export interface OperationAnswer {
  readonly status: number
  readonly body: object
}
