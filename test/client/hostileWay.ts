import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

/** What happens to one request on the way. */
export type Mischief =
  /** Nothing. */
  | 'pass'
  /** The connection ends and the request went nowhere. */
  | 'cutBefore'
  /** The gateway has it, and the connection ends before its answer. */
  | 'cutAfter'
  /** The connection ends, and the request arrives later all the same: when `release` is called. */
  | 'hold'
  /** The gateway has it, and half of the answer comes back. */
  | 'half'
  /** The gateway has it, and something else answers for it. */
  | 'garbage'
  /** Something before the gateway says that it is away, and the request went nowhere. */
  | 'away'

/** Stands between a client and its gateway, and does to each request what it is told: in turn, then nothing more. */
export class HostileWay {
  readonly url: string
  /** What is done to the requests to come that carry something; reads pass. */
  readonly plan: Mischief[] = []
  /** Bodies of such requests as they came from the client. */
  readonly seen: string[] = []
  connections = 0
  readonly #to: string
  readonly #held: (() => Promise<void>)[] = []
  readonly #close: () => Promise<void>

  private constructor(url: string, to: string, close: () => Promise<void>) {
    this.url = url
    this.#to = to
    this.#close = close
  }

  static async open(to: string): Promise<HostileWay> {
    const server = createServer((request, response) => void way.#handle(request, response))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const way: HostileWay = new HostileWay(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, to, async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    })
    server.on('connection', () => way.connections++)
    return way
  }

  /** Lets what is held arrive. */
  async release(): Promise<void> {
    for (const deliver of this.#held.splice(0)) await deliver()
  }

  close(): Promise<void> {
    return this.#close()
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request)
    const method = request.method ?? 'GET'
    const forward = (): Promise<Response> => {
      const headers: Record<string, string> = {}
      for (const name of ['content-type', 'authorization']) if (typeof request.headers[name] === 'string') headers[name] = request.headers[name]
      return fetch(new URL(request.url ?? '/', this.#to), { method, headers, ...(body === '' ? {} : { body }) })
    }
    if (body !== '') this.seen.push(body)
    const mischief = body === '' ? 'pass' : (this.plan.shift() ?? 'pass')
    if (mischief === 'cutBefore') return void request.socket.destroy()
    if (mischief === 'hold') {
      this.#held.push(async () => void (await (await forward()).text()))
      return void request.socket.destroy()
    }
    if (mischief === 'away') return void response.writeHead(503, { 'content-type': 'text/html', 'retry-after': '0' }).end('<html>back soon</html>')
    const answer = await forward()
    const text = await answer.text()
    if (mischief === 'cutAfter') return void request.socket.destroy()
    if (mischief === 'garbage') return void response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"' + '00'.repeat(32) + '","status":"open","results":[null]}')
    const headers: Record<string, string> = { 'content-type': answer.headers.get('content-type') ?? 'text/plain' }
    const pause = answer.headers.get('retry-after')
    if (pause !== null) headers['retry-after'] = pause
    if (mischief === 'half') {
      response.writeHead(answer.status, { ...headers, 'content-length': String(Buffer.byteLength(text)) })
      return void response.write(text.slice(0, text.length / 2), () => request.socket.destroy())
    }
    response.writeHead(answer.status, headers).end(text)
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += (chunk as Buffer).toString()
  return text
}
