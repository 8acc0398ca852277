import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocketServer } from 'ws'
import { Refusal } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import type { Gateway } from '../gateway.ts'
import { failure } from '../log.ts'
import { endWithProblem } from '../rawProblem.ts'
import { AccountFeeds } from './accountFeeds.ts'
import type { StreamBounds } from './bounds.ts'
import { Connection } from './connection.ts'
import { Logins } from './logins.ts'
import type { ReadToken } from './logins.ts'
import { MarketWatch } from './marketWatch.ts'
import { Operations } from './operations.ts'
import { STREAM_PATH } from './path.ts'
import { Presences } from './presences.ts'
import { TapeFeeds } from './tapeFeeds.ts'

/** A delegated key that was revoked reads no longer than this. */
const KEY_CHECK_MS = 2_000
const FEED_CHECK_MS = 5_000
const PRESENCE_TICK_MS = 1_000
const CLOSE_MS = 5_000
/** Pongs to a client's pings that may wait. */
const PONGS = 16
const CHUNKS = 4_096

/** Whether a request asks for a stream: anything else is answered as if it did not ask to be upgraded (RFC 9110, 7.8). */
export const asksForStream = ({ method, url }: IncomingMessage): boolean => method === 'GET' && url === STREAM_PATH

/** The gateway's streams: WebSocket connections, and what they share. */
export class Streams {
  readonly #gateway: Gateway
  readonly #server: WebSocketServer
  readonly #bounds: StreamBounds
  readonly #connections = new Set<Connection>()
  readonly #logins: Logins
  readonly #feeds: AccountFeeds
  readonly #markets: MarketWatch
  readonly #tapes: TapeFeeds
  readonly #operations: Operations
  readonly #timers: readonly NodeJS.Timeout[]
  #opened = 0
  #checking = false

  constructor(gateway: Gateway, readToken: ReadToken) {
    const { connection, feeds: replay, log, venue } = gateway
    this.#gateway = gateway
    this.#bounds = gateway.streamBounds
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // Compressing what is signed or private beside what an attacker chooses tells about it (CRIME), and costs memory for each connection.
      perMessageDeflate: false,
      maxPayload: limits.streamFrameBytes,
      maxFragments: limits.streamFragments,
      maxBufferedChunks: CHUNKS,
      maxPendingAutoPongs: PONGS,
      closeTimeout: CLOSE_MS,
    } as ConstructorParameters<typeof WebSocketServer>[0])
    this.#server.on('wsClientError', (_error, socket) => endWithProblem(socket, new Refusal('request_malformed')))
    this.#logins = new Logins(gateway, readToken)
    this.#feeds = new AccountFeeds(connection, venue, replay, (account, wanted) => gateway.read({ kind: 'standing', account, ...wanted }), gateway.readFeed, log)
    this.#markets = new MarketWatch(venue.markets, (market) => gateway.marketState(market))
    this.#tapes = new TapeFeeds(connection, venue.subjects, gateway.prints, log)
    const presences = new Presences(gateway.vaults)
    this.#operations = new Operations({ gateway, logins: this.#logins, feeds: this.#feeds, replay, markets: this.#markets, tapes: this.#tapes, presences, perAccount: this.#bounds.perAccount })
    const every = (ms: number, work: () => void): NodeJS.Timeout => setInterval(work, ms).unref()
    this.#timers = [
      every(Math.min(1_000, this.#bounds.heartbeat_ms), () => {
        for (const one of this.#connections) one.tick()
      }),
      every(FEED_CHECK_MS, () => {
        this.#feeds.tick()
        this.#tapes.tick()
      }),
      every(PRESENCE_TICK_MS, () => presences.tick()),
      every(KEY_CHECK_MS, () => void this.#checkKeys()),
    ]
  }

  get size(): number {
    return this.#connections.size
  }

  /** Accounts whose feeds are followed. */
  get followed(): number {
    return this.#feeds.size
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { admission, log, name, rates } = this.#gateway
    const { remoteAddress } = socket as Socket
    // Until the library listens for them: a socket that fails unheard ends the process.
    const ignore = (): void => undefined
    socket.on('error', ignore)
    try {
      const caller = { requestId: name, counted: () => undefined }
      rates.fromAddress('requests', { remoteAddress }, caller)
      admission.check(false)
    } catch (error) {
      if (!(error instanceof Refusal)) log.error({ at: 'streams#upgrade', ...failure(error) }, 'a stream could not be opened')
      return endWithProblem(socket, error instanceof Refusal ? error : new Refusal('internal_error'))
    }
    this.#server.handleUpgrade(request, socket, head, (opened) => {
      socket.off('error', ignore)
      const connection = new Connection(opened, remoteAddress, `${name}-s${(++this.#opened).toString(36)}`, this.#operations, this.#bounds)
      this.#connections.add(connection)
      opened.once('close', () => this.#connections.delete(connection))
    })
  }

  /** Tells everybody to connect again, and waits a moment for them to go. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    for (const connection of this.#connections) connection.end('venue_draining')
    for (const end = Date.now() + CLOSE_MS; this.#connections.size > 0 && Date.now() < end; ) await delay(10)
    this.#markets.close()
    this.#feeds.close()
    this.#tapes.close()
    this.#server.close()
  }

  /** Ends the sessions of keys that may no longer. One question for all connections of a key. */
  async #checkKeys(): Promise<void> {
    if (this.#checking) return
    this.#checking = true
    const byKey = new Map<string, Connection[]>()
    for (const connection of this.#connections) {
      const { login } = connection
      if (login === null || login.key === login.account) continue
      const name = `${login.account} ${login.key}`
      byKey.set(name, [...(byKey.get(name) ?? []), connection])
    }
    await Promise.all([...byKey.values()].map(async (connections) => {
      try {
        if (!(await this.#logins.stands(connections[0]!.login!))) for (const connection of connections) connection.end('session_ended')
      } catch (error) {
        this.#gateway.log.error({ at: 'streams#checkKeys', ...failure(error) }, 'a key could not be checked')
      }
    }))
    this.#checking = false
  }
}
