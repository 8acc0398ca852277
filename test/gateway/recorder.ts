import { Ajv2020 } from 'ajv/dist/2020.js'
import type { ValidateFunction } from 'ajv/dist/2020.js'
import type { FastifyInstance } from 'fastify'
import type { ServerResponse } from 'node:http'
import { isErrorCode } from '../../src/protocol/errors.ts'

interface Media {
  readonly schema: object
}
export interface Operation {
  readonly method: string
  /** As OpenAPI spells it: /orders/{id}. */
  readonly path: string
  readonly summary: string
  readonly security?: readonly object[]
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, Media>>; readonly headers: object }>>
}
export interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Omit<Operation, 'method' | 'path'>>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

/** Codes that belong to no route: nothing was found to describe. */
const routeless = new Set(['route_unknown', 'method_not_allowed', 'request_malformed', 'request_too_large', 'media_type_unsupported', 'rate_exceeded'])

export const operationsOf = (document: Document): Operation[] =>
  Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })))

/** Sees every answer of a gateway as it leaves, and holds it against the description that the same gateway serves. */
export class Recorder {
  /** What happened, as "POST /api/v1/orders 422 funds_insufficient". */
  readonly seen = new Set<string>()
  readonly faults: string[] = []
  readonly operations: readonly Operation[]
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false })
  readonly #validators = new Map<string, ValidateFunction>()
  readonly #components: object

  constructor(app: FastifyInstance, document: Document) {
    this.operations = operationsOf(document)
    this.#components = document.components
    app.server.prependListener('request', (request, response) => {
      const { method = '', url = '' } = request
      // Fastify hands its headers straight to writeHead, after which getHeader does not know them.
      let type = ''
      const writeHead = response.writeHead.bind(response) as (...sent: unknown[]) => ServerResponse
      response.writeHead = ((...sent: unknown[]) => {
        const headers = sent.at(-1) as Record<string, unknown>
        const given = headers['content-type']
        type = typeof given === 'string' ? given.split(';')[0]! : ''
        return writeHead(...sent)
      })
      const end = response.end.bind(response) as (...sent: unknown[]) => ServerResponse
      response.end = ((...sent: unknown[]) => {
        const [chunk] = sent
        const text = typeof chunk === 'string' ? chunk : chunk instanceof Uint8Array ? Buffer.from(chunk).toString() : ''
        if (method !== 'HEAD') this.#check(method, url.split('?', 1)[0]!, response.statusCode, type, text)
        return end(...sent)
      }) as ServerResponse['end']
    })
  }

  /** Fails the test that the gateway was opened for. */
  assertDocumented(): void {
    if (this.faults.length > 0) throw new Error(`answers that the document does not describe:\n${[...new Set(this.faults)].slice(0, 20).join('\n')}`)
  }

  #check(method: string, path: string, status: number, type: string, text: string): void {
    const json = type.endsWith('json') ? (JSON.parse(text) as unknown) : text
    const code = type === 'application/problem+json' ? String((json as { code: unknown }).code) : ''
    // A path that is spelled out comes before one with a parameter, as in the router.
    const spelled = this.operations.filter((one) => one.path === path)
    const candidates = spelled.length > 0 ? spelled : this.operations.filter((one) => fits(one.path, path))
    const operation = candidates.find((one) => one.method === method)
    const told = `${method} ${operation?.path ?? '(no route)'} ${status} ${code}`.trim()
    this.seen.add(told)
    if (operation === undefined) {
      if (!isErrorCode(code) || !routeless.has(code)) this.faults.push(told)
      return
    }
    const media = operation.responses[status]?.content[type]
    if (media === undefined) {
      this.faults.push(`${told}: no such status or media type ${type}`)
      return
    }
    const key = `${operation.method} ${operation.path} ${status} ${type}`
    let validate = this.#validators.get(key)
    if (validate === undefined) this.#validators.set(key, (validate = this.#ajv.compile({ ...media.schema, components: this.#components })))
    if (!validate(json)) this.faults.push(`${told}: ${this.#ajv.errorsText(validate.errors)}`)
  }
}

const fits = (template: string, path: string): boolean => {
  const [wanted, given] = [template.split('/'), path.split('/')]
  return wanted.length === given.length && wanted.every((part, i) => (part.startsWith('{') ? given[i] !== '' : part === given[i]))
}
