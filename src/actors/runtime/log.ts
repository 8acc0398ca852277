import { destination, pino } from 'pino'
import { logLines } from '../../protocol/logLines.ts'

/** What a line may name: actors, records, counts, positions. Never an account's order, price or size. */
export type Ids = Readonly<Record<string, string | number | boolean>>

/** `at` is the place in the code that speaks, stable enough to search for; `message` one sentence. */
export interface Log {
  info(at: string, message: string, ids?: Ids): void
  warn(at: string, message: string, ids?: Ids): void
  error(at: string, message: string, ids?: Ids): void
}

/** JSON lines on standard output, written at once: a worker that dies has said why. */
export function jsonLog(fixed: Ids = {}): Log {
  const logger = pino(logLines, destination({ fd: 1, sync: true }))
  const line =
    (level: 'info' | 'warn' | 'error') =>
    (at: string, message: string, ids: Ids = {}): void =>
      logger[level]({ at, ids: { ...fixed, ...ids } }, message)
  return { info: line('info'), warn: line('warn'), error: line('error') }
}

/** The one sentence of an error that a log may carry. */
export const sentence = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error))
