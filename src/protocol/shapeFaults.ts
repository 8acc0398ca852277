import type { TSchema } from 'typebox'
import { Settings } from 'typebox/system'
import { Value } from 'typebox/value'

/** What is wrong with one member of a configuration, and what would be right. */
export interface Fault {
  /** JSON pointer of the member; empty for the whole. */
  readonly path: string
  readonly wrong: string
  readonly right: string
}

/** As much of a schema as its own words and limits are told from. */
interface Node {
  readonly type?: string
  readonly const?: unknown
  readonly anyOf?: readonly Node[]
  readonly pattern?: string
  readonly description?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly maxLength?: number
  readonly items?: Node
  readonly properties?: Readonly<Record<string, Node>>
}

/** More than any file has: somebody who mends them one after the other would start as often. */
const MOST = 1_000
const SHOWN = 60

/** Every member that is not as the schema has it. */
export function shapeFaults(schema: TSchema, json: unknown): readonly Fault[] {
  const errors = allErrors(schema, json)
  const faults = new Map<string, Fault>()
  for (const { keyword, schemaPath, instancePath: path, params } of errors) {
    const node = nodeAt(schema, schemaPath)
    if (keyword === 'required') {
      for (const name of params.requiredProperties) faults.set(`${path}/${name}`, { path: `${path}/${name}`, wrong: 'is missing', right: expected(node.properties?.[name] ?? {}) })
    } else if (keyword === 'additionalProperties') {
      for (const name of params.additionalProperties) faults.set(`${path}/${name}`, { path: `${path}/${name}`, wrong: 'is no member that is known', right: `one of ${Object.keys(node.properties ?? {}).join(', ')}` })
    } else if (keyword !== 'boolean') {
      // Of alternatives every one complains: the member that offers them says it once.
      const whole = alternatives(schema, schemaPath) ?? node
      if (!faults.has(path)) faults.set(path, { path, wrong: `is ${shown(valueAt(json, path))}`, right: expected(whole) })
    }
  }
  // What is wrong with a member inside says it better than that the whole does not fit.
  return [...faults.values()].filter(({ path, wrong }) => wrong.startsWith('is missing') || ![...faults.keys()].some((other) => other.startsWith(`${path}/`)))
}

function allErrors(schema: TSchema, json: unknown): ReturnType<typeof Value.Errors> {
  const { maxErrors } = Settings.Get()
  Settings.Set({ maxErrors: MOST })
  try {
    return Value.Errors(schema, json)
  } finally {
    Settings.Set({ maxErrors })
  }
}

const steps = (pointer: string): string[] => pointer.split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))

const nodeAt = (schema: Node, pointer: string): Node => steps(pointer).reduce<Node>((node, step) => (node as Record<string, Node>)[step] ?? {}, schema)

/** The nearest node around a place that offers alternatives, where what failed is one of them itself. */
function alternatives(schema: Node, pointer: string): Node | null {
  const [, around] = /^(.*)\/anyOf\/\d+$/.exec(pointer) ?? []
  return around === undefined ? null : nodeAt(schema, around)
}

const valueAt = (json: unknown, pointer: string): unknown => steps(pointer).reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], json)

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}

/** What a schema wants, in words. */
function expected(node: Node): string {
  const words = form(node)
  return node.description === undefined ? words : `${words} (${node.description})`
}

function form(node: Node): string {
  if (node.const !== undefined) return JSON.stringify(node.const)
  if (node.anyOf !== undefined) return node.anyOf.map(form).join(' or ')
  switch (node.type) {
    case 'integer':
      return `a whole number${range(node.minimum, node.maximum)}`
    case 'boolean':
      return 'true or false'
    case 'array':
      return `a list of${range(node.minItems, node.maxItems)}, each ${form(node.items ?? {})}`
    case 'object':
      return `{${Object.keys(node.properties ?? {}).join(', ')}}`
    default:
      return node.pattern === undefined ? `a text${node.maxLength === undefined ? '' : ` of at most ${node.maxLength} characters`}` : `a text like ${node.pattern}`
  }
}

function range(least: number | undefined, most: number | undefined): string {
  if (least !== undefined && most !== undefined) return ` ${least} to ${most}`
  return least === undefined ? (most === undefined ? '' : ` at most ${most}`) : ` ${least} or more`
}
