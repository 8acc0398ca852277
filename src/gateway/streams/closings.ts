/**
 * Why the gateway ends a stream: the close code that the client gets, and the name, which is the reason beside it. Stable for ever. Damaged frames, text that is no
 * UTF-8, frames that are too large and messages in too many pieces end it with the codes that RFC 6455 has for them: 1002, 1007, 1009, 1008.
 */
export const closings = {
  /** The gateway goes: connect again. */
  venue_draining: 1001,
  /** A binary message. */
  text_only: 1003,
  /** Neither a login nor a subscription, and no request for a minute. */
  idle: 4000,
  /** The login's time is over, or its key may no longer. */
  session_ended: 4001,
  /** More waits for the client than a connection may hold: connect again and resume. */
  slow_reader: 4002,
  /** It goes on sending although it is refused for its rate. */
  rate_exceeded: 4003,
  /** Too many messages in a row that are none. */
  nonsense: 4004,
  /** The gateway cannot follow the account's feed: connect again. */
  feed_unavailable: 4005,
  /** Not a sign of life for three heartbeats. */
  silent: 4006,
} as const

export type Closing = keyof typeof closings
