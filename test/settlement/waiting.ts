import { setTimeout } from 'node:timers/promises'
import type { Log } from '../../src/actors/runtime/log.ts'

const LONGEST_MS = 60_000
const LOOK_MS = 20

/** Waits for what must come; how long is no part of any test. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + LONGEST_MS; !(await holds()); await setTimeout(LOOK_MS)) if (Date.now() > end) throw new Error(`never happened: ${what}`)
}

/** A log that a test can read. */
export class TestLog implements Log {
  readonly lines: { level: 'info' | 'warn' | 'error'; at: string; message: string; ids: object }[] = []
  info: Log['info'] = (at, message, ids = {}) => void this.lines.push({ level: 'info', at, message, ids })
  warn: Log['warn'] = (at, message, ids = {}) => void this.lines.push({ level: 'warn', at, message, ids })
  error: Log['error'] = (at, message, ids = {}) => void this.lines.push({ level: 'error', at, message, ids })

  count(message: string): number {
    return this.lines.filter((line) => line.message === message).length
  }
}
