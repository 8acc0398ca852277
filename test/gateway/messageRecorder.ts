import { Ajv } from 'ajv'
import type { ValidateFunction } from 'ajv'
import { call } from './call.ts'

interface Ref {
  readonly $ref: string
}
export interface MessageDocument {
  readonly channels: Readonly<Record<string, { readonly address: string; readonly messages: Readonly<Record<string, Ref>> }>>
  readonly operations: Readonly<Record<string, { readonly action: 'send' | 'receive'; readonly messages: readonly Ref[]; readonly reply?: { readonly messages: readonly Ref[] } }>>
  readonly components: { readonly messages: Readonly<Record<string, { readonly payload: object }>>; readonly schemas: object }
}

interface Asked {
  readonly op: string
  readonly message: unknown
}

const lastOf = ({ $ref }: Ref): string => $ref.split('/').at(-1)!
/** A signed message over NATS says itself what it asks for. */
const byAction: Readonly<Record<string, string>> = { order: 'place' }

/** Holds messages that pass against the AsyncAPI description that the same gateway serves. */
export class MessageRecorder {
  /** Names of the messages that passed. */
  readonly seen = new Set<string>()
  readonly faults: string[] = []
  readonly document: MessageDocument
  readonly #ajv = new Ajv({ strict: false, validateFormats: false })
  readonly #validators = new Map<string, ValidateFunction>()
  readonly #told: readonly string[]
  readonly #fed: ReadonlySet<string>
  /** By what their answers will name. A hostile client uses an id again before it is answered: the answer may be to either. Of those before the last only what they asked for is kept. */
  readonly #requests = new Map<string, readonly Asked[]>()

  constructor(document: MessageDocument) {
    this.document = document
    this.#fed = new Set([document.channels.feed, document.channels.tape].flatMap((channel) => Object.keys(channel?.messages ?? {})))
    this.#told = Object.values(document.operations).filter(({ action }) => action === 'send').flatMap(({ messages }) => messages.map(lastOf)).filter((name) => !this.#fed.has(name))
  }

  static async of(url: string): Promise<MessageRecorder> {
    return new MessageRecorder((await call(url, 'GET', '/api/v1/asyncapi.json')).json as unknown as MessageDocument)
  }

  /** What a client has sent over a stream. @param stream name of the connection: ids are its own */
  streamRequest(stream: string, text: string): void {
    const { id, op } = parsed(text)
    if (typeof id !== 'string' || typeof op !== 'string') return
    const key = `${stream} ${id}`
    this.#requests.set(key, [{ op, message: parsed(text) }, ...(this.#requests.get(key) ?? []).filter((asked) => asked.op !== op).map((asked) => ({ ...asked, message: null }))])
  }

  /** What a client was sent over a stream. */
  streamMessage(stream: string, message: { readonly type: string; readonly id?: string | null; readonly status?: number }): void {
    if (message.type === 'answer') return this.#answered(this.#requests.get(`${stream} ${message.id}`), message, 'refusal')
    const name = this.#told.find((one) => this.#fits(one, message))
    if (name === undefined) this.#fault(message)
    else this.seen.add(name)
  }

  /** A message on a subject of the traders' part of NATS. */
  natsMessage(subject: string, reply: string | undefined, data: Uint8Array): void {
    const text = new TextDecoder().decode(data)
    if (subject.includes('.feed.') || subject.includes('.tape.')) return this.#oneOf([...this.#fed], text)
    if (subject.includes('.trader.')) {
      if (reply === undefined || reply === '') return
      const message = text === '' ? {} : parsed(text)
      this.#requests.set(reply, [{ op: natsOperation(subject.split('.').at(-1)!, message), message }])
      return
    }
    const asked = this.#requests.get(subject)
    if (asked !== undefined) this.#answered(asked, JSON.parse(text) as { status: number }, 'natsRefusal')
  }

  /** Fails the test whose messages these were. */
  assertDocumented(): void {
    if (this.faults.length > 0) throw new Error(`messages that the document does not describe:\n${[...new Set(this.faults)].slice(0, 20).join('\n')}`)
  }

  #oneOf(names: readonly string[], text: string): void {
    const message = JSON.parse(text) as unknown
    const name = names.find((one) => this.#fits(one, message))
    if (name === undefined) this.#fault(message)
    else this.seen.add(name)
  }

  /** @param unread the name of a refusal of what could not be read as one of the requests that there are */
  #answered(asked: readonly Asked[] | undefined, message: { readonly status?: number }, unread: string): void {
    if (message.status! < 300) return this.#answeredWell(asked ?? [], message)
    const named = (asked ?? []).map(({ op }) => `${op}Refusal`).filter((name) => name in this.document.components.messages)
    const refusals = [...named, ...(named.length === (asked?.length ?? 0) && named.length > 0 ? [] : [unread])]
    const name = refusals.find((one) => this.#fits(one, message))
    if (name === undefined) this.#fault(message, refusals[0])
    else this.seen.add(name)
  }

  /** What was taken has to be what the document lets one ask. */
  #answeredWell(asked: readonly Asked[], message: object): void {
    const { op, message: request } = asked.find((one) => this.#fits(`${one.op}Answer`, message)) ?? asked[0] ?? { op: '', message: null }
    for (const [name, value] of [[op, request], [`${op}Answer`, message]] as const) {
      if (this.#fits(name, value)) this.seen.add(name)
      else this.#fault(value, name)
    }
  }

  #fault(message: unknown, name = ''): void {
    const why = name === '' ? 'no such message' : this.#ajv.errorsText(this.#validators.get(name)?.errors)
    this.faults.push(`${name} ${why}: ${JSON.stringify(message)}`)
  }

  #fits(name: string, message: unknown): boolean {
    const described = this.document.components.messages[name]
    if (described === undefined) return false
    let validate = this.#validators.get(name)
    if (validate === undefined) this.#validators.set(name, (validate = this.#ajv.compile({ ...described.payload, components: { schemas: this.document.components.schemas } })))
    return validate(message)
  }
}

function natsOperation(subject: string, { message, messages }: Record<string, unknown>): string {
  const capital = (name: string): string => `nats${name[0]!.toUpperCase()}${name.slice(1)}`
  if (subject !== 'orders') return capital(subject)
  const signed = (Array.isArray(messages) ? (messages[0] as { message?: unknown } | undefined)?.message : message) as { action?: unknown } | undefined
  const action = String(signed?.action)
  return capital(`${byAction[action] ?? action}${Array.isArray(messages) ? 'Batch' : ''}`)
}

/** Tests send anything. */
function parsed(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
