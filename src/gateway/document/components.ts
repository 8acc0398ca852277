import type { TSchema } from 'typebox'
import { messageSchemas } from '../../protocol/messages/message.ts'
import * as shapes from '../schemas.ts'
import * as streamed from '../streams/messages.ts'

export function capital(name: string): string {
  return `${name[0]!.toUpperCase()}${name.slice(1)}`
}

/** What is described once, by its name: the shapes of answers, and every signed message. */
const names = new Map<unknown, string>([
  ...Object.entries({ ...shapes, ...streamed }).filter(([name]) => name.endsWith('Shape')).map(([name, shape]) => [shape, name.slice(0, -'Shape'.length)] as const),
  ...Object.entries(streamed.feedSchemas).map(([type, schema]) => [schema, `Feed${capital(type)}`] as const),
  ...Object.entries(messageSchemas).map(([action, schema]) => [schema, `${capital(action)}Message`] as const),
])

/** Schemas of a document, with a reference wherever one that has a name occurs. */
export class Components {
  readonly schemas: Record<string, unknown> = {}

  refer(schema: TSchema): unknown {
    const name = names.get(schema)
    if (name === undefined) return this.#within(schema)
    this.schemas[name] ??= this.#within(schema)
    return { $ref: `#/components/schemas/${name}` }
  }

  #within(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((one) => this.#any(one))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.#any(one)]))
  }

  #any(value: unknown): unknown {
    return names.has(value) ? this.refer(value as TSchema) : this.#within(value)
  }
}
