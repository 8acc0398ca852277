/**
 * Every refusal the venue can give: the only place where an error is defined. A code is stable for ever; its HTTP status follows
 * the custom of trading APIs (400 shape, 401 who, 403 may not, 404, 409 state, 422 business, 503 try again, 504 outcome unknown).
 * `text` is for people and never carries what an order says.
 */
const table = {
  // The request itself
  request_malformed: [400, 'The request is not of the documented shape.'],
  message_malformed: [400, 'The signed message has a missing, unknown or misspelt member.'],
  decimal_malformed: [400, 'A decimal has a sign, an exponent, a needless zero or more digits than fit.'],
  order_mismatch: [400, 'The order named in the path is not the one in the signed message.'],
  key_mismatch: [400, 'The key named in the path is not the one in the signed message.'],
  request_too_large: [413, 'The request body is larger than the venue reads.'],
  media_type_unsupported: [415, 'The body must be application/json.'],
  rate_exceeded: [429, 'More requests than the limit allows: wait as long as Retry-After says.'],
  route_unknown: [404, 'There is no such route.'],
  method_not_allowed: [405, 'The route does not answer this method.'],

  // Who speaks
  signature_invalid: [401, 'The signature does not fit the message and the signer.'],
  token_missing: [401, 'This route needs a SEP-10 token: Authorization: Bearer <token>.'],
  token_invalid: [401, 'The token is not valid, or no longer so: log in again.'],
  challenge_invalid: [401, 'The signed login challenge does not verify.'],
  signer_not_allowed: [403, 'That signer may not act for the account.'],

  // What the message is bound to
  network_mismatch: [422, 'The message is signed for another Stellar network.'],
  vault_mismatch: [422, 'The message is signed for another vault contract.'],
  market_unknown: [404, 'There is no such market.'],
  asset_unknown: [404, 'There is no such asset here.'],
  asset_mismatch: [422, 'The asset contracts in the message are not the ones of the market.'],
  message_expired: [422, 'The message had expired when it arrived.'],
  expiry_too_far: [422, 'The message expires later than the market allows.'],
  action_unsupported: [422, 'This route does not take messages with that action.'],

  // Orders
  price_off_tick: [422, 'The price is not a whole number of ticks.'],
  price_out_of_range: [422, 'The price is outside what the market takes.'],
  quantity_off_lot: [422, 'The quantity is not a whole number of lots.'],
  quantity_out_of_range: [422, 'The quantity is below the smallest or above the largest order.'],
  account_unknown: [422, 'The account has never deposited here.'],
  funds_insufficient: [422, 'The available balance does not cover the order.'],
  open_orders_exceeded: [422, 'The account has as many open orders as it may.'],
  client_order_id_in_use: [409, 'Another order of the account with that client order id is open.'],
  order_unknown: [404, 'There is no such order.'],
  order_not_open: [409, 'The order is no longer open.'],
  order_value_exceeded: [422, 'Price times quantity is more than the market takes in one order.'],
  terms_conflict: [422, 'What the order asks for cannot be together: see the rules of matching.'],
  minimum_out_of_range: [422, 'The minimum is not between one lot and the quantity.'],
  amend_too_late: [409, 'As much as the amended quantity is already filled.'],
  amends_exceeded: [422, 'The order has as many amends on their way as it may.'],
  cancels_exceeded: [422, 'The account has as many cancel-alls on their way as it may.'],
  timeout_out_of_range: [422, 'The timeout of a timer is neither 0 nor within what the venue takes.'],
  timers_exceeded: [422, 'The account has as many timers, or messages that set them, as it may.'],
  price_outside_band: [422, 'The price is outside the band that the market takes now.'],
  post_only_would_trade: [422, 'The order may only be a maker and would have traded at once.'],
  message_reused: [409, 'A message with this id was already used for something else.'],

  // Delegated keys
  key_unknown: [404, 'There is no such delegated key.'],
  keys_exceeded: [422, 'The account has as many delegated keys as it may, or has changed them as often as it may for now.'],
  until_out_of_range: [422, 'The key would end in the past, or more than a year ahead.'],

  // Withdrawals
  withdrawal_unknown: [404, 'There is no such withdrawal.'],
  withdrawals_exceeded: [422, 'The account has as many withdrawals in flight as it may.'],
  books_differ: [409, 'The venue’s books of this account and the chain differ, and nothing is co-signed until they agree. The contract pays without the venue.'],

  // Reading a feed
  feed_trimmed: [410, 'The next message of the feed is no longer kept: begin anew from what the account shows now.'],

  // Sealed requests over NATS
  seal_missing: [422, 'What is asked over this venue’s NATS must be sealed with the account’s feed key.'],
  seal_broken: [422, 'The request is not sealed for this account and operation with a feed key that is known.'],

  // Streams
  upgrade_required: [426, 'This route speaks WebSocket and nothing else.'],
  login_missing: [401, 'This channel needs a login on this connection first.'],
  login_conflict: [409, 'This connection is logged in for another account or key.'],
  streams_exceeded: [422, 'The account has as many connections as it may.'],
  resume_ahead: [422, 'The feed has not come to that number yet.'],

  // What has happened
  tape_off: [404, 'This market has no public tape.'],
  trade_unknown: [404, 'There is no such trade of this account, or it is no longer kept.'],
  trade_not_settled: [409, 'The trade has not settled on the chain yet: its receipt is there when it has.'],
  receipt_absent: [404, 'The trade settled before this venue made receipts: it has none.'],
  history_too_long: [422, 'The trade was not found within what one request looks through: list the fills instead.'],

  // The enclave
  evidence_absent: [404, 'This venue runs in no enclave: there is no evidence of one.'],
  evidence_unavailable: [503, 'The enclave cannot be asked right now: try again.'],

  // What operators ask of the venue, over NATS alone
  operator_may_not: [403, 'The venue file lets that operator’s key look, and not act.'],
  answer_too_large: [422, 'The answer is larger than may be sent: ask for less.'],
  actor_unavailable: [503, 'The actor does not run there now: try again.'],
  snapshot_failed: [503, 'The snapshot could not be taken, and the shard’s log says why: try again.'],
  journal_at_fault: [500, 'The actor’s journal cannot be replayed: nothing is taken of it.'],

  // The venue's own state
  venue_not_ready: [503, 'The venue is starting or draining: try again.'],
  account_unavailable: [503, 'The keeper of this account is between owners: try again.'],
  history_unavailable: [503, 'What has happened cannot be read right now: try again.'],
  chain_diverged: [503, 'The chain does not continue what the venue remembers: it takes only cancels until its operator has looked.'],
  market_halted: [503, 'The market is halted: nothing changes until it opens again.'],
  market_cancel_only: [503, 'The market takes only cancels now.'],
  market_unavailable: [503, 'The market cannot take orders right now: try again.'],
  venue_overloaded: [503, 'The venue has as much work as it accepts: try again.'],
  outcome_unknown: [504, 'No answer came in time. Send the same message again: it can take effect only once.'],
  internal_error: [500, 'The venue failed at this request. It was recorded.'],
} as const satisfies Record<string, readonly [status: number, text: string]>

const retryableStatuses: ReadonlySet<number> = new Set([429, 503, 504])

export type ErrorCode = keyof typeof table

export const errorCodes = Object.keys(table) as ErrorCode[]
export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(table, text)
/** HTTP status of a refusal. */
export const statusOf = (code: ErrorCode): number => table[code][0]
/** Whether the same request, unchanged, may fare better later: what it was refused for lies with the venue. */
export const isRetryable = (code: ErrorCode): boolean => retryableStatuses.has(statusOf(code))
/** The sentence a person reads. */
export const textOf = (code: ErrorCode): string => table[code][1]

/** A refusal with its stable code. `detail` names the member or limit at fault, never what an order says. */
export class Refusal extends Error {
  readonly code: ErrorCode
  readonly detail: string | undefined

  constructor(code: ErrorCode, detail?: string) {
    super(detail === undefined ? `${code}: ${textOf(code)}` : `${code}: ${textOf(code)} (${detail})`)
    this.name = 'Refusal'
    this.code = code
    this.detail = detail
  }

  get status(): number {
    return statusOf(this.code)
  }
}
