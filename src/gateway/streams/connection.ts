import { randomBytes } from 'node:crypto'
import type { RawData, WebSocket } from 'ws'
import type { MarketName } from '../../protocol/identity.ts'
import { Refusal } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import type { Caller } from '../caller.ts'
import type { Allowance } from '../limits/allowance.ts'
import { problemOf } from '../problem.ts'
import type { Problem } from '../problem.ts'
import type { BalanceReader } from './balanceWatch.ts'
import type { StreamBounds } from './bounds.ts'
import { closings } from './closings.ts'
import type { Closing } from './closings.ts'
import type { FeedChannel } from './feedItem.ts'
import type { Login } from './logins.ts'
import type { MarketReader } from './marketWatch.ts'
import { requestValidators } from './messages.ts'
import type { Op, Requests } from './messages.ts'
import type { Receiver, Subscription } from './subscription.ts'

/** Messages in a row that are none, and requests in a row that are refused for their rate, after which the connection is closed. */
const NONSENSE = 16
const REFUSED_RATES = 256
/** A client that was told that the connection ends has so long to end it too. */
const CLOSE_MS = 5_000
const CHALLENGE_BYTES = 16
const asText = { binary: false }

/** A request as its schema let it through. */
export type Request = Requests[Op]

/** Does what requests ask for. */
export interface Operator {
  /** May refuse before anything is done. @throws Refusal */
  perform(connection: Connection, request: Request, asker: Asker): void
  gone(connection: Connection): void
}

/** One request's way back: exactly one of `answer` and `refuse` is called, once. */
export class Asker implements Caller {
  readonly requestId: string
  readonly #connection: Connection
  readonly #id: string | null
  #wait_s: number | undefined
  #answered = false

  constructor(connection: Connection, id: string | null, requestId: string) {
    this.#connection = connection
    this.#id = id
    this.requestId = requestId
  }

  get answered(): boolean {
    return this.#answered
  }

  counted({ refused, seconds }: Allowance): void {
    if (refused) this.#wait_s = seconds
  }

  answer(status: number, body: object): void {
    this.#answered = true
    this.#connection.respond({ type: 'answer', id: this.#id, status, body })
  }

  refuse(refusal: Refusal): void {
    this.answerProblem(problemOf(refusal, this.requestId))
  }

  answerProblem(problem: Problem): void {
    this.#answered = true
    const retryAfter_s = this.#wait_s ?? (problem.status === 503 ? 1 : undefined)
    this.#connection.respond({ type: 'answer', id: this.#id, status: problem.status, problem, ...(retryAfter_s !== undefined && { retryAfter_s }) })
  }
}

/** One WebSocket: reads requests, writes what is sent to it, and holds its client to what is documented. */
export class Connection implements Receiver, MarketReader, BalanceReader {
  readonly name: string
  readonly remoteAddress: string | undefined
  /** What a signed login has as its nonce: nobody else was greeted with it. */
  readonly challenge = randomBytes(CHALLENGE_BYTES).toString('base64url')
  readonly subscriptions = new Map<FeedChannel, Subscription>()
  readonly markets = new Map<MarketName, string>()
  readonly tapes = new Map<MarketName, Subscription>()
  login: Login | null = null
  /** A login that is on its way: what was asked behind it waits for it. Never rejects. */
  loggingIn: Promise<void> = Promise.resolve()
  /** Number of the last balances sent; null where they are not subscribed to. */
  balancesAt: number | null = null
  readonly #socket: WebSocket
  readonly #operator: Operator
  readonly #bounds: StreamBounds
  #requests = 0
  #inFlight = 0
  #nonsense = 0
  #refusedRates = 0
  #heard_ms = performance.now()
  #asked_ms = performance.now()
  #beat_ms: number
  #ended = false

  constructor(socket: WebSocket, remoteAddress: string | undefined, name: string, operator: Operator, bounds: StreamBounds) {
    this.#socket = socket
    this.remoteAddress = remoteAddress
    this.name = name
    this.#operator = operator
    this.#bounds = bounds
    this.#beat_ms = performance.now() + bounds.heartbeat_ms
    const alive = (): void => void (this.#heard_ms = performance.now())
    socket.on('message', (data, binary) => this.#receive(data, binary))
    socket.on('ping', alive)
    socket.on('pong', alive)
    // The library closes with the code for it; there is nothing else to do, and nothing to tell anybody.
    socket.on('error', () => (this.#ended = true))
    socket.once('close', () => {
      this.#ended = true
      operator.gone(this)
    })
    this.respond({ type: 'hello', time: new Date().toISOString(), challenge: this.challenge, heartbeat_s: bounds.heartbeat_ms / 1_000 })
  }

  get open(): boolean {
    return !this.#ended
  }

  get told(): number {
    return this.balancesAt ?? Infinity
  }

  /** BalanceReader, MarketReader. */
  tell(frame: string): void
  tell(fed: number, frame: (prev: number) => Buffer): void
  tell(first: string | number, frame?: (prev: number) => Buffer): void {
    if (typeof first === 'string') return this.send(first)
    if (this.balancesAt === null) return
    const prev = this.balancesAt
    this.balancesAt = first
    this.send(frame!(prev))
  }

  respond(message: object): void {
    this.send(JSON.stringify(message))
  }

  send(frame: Buffer | string): void {
    if (this.#ended) return
    if (this.#socket.bufferedAmount > this.#bounds.bufferedBytes) return this.end('slow_reader')
    this.#socket.send(frame, asText)
  }

  flushed(): Promise<void> {
    if (this.#ended || this.#socket.bufferedAmount === 0) return Promise.resolve()
    // Control frames leave behind everything before them.
    return new Promise((resolve) => this.#socket.ping('', false, () => resolve()))
  }

  lost(): void {
    this.end('feed_unavailable')
  }

  end(closing: Closing): void {
    if (this.#ended) return
    this.#ended = true
    this.#socket.close(closings[closing], closing)
    setTimeout(() => this.#socket.terminate(), CLOSE_MS).unref()
  }

  /** Ends what has to end, and shows that this side is alive. */
  tick(): void {
    if (this.#ended) return
    const now = performance.now()
    if (now - this.#heard_ms > this.#bounds.silent_ms) {
      this.end('silent')
      return this.#socket.terminate()
    }
    if (this.login !== null && Date.now() >= this.login.until_ms) return this.end('session_ended')
    const idle = this.login === null && this.markets.size === 0 && this.tapes.size === 0 && this.#inFlight === 0
    if (idle && now - this.#asked_ms > this.#bounds.idle_ms) return this.end('idle')
    if (now < this.#beat_ms) return
    this.#beat_ms = now + this.#bounds.heartbeat_ms
    this.respond({ type: 'heartbeat', time: new Date().toISOString(), channels: this.#standing() })
    if (!this.#ended) this.#socket.ping()
  }

  #standing(): Record<string, { last: number; through: number }> {
    const standing: Record<string, { last: number; through: number }> = {}
    for (const [channel, subscription] of this.subscriptions) standing[channel] = { last: subscription.channels.get(channel)!, through: subscription.position }
    if (this.balancesAt !== null) standing.balances = { last: this.balancesAt, through: this.balancesAt }
    return standing
  }

  #receive(data: RawData, binary: boolean): void {
    this.#heard_ms = performance.now()
    if (this.#ended) return
    if (binary) return this.end('text_only')
    this.#asked_ms = this.#heard_ms
    const requestId = `${this.name}-${(++this.#requests).toString(36)}`
    const read = readRequest(data as Buffer)
    const asker = new Asker(this, read.id, requestId)
    try {
      if (this.#inFlight >= limits.streamInFlight) throw new Refusal('venue_overloaded')
      if (read.request instanceof Refusal) throw read.request
      this.#operator.perform(this, read.request, asker)
      this.#nonsense = 0
      this.#refusedRates = 0
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      asker.refuse(error)
      this.#nonsense = read.request instanceof Refusal ? this.#nonsense + 1 : 0
      this.#refusedRates = error.code === 'rate_exceeded' ? this.#refusedRates + 1 : 0
      if (this.#nonsense >= NONSENSE) this.end('nonsense')
      if (this.#refusedRates >= REFUSED_RATES) this.end('rate_exceeded')
    }
  }

  /** A request is on its way through the venue, until the function it gives back is called. */
  busy(): () => void {
    this.#inFlight++
    return () => void this.#inFlight--
  }
}

const readable = /^[\x20-\x7e]{1,64}$/

/** A text frame as a request, or why it is none; with the id, where one could be read. */
function readRequest(data: Buffer): { readonly id: string | null; readonly request: Request | Refusal } {
  let value: unknown
  try {
    value = JSON.parse(data.toString())
  } catch {
    return { id: null, request: new Refusal('request_malformed') }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { id: null, request: new Refusal('request_malformed') }
  const { id: named, op } = value as { id?: unknown; op?: unknown }
  const id = typeof named === 'string' && readable.test(named) ? named : null
  if (id === null) return { id, request: new Refusal('request_malformed', 'id') }
  const validator = typeof op === 'string' && Object.hasOwn(requestValidators, op) ? requestValidators[op] : undefined
  if (validator === undefined) return { id, request: new Refusal('request_malformed', 'op') }
  if (op !== 'placeBatch' && op !== 'cancelBatch' && data.length > limits.requestBytes) return { id, request: new Refusal('request_too_large') }
  return { id, request: validator.Check(value) ? (value as Request) : new Refusal('request_malformed') }
}
