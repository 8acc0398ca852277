import { parseArgs } from 'node:util'
import { UsageFault } from './fault.ts'

const options = {
  as: { type: 'string' },
  key: { type: 'string' },
  for: { type: 'string' },
  url: { type: 'string' },
  rpc: { type: 'string' },
  root: { type: 'string' },
  state: { type: 'string' },
  operator: { type: 'string' },
  nats: { type: 'string' },
  expires: { type: 'string' },
  quantity: { type: 'string' },
  price: { type: 'string' },
  spend: { type: 'string' },
  tif: { type: 'string' },
  'post-only': { type: 'boolean' },
  'all-or-none': { type: 'boolean' },
  minimum: { type: 'string' },
  'minimum-per': { type: 'string' },
  'return-remainder': { type: 'boolean' },
  'self-trade': { type: 'string' },
  'client-id': { type: 'string' },
  scope: { type: 'string' },
  market: { type: 'string' },
  until: { type: 'string' },
  limit: { type: 'string' },
  after: { type: 'string' },
  all: { type: 'boolean' },
  policy: { type: 'string' },
  collateral: { type: 'string' },
  engine: { type: 'string' },
  'tls-unseen': { type: 'boolean' },
  'development-root': { type: 'string' },
  compose: { type: 'string' },
  measurements: { type: 'string' },
  name: { type: 'string' },
  network: { type: 'string' },
  vault: { type: 'string' },
  channel: { type: 'string' },
  app: { type: 'string' },
  kms: { type: 'string' },
  evaluation: { type: 'string' },
  venue: { type: 'string' },
  online: { type: 'boolean' },
  undo: { type: 'boolean' },
  'cancel-orders': { type: 'boolean' },
  source: { type: 'string' },
  admin: { type: 'string' },
  wasm: { type: 'string' },
  accept: { type: 'string' },
  serve: { type: 'string' },
  gateways: { type: 'string' },
  list: { type: 'boolean' },
  fee: { type: 'string' },
  prompt: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  xdr: { type: 'boolean' },
  lot: { type: 'string' },
  tick: { type: 'string' },
  'min-quantity': { type: 'string' },
  'max-quantity': { type: 'string' },
  'max-price': { type: 'string' },
  lifetime: { type: 'string' },
  'maker-ppm': { type: 'string' },
  'taker-ppm': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

export interface Arguments {
  readonly command: string | undefined
  /** What follows the command's name. */
  readonly words: readonly string[]
  readonly options: Readonly<Partial<{ [name in keyof typeof options]: (typeof options)[name]['type'] extends 'string' ? string : boolean }>>
}

/** @throws UsageFault */
export function readArguments(args: string[]): Arguments {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    const [command, ...words] = positionals
    return { command, words, options: { ...values } }
  } catch (error) {
    throw new UsageFault((error as Error).message.split('. ')[0]!, error)
  }
}

/** Exactly the words a command takes, by name. @throws UsageFault */
export function words<const Names extends readonly string[]>({ words: given, command }: Arguments, names: Names): { [at in keyof Names]: string } {
  if (given.length !== names.length) throw new UsageFault(`darkpool ${command} takes ${names.length === 0 ? 'no further words' : names.join(' ')}`)
  return given as unknown as { [at in keyof Names]: string }
}

const unit_s = { s: 1, m: 60, h: 3_600, d: 86_400 } as const

/** "90s", "15m", "1h", "7d" in seconds. @throws UsageFault */
export function duration_s(name: string, text: string): number {
  const [, count, unit] = /^([1-9][0-9]{0,8})([smhd])$/.exec(text) ?? []
  if (count === undefined || unit === undefined) throw new UsageFault(`--${name} ${text}: a number with s, m, h or d, such as 1h`)
  return Number(count) * unit_s[unit as keyof typeof unit_s]
}

/** A whole number, 0 or more. @throws UsageFault */
export function whole(name: string, text: string): number {
  if (!/^(0|[1-9][0-9]{0,14})$/.test(text)) throw new UsageFault(`--${name} ${text} is no whole number`)
  return Number(text)
}

/** 1–32 letters, digits, _ or -. @throws UsageFault */
export function clientOrderId(text: string): string {
  if (!/^[0-9A-Za-z_-]{1,32}$/.test(text)) throw new UsageFault(`--client-id ${text}: 1–32 letters, digits, _ or -`)
  return text
}

/** People write "10.50" and ".5"; the venue has one spelling for each number. @throws UsageFault */
export function decimal(name: string, text: string | undefined): string {
  if (text === undefined) throw new UsageFault(`--${name} is missing`)
  const [, whole, fraction = ''] = /^([0-9]*)(?:\.([0-9]*))?$/.exec(text) ?? []
  if (whole === undefined || whole + fraction === '') throw new UsageFault(`${name} ${text} is no number`)
  const point = fraction.replace(/0+$/, '')
  return `${whole.replace(/^0+(?=.)/, '') || '0'}${point === '' ? '' : `.${point}`}`
}
