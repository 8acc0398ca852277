import { Agent as HttpAgent, request as askOver } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import type { RequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import { once } from 'node:events'
import { connect } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { NeverSent } from './errors.ts'
import { AnswerText, connectionError } from './transport.ts'
import type { Guard, Incoming, Outgoing, Transport } from './transport.ts'

/** How certificates are checked besides: `ca`, `rejectUnauthorized`, … of node:tls. */
export type TlsOptions = Pick<ConnectionOptions, 'ca' | 'rejectUnauthorized' | 'checkServerIdentity' | 'minVersion' | 'servername'>

const GUARD_MS = 10_000
/** Connections that are kept for the next requests, and those that there are at most. */
const KEPT = 8
const CONNECTIONS = 64

/** Carries requests by HTTPS in Node, where each connection shows the TLS key at its other end: with `verify`, every one is looked at by itself before anything else goes over it. */
export class TlsTransport implements Transport {
  readonly #options: TlsOptions
  readonly #agent: Agent

  constructor(options: TlsOptions = {}, guard?: Guard) {
    this.#options = options
    // A session that is resumed would show no certificate.
    const kept = { ...options, keepAlive: true, maxSockets: CONNECTIONS, maxFreeSockets: KEPT, maxCachedSessions: 0 }
    this.#agent = guard === undefined ? new Agent(kept) : new GuardedAgent(kept, guard)
  }

  guarded(guard: Guard): TlsTransport {
    return new TlsTransport(this.#options, guard)
  }

  carry({ method, url, headers, body, signal }: Outgoing): Promise<Incoming> {
    return new Promise((resolve, reject) => {
      if (url.protocol !== 'https:') return reject(new NeverSent(new Error('TlsTransport carries nothing but https'), { passing: false }))
      let given = false
      const asked = request(url, { method, headers, agent: this.#agent, signal }, (response) => void read(response).then(resolve, (error: unknown) => reject(failure(error, given))))
      // A connection is handed out when it stands and has passed the guard.
      asked.once('socket', () => (given = true))
      asked.once('error', (error) => reject(failure(error, given)))
      asked.end(body)
    })
  }

  /** Ends the connections that are kept. */
  close(): void {
    this.#agent.destroy()
  }
}

class GuardedAgent extends Agent {
  readonly #guard: Guard

  constructor(options: ConstructorParameters<typeof Agent>[0], guard: Guard) {
    super(options)
    this.#guard = guard
  }

  override createConnection(options: RequestOptions, created: (error: Error | null, socket: Duplex) => void = () => undefined): undefined {
    const socket = connect(options as ConnectionOptions)
    const failed = (error: Error): void => created(error, socket)
    socket.once('error', failed)
    socket.once('secureConnect', () => {
      this.#pass(socket, options as ConnectionOptions).then(
        () => {
          socket.off('error', failed)
          created(null, socket)
        },
        (error: Error) => {
          created(error, socket)
          socket.destroy()
        },
      )
    })
  }

  async #pass(socket: TLSSocket, { host, servername, port }: ConnectionOptions): Promise<void> {
    const tlsKey = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' })
    if (tlsKey === undefined) throw new NeverSent(new Error('the connection shows no certificate'), { passing: false })
    // An address has no server name.
    const name = servername || (host?.includes(':') ? `[${host}]` : host)
    await this.#guard((path) => askOn(socket, path, `${name}:${port}`), Uint8Array.from(tlsKey))
  }
}

/** One request over one connection, which is free for others afterwards. @throws NeverSent: what waits for the answer was not sent */
async function askOn(socket: TLSSocket, path: string, host: string): Promise<Incoming> {
  const agent = new HttpAgent({ keepAlive: true })
  agent.createConnection = () => socket
  const asked = askOver({ path, headers: { host }, agent, signal: AbortSignal.timeout(GUARD_MS) })
  // From here on the connection is not this agent's to keep or to end.
  asked.once('socket', () => socket.emit('agentRemove'))
  const freed = once(socket, 'free', { signal: AbortSignal.timeout(GUARD_MS) })
  freed.catch(() => undefined)
  try {
    const incoming = await read(await answerTo(asked))
    if (socket.destroyed) throw new Error('the connection was lost')
    await freed
    return incoming
  } catch (error) {
    throw new NeverSent(error)
  }
}

function answerTo(asked: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asked.once('response', resolve)
    asked.once('error', reject)
    asked.end()
  })
}

async function read(response: IncomingMessage): Promise<Incoming> {
  const answer = new AnswerText()
  for await (const piece of response as AsyncIterable<Uint8Array>) answer.add(piece)
  return { status: response.statusCode ?? 0, text: answer.end(), retryAfter: response.headers['retry-after'] ?? null }
}

/** @param given whether the request had a connection to go over */
function failure(error: unknown, given: boolean): Error {
  if (error instanceof NeverSent) return error
  const known = connectionError(error, codeOf(error))
  return given || known instanceof NeverSent ? known : new NeverSent(error)
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}
