import { NeverSent, OutcomeUnknown } from './errors.ts'
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

export const platformSocket: OpenSocket = (url) => new WebSocket(url) as unknown as Socket

/** Where a gateway's stream is. */
export function streamUrl(gateway: string): string {
  const url = new URL('/api/v1/stream', gateway)
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:'
  return url.href
}

export interface WireAnswer {
  readonly status: number
  readonly body?: object
  readonly problem?: Problem
  readonly retryAfter_s?: number
}
/** What a gateway says first. `challenge` is what a login that is signed for this connection has as its nonce. */
export interface Hello {
  readonly challenge: string
  readonly time: string
}
type Sent = { readonly type?: unknown; readonly id?: unknown; readonly heartbeat_s?: unknown }

/** Until a gateway has said how often it will be heard of. */
const HELLO_MS = 10_000
const HEARTBEATS = 2.5

/** One connection to a gateway's stream: requests with their answers, and what it sends by itself. Ends when nothing is heard of it. */
export class Wire {
  readonly #socket: Socket
  readonly #waiting = new Map<string, { readonly heard: (answer: WireAnswer) => void; readonly lost: () => void }>()
  readonly #tell: (message: object) => void
  #asked = 0
  #watch_ms = HELLO_MS
  #watchdog: ReturnType<typeof setTimeout> | undefined
  #end!: () => void
  #greet!: (hello: Hello) => void
  #over = false
  /** Resolves when the gateway can no longer be heard. */
  readonly ended: Promise<void>
  readonly opened: Promise<void>
  /** What the gateway said first; null where it never said anything. */
  readonly greeted: Promise<Hello | null>

  /** @param tell hears what the gateway sends by itself; what it throws ends the connection */
  constructor(url: string, open: OpenSocket, tell: (message: object) => void) {
    this.#tell = tell
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.greeted = new Promise((resolve) => {
      this.#greet = resolve
      void this.ended.then(() => resolve(null))
    })
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

  /** @param heard hears the answer before anything that comes after it @throws NeverSent, Refused, OutcomeUnknown */
  ask(op: string, members: object, heard: (body: object) => void = () => undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const answered = ({ status, body, problem, retryAfter_s }: WireAnswer): void => {
        if (body === undefined) return reject(problemError({ ...problem, status }, retryAfter_s === undefined ? undefined : retryAfter_s * 1000))
        heard(body)
        resolve()
      }
      this.request(op, JSON.stringify(members), answered, () => reject(new OutcomeUnknown(new Error('the stream has ended'))))
    })
  }

  /**
   * @param members a JSON object @param heard hears the answer, before anything that comes after it @param lost hears that none will come
   * @returns forgets the request: neither is heard any more @throws NeverSent
   */
  request(op: string, members: string, heard: (answer: WireAnswer) => void, lost: () => void): () => void {
    if (this.#over) throw new NeverSent(new Error('the stream has ended'))
    const id = String(++this.#asked)
    this.#waiting.set(id, { heard, lost })
    this.#socket.send(`{"id":"${id}","op":${JSON.stringify(op)}${members === '{}' ? '}' : `,${members.slice(1)}`}`)
    return () => void this.#waiting.delete(id)
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#watchdog)
    this.#socket.close()
    for (const { lost } of this.#waiting.values()) lost()
    this.#waiting.clear()
    this.#end()
  }

  #hear(data: unknown): void {
    if (this.#over) return
    this.#listen()
    try {
      const sent = JSON.parse(String(data)) as Sent
      if (sent.type === 'hello' && typeof sent.heartbeat_s === 'number') {
        this.#watch_ms = sent.heartbeat_s * 1000 * HEARTBEATS
        this.#greet(sent as unknown as Hello)
      }
      if (sent.type === 'answer') this.#answer(String(sent.id), sent as unknown as WireAnswer)
      else this.#tell(sent)
    } catch {
      // Nothing that a gateway says, or a message that is missing: what was had so far stands, and another connection goes on from there.
      this.close()
    }
  }

  #answer(id: string, answer: WireAnswer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    waiting?.heard(answer)
  }

  /** Whatever is heard puts off the end. */
  #listen(): void {
    clearTimeout(this.#watchdog)
    this.#watchdog = setTimeout(() => this.close(), this.#watch_ms)
  }
}
