import { NeverSent, OutcomeUnknown } from './errors.ts'
import { problemError } from './problem.ts'
import type { Problem } from './problem.ts'

export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  readonly token?: string
}

const TIMEOUT_MS = 15_000
/** Codes of connections that never came about. Anything else may have reached the gateway. */
const notConnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])

/** One exchange with a gateway. @throws NeverSent, Refused, OutcomeUnknown */
export async function exchange<Answer>(url: string, { method, path, body, token }: Request): Promise<Answer> {
  const headers: Record<string, string> = {}
  if (body !== undefined) headers['content-type'] = 'application/json'
  if (token !== undefined) headers.authorization = `Bearer ${token}`
  let response: Response
  let text: string
  try {
    response = await fetch(new URL(path, url), { method, headers, signal: AbortSignal.timeout(TIMEOUT_MS), ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    text = await response.text()
  } catch (error) {
    const code = codeOf(error)
    throw code !== undefined && notConnected.has(code) ? new NeverSent(error) : new OutcomeUnknown(error)
  }
  if (response.ok) return read<Answer>(text)
  throw problemError({ status: response.status, ...read<Partial<Problem>>(text) })
}

function read<Answer>(text: string): Answer {
  try {
    return JSON.parse(text) as Answer
  } catch (error) {
    // Not a gateway's answer: something between may have cut it off.
    throw new OutcomeUnknown(error)
  }
}

function codeOf(error: unknown): string | undefined {
  const cause = (error as { cause?: unknown }).cause
  // A name with several addresses fails with one error for each.
  const first: unknown = cause instanceof AggregateError ? (cause.errors as unknown[])[0] : cause
  const code = (first as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : undefined
}
