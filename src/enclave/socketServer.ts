import { once } from 'node:events'
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { dirname } from 'node:path'

/** What a unix socket's name may have at most, in Linux. */
const LONGEST_PATH = 107
const REQUEST_BYTES = 64 * 1024
const CONNECTIONS = 64
const REQUEST_MS = 10_000

export interface SocketAnswer {
  readonly status: number
  readonly json: object
}

/** Answers a request to a path. What it throws goes to `failed`, and the caller hears only that it failed. */
export type SocketHandler = (path: string, body: unknown) => Promise<SocketAnswer>

/**
 * JSON over HTTP on a unix socket that only its owner may open: one request, one answer and the connection ends, so that a caller who counts characters where
 * the answer counts bytes is not left waiting.
 */
export class SocketServer {
  readonly path: string
  readonly #server: Server

  private constructor(path: string, server: Server) {
    this.path = path
    this.#server = server
  }

  /** @throws Error with one clear sentence, also where another process answers there */
  static async open(path: string, handle: SocketHandler, failed: (error: unknown) => void): Promise<SocketServer> {
    if (Buffer.byteLength(path) > LONGEST_PATH) throw new Error(`${path} is too long for the name of a socket: it may have ${LONGEST_PATH} bytes`)
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    if (await answers(path)) throw new Error(`another process answers at ${path}`)
    // What a process that was killed has left.
    rmSync(path, { force: true })
    const server = createServer({ requestTimeout: REQUEST_MS, keepAlive: false }, (request, response) => void answer(request, response, handle, failed))
    server.maxConnections = CONNECTIONS
    server.listen(path)
    await once(server, 'listening')
    chmodSync(path, 0o600)
    return new SocketServer(path, server)
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, handle: SocketHandler, failed: (error: unknown) => void): Promise<void> {
  const send = ({ status, json }: SocketAnswer): void => {
    const text = JSON.stringify(json)
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), connection: 'close' }).end(text)
  }
  try {
    const body = await bodyOf(request)
    send(body === undefined ? { status: 400, json: { error: 'the request is not JSON of a bounded size' } } : await handle(new URL(request.url ?? '/', 'http://localhost').pathname, body))
  } catch (error) {
    failed(error)
    if (!response.headersSent) send({ status: 500, json: { error: 'the request failed' } })
  }
}

/** undefined where it is none that is read. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    if ((bytes += piece.length) > REQUEST_BYTES) return undefined
    pieces.push(piece)
  }
  if (bytes === 0) return {}
  try {
    return JSON.parse(Buffer.concat(pieces).toString()) as unknown
  } catch {
    // Said to whoever sent it.
    return undefined
  }
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    // Nobody listens: that is what was asked.
    return false
  } finally {
    socket.destroy()
  }
}
