import type { RouteOptions } from 'fastify'
import type { TSchema } from 'typebox'
import { errorCodes, statusOf, textOf } from '../../protocol/errors.ts'
import type { ErrorCode } from '../../protocol/errors.ts'
import { messageSchemas } from '../../protocol/messages/message.ts'
import { PROBLEM_MEDIA_TYPE } from '../problem.ts'
import { Components } from './components.ts'
import { codesOf } from './description.ts'
import type { Proof } from './description.ts'
import { problemSchema } from './problemSchema.ts'

type Json = Readonly<Record<string, unknown>>
interface ObjectSchema {
  readonly properties: Readonly<Record<string, TSchema>>
  readonly required?: readonly string[]
}

const METHODS = new Set(['GET', 'POST', 'PUT', 'DELETE', 'PATCH'])
/** Members of a path in Fastify's spelling; OpenAPI's is {name}. */
const parameter = /:([A-Za-z]+)/g

/** An OpenAPI 3.1 description, made from the very schemas that validate requests and serialize answers. */
export class OpenApi {
  readonly #paths: Record<string, Record<string, Json>> = {}
  readonly #components = new Components()
  readonly #headers: Json
  readonly #asksToken: (route: RouteOptions) => boolean

  /** @param headers what every answer may carry @param asksToken whether a route wants a session */
  constructor(headers: Json, asksToken: (route: RouteOptions) => boolean) {
    this.#headers = headers
    this.#asksToken = asksToken
  }

  /** Takes a route in. @throws Error where it does not say what it does: a route that nobody described must not be served */
  add(route: RouteOptions): void {
    for (const method of [route.method].flat()) if (METHODS.has(method)) this.#add(method, route)
  }

  json(server: string): Json {
    return {
      openapi: '3.1.0',
      info: { title: 'Dark pool gateway', version: '1', description: 'Orders that nobody sees before they trade. Decimals are strings in one spelling; unknown members and parameters are refused.' },
      servers: [{ url: server }],
      paths: this.#paths,
      components: { schemas: this.#components.schemas, securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'From a SEP-10 login: GET and POST /auth' } } },
    }
  }

  #add(method: string, route: RouteOptions): void {
    const { schema } = route
    if (schema?.summary === undefined) throw new Error(`the route ${method} ${route.url} has no summary`)
    const proof: Proof = this.#asksToken(route) ? (schema.history === true ? 'history' : 'token') : schema.action === undefined ? 'none' : 'signature'
    const codes = codesOf(proof, schema.body !== undefined, schema.codes ?? [])
    const operation = {
      operationId: `${method.toLowerCase()}${route.url.replace(/[^A-Za-z]+([A-Za-z]?)/g, (_all, next: string) => next.toUpperCase())}`,
      summary: schema.summary,
      ...(proof === 'token' || proof === 'history' ? { security: [{ token: [] }] } : {}),
      parameters: [...this.#parameters('path', schema.params as ObjectSchema | undefined), ...this.#parameters('query', schema.querystring as ObjectSchema | undefined)],
      ...(schema.body === undefined ? {} : { requestBody: this.#body(route) }),
      responses: { ...this.#answers(route), ...this.#refusals(codes, schema.response as Readonly<Record<string, TSchema>> | undefined) },
    }
    const path = route.url.replace(parameter, '{$1}')
    this.#paths[path] = { ...this.#paths[path], [method.toLowerCase()]: operation }
  }

  #parameters(place: string, schema: ObjectSchema | undefined): Json[] {
    return Object.entries(schema?.properties ?? {}).map(([name, member]) => ({ name, in: place, required: schema?.required?.includes(name) ?? false, schema: this.#components.refer(member) }))
  }

  /** A signed message is described by what its action is made of, which the gateway checks after the envelope. */
  #body({ schema }: RouteOptions): Json {
    const body = schema!.body as ObjectSchema & TSchema
    const action = schema!.action
    const described = action === undefined ? body : { ...body, properties: { ...body.properties, message: messageSchemas[action] } }
    return { required: true, content: { 'application/json': { schema: this.#components.refer(described) } } }
  }

  #answers({ schema }: RouteOptions): Json {
    const produces = schema!.produces ?? 'application/json'
    const shapes = Object.entries((schema!.response ?? {}) as Record<string, TSchema>)
    return Object.fromEntries(shapes.map(([status, shape]) => [status, { description: 'As asked', headers: this.#headers, content: { [produces]: { schema: this.#components.refer(shape) } } }]))
  }

  #refusals(codes: ReadonlySet<ErrorCode>, answers: Readonly<Record<string, TSchema>> = {}): Json {
    const byStatus = new Map<number, ErrorCode[]>()
    for (const code of errorCodes) if (codes.has(code)) byStatus.set(statusOf(code), [...(byStatus.get(statusOf(code)) ?? []), code])
    return Object.fromEntries([...byStatus].map(([status, codes]) => {
      const problem = { [PROBLEM_MEDIA_TYPE]: { schema: problemSchema(status, codes) } }
      const own = answers[String(status)]
      const content = own === undefined ? problem : { ...problem, 'application/json': { schema: this.#components.refer(own) } }
      return [String(status), { description: codes.map((code) => `${code}: ${textOf(code)}`).join('\n'), headers: this.#headers, content }]
    }))
  }
}
