import type { Test } from 'tap'
import { isErrorCode, statusOf, textOf } from '../../src/protocol/errors.ts'
import type { ErrorCode } from '../../src/protocol/errors.ts'

export interface Called {
  readonly status: number
  readonly type: string
  readonly headers: Headers
  // The tests say what they expect of it.
  readonly json: Record<string, unknown>
}

/** One HTTP exchange, as any program would make it. A string body is sent as it is. */
export async function call(url: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Called> {
  const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
  const response = await fetch(url + path, { method, headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, ...sent })
  const text = await response.text()
  const type = (response.headers.get('content-type') ?? '').split(';')[0]!
  return { status: response.status, type, headers: response.headers, json: type.includes('json') ? (JSON.parse(text) as Record<string, unknown>) : { text } }
}

/** A refusal has the status, title and form that the error table and RFC 9457 give it. */
export function refused(t: Test, called: Called, code: ErrorCode, message: string = code): void {
  const { requestId, ...rest } = called.json
  t.match(rest, { type: `urn:darkpool:error:${code}`, title: textOf(code), status: statusOf(code), code }, message)
  t.equal(called.status, statusOf(code), `${message}: status`)
  t.equal(called.type, 'application/problem+json', `${message}: media type`)
  t.ok(typeof requestId === 'string' && requestId !== '', `${message}: request id`)
}

export const isProblem = ({ json, status, type }: Called): boolean =>
  type === 'application/problem+json' && typeof json.code === 'string' && isErrorCode(json.code) && json.status === status && statusOf(json.code) === status
