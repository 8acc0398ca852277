import { OutcomeUnknown } from './errors.ts'
import { problemError } from './problem.ts'
import type { Problem } from './problem.ts'
import type { Outgoing, Transport } from './transport.ts'

export interface Request {
  readonly method: Outgoing['method']
  readonly path: string
  readonly body?: unknown
  readonly token?: string
  /** Statuses of 400 and more that are answers too, where they come without a code. */
  readonly answers?: readonly number[]
}

/** One request and its answer, which is a JSON object. @throws NeverSent, Refused, OutcomeUnknown */
export async function exchange<Answer>(transport: Transport, url: string, { method, path, body, token, answers = [] }: Request, signal: AbortSignal): Promise<Answer> {
  const headers: Record<string, string> = {}
  if (body !== undefined) headers['content-type'] = 'application/json'
  if (token !== undefined) headers.authorization = `Bearer ${token}`
  const { status, text, retryAfter } = await transport.carry({ method, url: new URL(path, url), headers, signal, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  const retryAfter_ms = pauseOf(retryAfter)
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch (error) {
    // Not a gateway's answer: something between may have cut it off, or given its own.
    throw new OutcomeUnknown(error, { retryAfter_ms })
  }
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) throw new OutcomeUnknown(new Error(`status ${status} with an answer that no gateway gives`), { retryAfter_ms })
  if ((status >= 200 && status < 300) || (answers.includes(status) && !('code' in answer))) return answer as Answer
  throw problemError({ ...(answer as Partial<Problem>), status }, retryAfter_ms)
}

function pauseOf(header: string | null): number | undefined {
  return header !== null && /^\d{1,9}$/.test(header) ? Number(header) * 1000 : undefined
}
