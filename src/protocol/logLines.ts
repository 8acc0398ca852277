import { stdTimeFunctions } from 'pino'
import type { LoggerOptions } from 'pino'

/** What stands where something was that a log may not say. */
const REDACTED = '[redacted]'
/** Members that say whose something is, or what an order asks for. Lines that carry one are a mistake; this keeps the mistake from being written. */
const UNSPEAKABLE = /^(account|address|signer|owner|buyer|seller|trader|side|price|ticks|quantity|lots|amount|quote|spend|balance|signature|secret|seed|token|password|authorization)$/i
/** Accounts (G…, M…) and secret seeds (S…) as Stellar writes them (SEP-23), wherever they stand: the text of an error may quote one. Contracts (C…) are of the venue file. */
const STRKEY = /\b[GSM][A-Z2-7]{55,68}\b/g
const DEPTH = 4

/**
 * How every process of a venue writes its log: one JSON object per line, its level a word, its time ISO 8601, its sentence `message`, the place in the code `at`, and all else
 * `ids`; nothing of the machine. What a line may not say is taken out here, whatever it was handed.
 */
export const logLines = {
  base: null,
  messageKey: 'message',
  timestamp: stdTimeFunctions.isoTime,
  formatters: {
    level: (level) => ({ level }),
    log: ({ at, ids, ...rest }) => ({ at, ids: redacted({ ...(ids as object | undefined), ...rest }, 0) }),
  },
  hooks: {
    logMethod(inputs, method) {
      method.apply(this, inputs.map((input) => (typeof input === 'string' ? withoutKeys(input) : input)) as typeof inputs)
    },
  },
} as const satisfies LoggerOptions

const withoutKeys = (text: string): string => text.replace(STRKEY, REDACTED)

function redacted(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return withoutKeys(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth === DEPTH) return REDACTED
  if (Array.isArray(value)) return value.map((one) => redacted(one, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, UNSPEAKABLE.test(name) ? REDACTED : redacted(one, depth + 1)]))
}
