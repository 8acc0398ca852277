import { NeverSent, OutcomeUnknown } from './errors.ts'

/** One request as it goes out. */
export interface Outgoing {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Ends it, whatever has become of it. */
  readonly signal: AbortSignal
}

export interface Incoming {
  readonly status: number
  readonly text: string
  /** As the header says it: seconds, or a date. */
  readonly retryAfter: string | null
}

/** Asks a connection for a path, and says whether the connection may be used. @param tlsKey DER SubjectPublicKeyInfo at the other end; null without TLS @throws NeverSent */
export type Guard = (ask: (path: string) => Promise<Incoming>, tlsKey: Uint8Array | null) => Promise<void>

/** Carries requests to a gateway and answers back. */
export interface Transport {
  /** @throws NeverSent where nothing of the request can have reached anybody, OutcomeUnknown otherwise */
  carry(outgoing: Outgoing): Promise<Incoming>
  /**
   * The same transport, over connections that have passed the guard, each of them before anything else is sent over it: where the platform shows connections. Where it does not, a
   * transport has no such method, and the client looks for evidence before its first request and after each that failed.
   */
  guarded?(guard: Guard): Transport
  /** Ends the connections that are kept. */
  close?(): void
}

/** Larger answers are not read to their end: no venue gives them. */
const LONGEST_ANSWER = 16 * 1024 * 1024

/** The text of an answer, out of the pieces in which it comes. */
export class AnswerText {
  readonly #decoder = new TextDecoder()
  #text = ''
  #length = 0

  /** @throws Error where it has no end */
  add(piece: Uint8Array): void {
    this.#length += piece.length
    if (this.#length > LONGEST_ANSWER) throw new Error('the answer has no end')
    this.#text += this.#decoder.decode(piece, { stream: true })
  }

  end(): string {
    return this.#text + this.#decoder.decode()
  }
}

/** Codes of connections that never came about. Anything else may have reached the gateway. */
const unconnected: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])
/** The same, and waiting does not help: no such name, or somebody else's certificate. */
const misled: ReadonlySet<string> = new Set([
  'ENOTFOUND', 'ERR_TLS_CERT_ALTNAME_INVALID', 'CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
])

/** By `fetch`, which every platform has: connections are kept and used again. */
export const fetchTransport: Transport = {
  async carry({ method, url, headers, body, signal }) {
    try {
      // What is signed for one venue is not handed on to another address.
      const response = await fetch(url, { method, headers, signal, redirect: 'error', ...(body === undefined ? {} : { body }) })
      return { status: response.status, text: await textOf(response), retryAfter: response.headers.get('retry-after') }
    } catch (error) {
      throw connectionError(error, codeOf(error))
    }
  },
}

/** What a failed connection says of the request that was to go over it. */
export function connectionError(error: unknown, code: string | undefined): NeverSent | OutcomeUnknown {
  if (code !== undefined && misled.has(code)) return new NeverSent(error, { passing: false })
  return code !== undefined && unconnected.has(code) ? new NeverSent(error) : new OutcomeUnknown(error)
}

async function textOf(response: Response): Promise<string> {
  const reader = response.body?.getReader()
  if (reader === undefined) return ''
  const answer = new AnswerText()
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return answer.end()
    try {
      answer.add(value)
    } catch (error) {
      await reader.cancel()
      throw error
    }
  }
}

function codeOf(error: unknown): string | undefined {
  const cause = (error as { cause?: unknown }).cause
  // A name with several addresses fails with one error for each.
  const first: unknown = cause instanceof AggregateError ? (cause.errors as unknown[])[0] : cause
  const code = (first as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : undefined
}
