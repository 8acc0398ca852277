import { stdTimeFunctions } from 'pino'
import type { LoggerOptions } from 'pino'

/** How every process of a venue writes its log: one JSON object per line, its level a word, its time ISO 8601, its sentence `message`; nothing of the machine. */
export const logLines = { base: null, messageKey: 'message', timestamp: stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } } as const satisfies LoggerOptions
