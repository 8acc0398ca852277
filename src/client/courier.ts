import { isRetryable } from '../protocol/errors.ts'
import type { ErrorCode } from '../protocol/errors.ts'
import type { BatchItem, BatchResult } from './batch.ts'
import { NeverSent, NotPermitted, NotVerified, OutcomeUnknown, Refused } from './errors.ts'
import { exchange } from './exchange.ts'
import type { Request } from './exchange.ts'
import type { SignedRequest } from './messages.ts'
import { Patience } from './patience.ts'
import type { CallOptions } from './patience.ts'
import { problemError } from './problem.ts'
import type { Transport } from './transport.ts'
import { evidenceOf, verifiedBy } from './verifiedTransport.ts'
import type { Look, Verify } from './verifiedTransport.ts'

/** What ends an attempt at asking a gateway. */
export type Failure = NeverSent | Refused | OutcomeUnknown

/** An operator has closed the market: it does not open again in a moment, and an order that waited for it would come at a price of another time. */
const lasting: ReadonlySet<ErrorCode> = new Set(['market_halted', 'market_cancel_only'])

/**
 * Refusals that every copy of a message gets, whenever it arrives: for what it says, or for what will not change any more. After any other, a copy that was sent
 * before may have taken effect already, or may still.
 */
const final: ReadonlySet<ErrorCode> = new Set([
  'request_malformed', 'message_malformed', 'decimal_malformed', 'order_mismatch', 'key_mismatch', 'request_too_large', 'media_type_unsupported', 'route_unknown', 'method_not_allowed',
  'signature_invalid', 'network_mismatch', 'vault_mismatch', 'market_unknown', 'asset_unknown', 'asset_mismatch', 'action_unsupported',
  'price_off_tick', 'price_out_of_range', 'quantity_off_lot', 'quantity_out_of_range', 'order_value_exceeded', 'terms_conflict', 'minimum_out_of_range',
  'message_reused', 'order_not_open', 'amend_too_late',
])

/** A signed message on its way, and how its answer is told from others. */
export interface Delivery<View> {
  readonly signed: SignedRequest
  /** Whether an answer is about what was sent. */
  readonly own: (answer: Readonly<Record<string, unknown>>) => boolean
  /** How long sending it can be of use: until it expires. */
  readonly useful_ms: number
  /** Where a copy sent earlier may have done it: reads that from what a later one was refused for. */
  readonly done?: (refused: Refused) => View | undefined
}

/** Takes requests to one gateway until they are answered, for as long as that is safe and the caller has patience. */
export class Courier {
  readonly url: string
  readonly #transport: Transport
  readonly #defaults: CallOptions
  readonly #verify: Verify | undefined

  constructor(url: string, transport: Transport, defaults: CallOptions, verify?: Verify) {
    this.url = url
    this.#transport = verify === undefined ? transport : verifiedBy(verify, transport, url)
    this.#defaults = defaults
    this.#verify = verify
  }

  /** What the gateway shows of its enclave now, whatever it is worth. */
  evidence(): Promise<Look> {
    return evidenceOf(this.#transport, this.url)
  }

  /** To the same gateway another way, with the same verification. */
  over(transport: Transport): Courier {
    return new Courier(this.url, transport, this.#defaults, this.#verify)
  }

  /** What changes nothing, or nothing more however often it is asked. @throws NeverSent, Refused, OutcomeUnknown */
  ask<Answer>(request: Request, options: CallOptions = {}): Promise<Answer> {
    return this.repeat((signal) => exchange<Answer>(this.#transport, this.url, request, signal), options)
  }

  /** Makes attempts until one is answered. @throws NeverSent, Refused, OutcomeUnknown */
  async repeat<Answer>(attempt: (signal: AbortSignal) => Promise<Answer>, options: CallOptions = {}): Promise<Answer> {
    const patience = this.#patience(options)
    if (patience.over !== undefined) throw new NeverSent(patience.over)
    for (let unknown = false; ; ) {
      try {
        return await patience.attempt(attempt)
      } catch (error) {
        const failure = failureOf(error)
        unknown ||= failure instanceof OutcomeUnknown
        if (!mayPass(failure) || !(await patience.again(pauseAsked(failure)))) throw failure instanceof NeverSent && unknown ? new OutcomeUnknown(failure) : failure
      }
    }
  }

  /**
   * A signed message: the same bytes, until an answer says what came of them.
   * @throws NeverSent, Refused: nothing happened; OutcomeUnknown where a copy may have arrived and nothing says what came of it
   */
  async deliver<View extends object>(request: Omit<Request, 'body'>, delivery: Delivery<View>, options: CallOptions = {}): Promise<View> {
    const { signed, useful_ms } = delivery
    const patience = this.#patience(options, useful_ms)
    if (patience.over !== undefined) throw new NeverSent(patience.over, { request: signed })
    for (let unknown = false; ; ) {
      try {
        return owned(await patience.attempt((signal) => exchange<View>(this.#transport, this.url, { ...request, body: signed }, signal)), delivery)
      } catch (error) {
        const failure = failureOf(error)
        const done = doneBefore(failure, unknown, delivery)
        if (done !== undefined) return done
        unknown ||= failure instanceof OutcomeUnknown
        if (!mayPass(failure) || !(await patience.again(pauseAsked(failure)))) throw concluded(failure, unknown, signed)
      }
    }
  }

  /** Signed messages sent together, each to its end as if it were sent alone. Never throws for what became of them: every one has its result. */
  async deliverAll<View extends object>(request: Omit<Request, 'body'>, deliveries: readonly Delivery<View>[], options: CallOptions = {}): Promise<readonly BatchResult<View>[]> {
    const results = new Array<BatchResult<View>>(deliveries.length)
    const unknown = new Array<boolean>(deliveries.length).fill(false)
    const failures = new Array<Failure>(deliveries.length)
    const patience = this.#patience(options, Math.max(...deliveries.map((delivery) => delivery.useful_ms)))
    const fail = (n: number, failure: Failure): void => {
      const order = doneBefore(failure, unknown[n]!, deliveries[n]!)
      if (order !== undefined) results[n] = { order }
      unknown[n] ||= failure instanceof OutcomeUnknown
      failures[n] = failure
    }
    const conclude = (n: number): void => void (results[n] = { error: concluded(failures[n]!, unknown[n]!, deliveries[n]!.signed) })
    let open = [...deliveries.keys()]
    if (patience.over !== undefined) for (const n of open.splice(0)) results[n] = { error: new NeverSent(patience.over, { request: deliveries[n]!.signed }) }
    while (open.length > 0) {
      let asked_ms: number | undefined
      try {
        const messages = open.map((n) => deliveries[n]!.signed)
        const { results: items } = await patience.attempt((signal) => exchange<{ results: readonly BatchItem<View>[] }>(this.#transport, this.url, { ...request, body: { messages } }, signal))
        if (!listed(items) || items.length !== open.length) throw new OutcomeUnknown(new Error('an answer for other messages than were sent'))
        for (const [at, n] of open.entries()) {
          try {
            results[n] = { order: owned(viewOf(items[at]), deliveries[n]!) }
          } catch (error) {
            fail(n, failureOf(error))
          }
        }
      } catch (error) {
        const failure = failureOf(error)
        asked_ms = pauseAsked(failure)
        for (const n of open) fail(n, failure)
      }
      open = open.filter((n) => results[n] === undefined)
      for (const n of open) if (!mayPass(failures[n]!)) conclude(n)
      open = open.filter((n) => results[n] === undefined)
      if (open.length > 0 && !(await patience.again(asked_ms))) for (const n of open.splice(0)) conclude(n)
    }
    return results
  }

  #patience(options: CallOptions, useful_ms?: number): Patience {
    const own = this.#defaults.signal
    const signal = own !== undefined && options.signal !== undefined ? AbortSignal.any([own, options.signal]) : (options.signal ?? own)
    return new Patience({ ...this.#defaults, ...options, ...(signal === undefined ? {} : { signal }) }, useful_ms)
  }
}

const listed = <Item>(items: readonly Item[]): boolean => Array.isArray(items)

/** An answer about something else than what was sent says nothing about it. */
function owned<View extends object>(view: View, { own }: Delivery<View>): View {
  if (typeof view !== 'object' || view === null || !own(view as Readonly<Record<string, unknown>>)) throw new OutcomeUnknown(new Error('an answer for another message than was sent'))
  return view
}

function viewOf<View>(item: BatchItem<View> | null | undefined): View {
  if (item?.order !== undefined) return item.order
  throw problemError(item?.problem ?? {})
}

function doneBefore<View>(failure: Failure, unknown: boolean, { done }: Delivery<View>): View | undefined {
  return unknown && failure instanceof Refused ? done?.(failure) : undefined
}

function failureOf(error: unknown): Failure {
  if (error instanceof NeverSent || error instanceof Refused || error instanceof OutcomeUnknown) return error
  throw error
}

/** Whether the same request may fare better in a moment. */
function mayPass(failure: Failure): boolean {
  if (failure instanceof Refused) return isRetryable(failure.code) && !lasting.has(failure.code)
  return failure instanceof OutcomeUnknown || failure.passing
}

const pauseAsked = (failure: Failure): number | undefined => (failure instanceof NeverSent ? undefined : failure.retryAfter_ms)

/** What is known of a message after its last attempt. @param unknown whether any copy of it may have reached the venue */
function concluded(failure: Failure, unknown: boolean, request: SignedRequest): Failure {
  if (failure instanceof Refused && (!unknown || final.has(failure.code))) return failure
  if (failure instanceof NotVerified && !unknown) return new NotVerified(failure.cause, { request })
  if (failure instanceof NotPermitted && !unknown) return new NotPermitted(failure.cause, { request })
  if (failure instanceof NeverSent && !unknown) return new NeverSent(failure.cause, { request, passing: failure.passing })
  return new OutcomeUnknown(failure instanceof OutcomeUnknown ? failure.cause : failure, { request })
}
