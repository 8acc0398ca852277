import type { Duplex } from 'node:stream'
import { statusOf } from '../protocol/errors.ts'
import type { Refusal } from '../protocol/errors.ts'
import { STATUS_CODES } from 'node:http'
import { PROBLEM_MEDIA_TYPE, problemOf } from './problem.ts'

/** Answers a connection on which there is no request to answer, and ends it. */
export function endWithProblem(socket: Duplex, refusal: Refusal): void {
  const body = JSON.stringify(problemOf(refusal, 'unread'))
  const status = statusOf(refusal.code)
  const retry = status === 429 || status === 503 ? 'retry-after: 1\r\n' : ''
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: ${PROBLEM_MEDIA_TYPE}\r\n${retry}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
