import type { FastifyReply } from 'fastify'
import { Refusal, statusOf, textOf } from '../protocol/errors.ts'
import type { ErrorCode } from '../protocol/errors.ts'

/** RFC 9457: what every refusal looks like. `type` is a name, not an address to fetch; `code` is what programs compare. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ErrorCode
  readonly detail?: string
  readonly requestId: string
  /** The order that a cancel or an amend was refused for, as it was found. */
  readonly order?: object
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

export function problemOf(refusal: Refusal, requestId: string, order?: object): Problem {
  const { code, detail } = refusal
  const base = { type: `urn:darkpool:error:${code}`, title: textOf(code), status: statusOf(code), code }
  return { ...base, ...(detail === undefined ? {} : { detail }), requestId, ...(order === undefined ? {} : { order }) }
}

export function sendProblem(reply: FastifyReply, refusal: Refusal, order?: object): void {
  const problem = problemOf(refusal, reply.request.id, order)
  if (problem.status === 503) void reply.header('retry-after', '1')
  void reply.code(problem.status).header('content-type', PROBLEM_MEDIA_TYPE).send(JSON.stringify(problem))
}

interface FrameworkError {
  readonly code?: unknown
  readonly statusCode?: unknown
  readonly validation?: readonly { readonly instancePath: string }[]
  readonly validationContext?: string
}

const byFrameworkCode: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'request_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media_type_unsupported',
  FST_ERR_MAX_PARAM_LENGTH: 'request_malformed',
  FST_ERR_BAD_URL: 'request_malformed',
}

/** Members may be named, unless the client invented the name. */
const namedMember = /^(\/[A-Za-z]{1,16}){1,3}$/

/** What Fastify refuses by itself, in the venue's words; undefined for an error that is no refusal. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error
  const { code, statusCode, validation, validationContext } = error as FrameworkError
  if (validation !== undefined) {
    const path = validation[0]?.instancePath ?? ''
    return new Refusal('request_malformed', namedMember.test(path) ? `${validationContext ?? 'body'}${path}` : validationContext)
  }
  const known = typeof code === 'string' ? byFrameworkCode[code] : undefined
  if (known !== undefined) return new Refusal(known)
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? new Refusal('request_malformed') : undefined
}
