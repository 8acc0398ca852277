import { once } from 'node:events'
import { Compile } from 'typebox/compile'
import type { TSchema } from 'typebox'
import { WebSocket } from 'ws'
import type { ClientOptions } from 'ws'
import { sentSchemas } from '../../../src/gateway/streams/messages.ts'
import { until } from '../../settlement/waiting.ts'

export interface Sent {
  readonly type: 'hello' | 'answer' | 'snapshot' | 'update' | 'heartbeat'
  readonly id?: string | null
  readonly status?: number
  readonly body?: Record<string, unknown>
  readonly problem?: { readonly code: string; readonly detail?: string; readonly requestId: string }
  readonly retryAfter_s?: number
  readonly channel?: string
  readonly seq?: number
  readonly prev?: number
  readonly part?: number
  readonly parts?: number
  readonly data?: unknown
  readonly challenge?: string
  readonly channels?: Record<string, { last: number; through: number }>
}

const validators = Object.values(sentSchemas).map((schema) => Compile(schema as TSchema))

/** A program at the other end of a stream. Everything that it is sent has a form that is documented, or `undocumented` says so. */
export class StreamClient {
  readonly socket: WebSocket
  readonly sent: Sent[] = []
  readonly undocumented: string[] = []
  closed: { code: number; reason: string } | null = null
  #requests = 0

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('error', () => undefined)
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Sent
      if (!validators.some((validator) => validator.Check(message))) this.undocumented.push(data.toString())
      this.sent.push(message)
    })
    socket.once('close', (code, reason) => (this.closed = { code, reason: reason.toString() }))
  }

  static async open(url: string, options: ClientOptions = {}): Promise<StreamClient> {
    const client = new StreamClient(new WebSocket(`${url.replace('http', 'ws')}/api/v1/stream`, options))
    await once(client.socket, 'open')
    await client.until('a greeting', ({ type }) => type === 'hello')
    return client
  }

  get challenge(): string {
    return this.sent[0]!.challenge!
  }

  /** The first message that fits, as soon as it is there. */
  async until(what: string, fits: (message: Sent) => boolean): Promise<Sent> {
    let found: Sent | undefined
    await until(what, () => (found = this.sent.find(fits)) !== undefined || this.closed !== null)
    found ??= this.sent.find(fits)
    if (found === undefined) throw new Error(`closed with ${this.closed?.code} ${this.closed?.reason} before ${what}`)
    return found
  }

  async ask(op: string, members: object = {}): Promise<Sent> {
    const id = `r${++this.#requests}`
    this.socket.send(JSON.stringify({ id, op, ...members }))
    return this.until(`an answer to ${op}`, (message) => message.type === 'answer' && message.id === id)
  }

  updates(channel: string): Sent[] {
    return this.sent.filter((message) => message.type === 'update' && message.channel === channel)
  }

  async ended(): Promise<{ code: number; reason: string }> {
    await until('the connection ends', () => this.closed !== null)
    return this.closed!
  }

  close(): void {
    this.socket.terminate()
  }
}
