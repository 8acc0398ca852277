import { pino } from 'pino'
import type { DestinationStream, Logger } from 'pino'
import { logLines } from '../protocol/logLines.ts'

export type Log = Logger

/**
 * One JSON object per line: where (`at`), what happened (`message`), and ids. Nothing an order says may be handed to it, so there is no
 * line per request either: who trades when is private too.
 */
export function gatewayLog(destination?: DestinationStream): Log {
  return pino(logLines, destination ?? process.stderr)
}

/** An unexpected error by name and place. Its text stays out: it may quote what was being read. */
export function failure(error: unknown): { error: string; frames: string[] } {
  if (!(error instanceof Error)) return { error: typeof error, frames: [] }
  const code = (error as { code?: unknown }).code
  const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '))
  return { error: typeof code === 'string' ? `${error.name} ${code}` : error.name, frames: frames.slice(0, 8).map((line) => line.trim()) }
}
