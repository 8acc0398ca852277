import { createHash, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { createServer as createPlain } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { ServerIdentity } from './certificate.ts'

/** What a quote of this test's platform binds: the look's nonce and the TLS key of the server that shows it. */
export const bound = (nonce: string, tlsKey: Uint8Array | null): Buffer => createHash('sha256').update(`test platform\n${nonce}\n`).update(tlsKey ?? new Uint8Array()).digest()

export interface FrontOptions {
  /** Without it the front speaks plain HTTP. */
  readonly identity?: ServerIdentity
  /** The platform's own key: signs quotes. Without it the front has no evidence. */
  readonly platform?: KeyObject
  readonly port?: number
}

/** Stands before a gateway as the end of TLS in an enclave does, and shows evidence: a quote that a platform has signed. */
export class EnclaveFront {
  readonly url: string
  readonly port: number
  /** What it was asked, evidence included. */
  readonly asked: string[] = []
  connections = 0
  /** Answers with this instead of evidence. */
  instead: { readonly status: number; readonly text: string } | null = null
  /** The identity that its quotes name. */
  quoted: Uint8Array | null
  readonly #server: Server
  readonly #to: string
  readonly #platform: KeyObject | undefined

  private constructor(server: Server, to: string, { identity, platform }: FrontOptions) {
    this.#server = server
    this.#to = to
    this.#platform = platform
    this.quoted = identity?.publicKey ?? null
    this.port = (server.address() as AddressInfo).port
    this.url = `${identity === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`
  }

  static async open(to: string, options: FrontOptions): Promise<EnclaveFront> {
    const listener: RequestListener = (request, response) => void front.#handle(request, response)
    const server = options.identity === undefined ? createPlain(listener) : createServer({ key: options.identity.key, cert: options.identity.cert }, listener)
    server.listen(options.port ?? 0, '127.0.0.1')
    await once(server, 'listening')
    const front: EnclaveFront = new EnclaveFront(server, to, options)
    server.on(options.identity === undefined ? 'connection' : 'secureConnection', () => front.connections++)
    return front
  }

  cut(): void {
    this.#server.closeAllConnections()
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.#to)
    this.asked.push(`${request.method} ${url.pathname}`)
    if (url.pathname === '/api/v1/attestation' && this.#platform !== undefined) {
      const quote = sign(null, bound(url.searchParams.get('nonce') ?? '', this.quoted), this.#platform).toString('base64')
      const { status, text } = this.instead ?? { status: 200, text: JSON.stringify({ quote }) }
      return void response.writeHead(status, { 'content-type': 'application/json' }).end(text)
    }
    let body = ''
    for await (const chunk of request) body += (chunk as Buffer).toString()
    const headers: Record<string, string> = {}
    for (const name of ['content-type', 'authorization']) if (typeof request.headers[name] === 'string') headers[name] = request.headers[name]
    const answer = await fetch(url, { method: request.method ?? 'GET', headers, ...(body === '' ? {} : { body }) })
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' }).end(await answer.text())
  }
}
