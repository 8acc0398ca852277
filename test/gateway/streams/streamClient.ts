import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from 'ws'
import type { ClientOptions } from 'ws'
import { until } from '../../settlement/waiting.ts'
import { MessageRecorder } from '../messageRecorder.ts'

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

/** By gateway: all its streams are held against one document. */
const recorders = new Map<string, Promise<MessageRecorder>>()
let opened = 0

/** A program at the other end of a stream. Everything that it is sent, and everything that it asks with success, is as the gateway documents it, or the test fails. */
export class StreamClient {
  readonly socket: WebSocket
  readonly sent: Sent[] = []
  readonly recorder: MessageRecorder
  readonly #name = `s${++opened}`
  closed: { code: number; reason: string } | null = null
  #requests = 0

  private constructor(socket: WebSocket, recorder: MessageRecorder) {
    this.socket = socket
    this.recorder = recorder
    const send = socket.send.bind(socket) as (...sent: unknown[]) => void
    socket.send = (...sent: unknown[]) => {
      if (typeof sent[0] === 'string') recorder.streamRequest(this.#name, sent[0])
      send(...sent)
    }
    socket.on('error', () => undefined)
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Sent
      recorder.streamMessage(this.#name, message)
      this.sent.push(message)
    })
    socket.once('close', (code, reason) => (this.closed = { code, reason: reason.toString() }))
  }

  static async open(url: string, options: ClientOptions = {}): Promise<StreamClient> {
    const recorder = recorders.get(url) ?? recordingOf(url)
    recorders.set(url, recorder)
    const known = await recorder
    const client = new StreamClient(new WebSocket(`${url.replace('http', 'ws')}/api/v1/stream`, options), known)
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

async function recordingOf(url: string): Promise<MessageRecorder> {
  const recorder = await MessageRecorder.of(url)
  t.teardown(() => recorder.assertDocumented())
  return recorder
}
