import { OutcomeUnknown } from './errors.ts'
import { problemError } from './problem.ts'
import type { Problem } from './problem.ts'

/** What a stream needs of a WebSocket: the platform's own, or one that a program brings. */
export interface Socket {
  onopen: (() => void) | null
  onmessage: ((event: { readonly data: unknown }) => void) | null
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null
  onerror: (() => void) | null
  send(text: string): void
  close(): void
}
export type OpenSocket = (url: string) => Socket

interface Answer {
  readonly status: number
  readonly body?: object
  readonly problem?: Problem
  readonly retryAfter_s?: number
}
type Sent = { readonly type?: unknown; readonly id?: unknown; readonly heartbeat_s?: unknown }

/** Until a gateway has said how often it will be heard of. */
const HELLO_MS = 10_000
const HEARTBEATS = 2.5

/** One connection to a gateway's stream: requests with their answers, and what it sends by itself. Ends when nothing is heard of it. */
export class Wire {
  readonly #socket: Socket
  readonly #waiting = new Map<string, { readonly heard: (body: object) => void; readonly resolve: () => void; readonly reject: (error: Error) => void }>()
  readonly #tell: (message: object) => void
  #asked = 0
  #watch_ms = HELLO_MS
  #watchdog: ReturnType<typeof setTimeout> | undefined
  #end!: () => void
  #over = false
  /** Resolves when the gateway can no longer be heard. */
  readonly ended: Promise<void>
  readonly opened: Promise<void>

  /** @param tell hears what the gateway sends by itself; what it throws ends the connection */
  constructor(url: string, open: OpenSocket, tell: (message: object) => void) {
    this.#tell = tell
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.#socket = open(url)
    this.opened = new Promise((resolve) => {
      this.#socket.onopen = () => resolve()
      void this.ended.then(resolve)
    })
    this.#socket.onmessage = ({ data }) => this.#hear(data)
    this.#socket.onclose = () => this.close()
    this.#socket.onerror = () => this.close()
    this.#listen()
  }

  /** @param heard hears the answer before anything that comes after it @throws Refused, OutcomeUnknown */
  ask(op: string, members: object, heard: (body: object) => void = () => undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#over) return reject(new OutcomeUnknown(new Error('the stream has ended')))
      const id = String(++this.#asked)
      this.#waiting.set(id, { heard, resolve, reject })
      this.#socket.send(JSON.stringify({ id, op, ...members }))
    })
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#watchdog)
    this.#socket.close()
    for (const { reject } of this.#waiting.values()) reject(new OutcomeUnknown(new Error('the stream has ended')))
    this.#waiting.clear()
    this.#end()
  }

  #hear(data: unknown): void {
    if (this.#over) return
    this.#listen()
    try {
      const sent = JSON.parse(String(data)) as Sent
      if (sent.type === 'hello' && typeof sent.heartbeat_s === 'number') this.#watch_ms = sent.heartbeat_s * 1000 * HEARTBEATS
      if (sent.type === 'answer') this.#answer(String(sent.id), sent as unknown as Answer)
      else this.#tell(sent)
    } catch {
      // Nothing that a gateway says, or a message that is missing: what was had so far stands, and another connection goes on from there.
      this.close()
    }
  }

  #answer(id: string, { status, body, problem, retryAfter_s }: Answer): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    if (body === undefined) return waiting.reject(problemError({ ...problem, status }, retryAfter_s === undefined ? undefined : retryAfter_s * 1000))
    waiting.heard(body)
    waiting.resolve()
  }

  /** Whatever is heard puts off the end. */
  #listen(): void {
    clearTimeout(this.#watchdog)
    this.#watchdog = setTimeout(() => this.close(), this.#watch_ms)
  }
}
