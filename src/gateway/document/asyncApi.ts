import { Type } from 'typebox'
import type { TSchema } from 'typebox'
import { errorCodes } from '../../protocol/errors.ts'
import type { ErrorCode } from '../../protocol/errors.ts'
import type { AccountId, MarketName } from '../../protocol/identity.ts'
import type { Action } from '../../protocol/messages/message.ts'
import { messageSchemas, SignedRequest } from '../../protocol/messages/message.ts'
import { BatchRequest, operations as natsOperations } from '../../protocol/nats.ts'
import type { Operation } from '../../protocol/nats.ts'
import { traderInbox } from '../../protocol/subjects.ts'
import type { Venue } from '../../protocol/venue.ts'
import { entryCodes } from '../entryCodes.ts'
import { BalanceShape, OrderShape, RefusedShape } from '../schemas.ts'
import { closings } from '../streams/closings.ts'
import { answerBodies, FeedMessageShape, feedSchemas, requestSchemas, sentSchemas, TapePrintShape } from '../streams/messages.ts'
import type { Op } from '../streams/messages.ts'
import { STREAM_PATH } from '../streams/path.ts'
import { capital, Components } from './components.ts'
import { codesOf } from './description.ts'

type Json = Readonly<Record<string, unknown>>

/** What a request does, and the action of the signed messages in it. */
const requests: Readonly<Record<Op, { readonly summary: string; readonly action?: Action }>> = {
  ping: { summary: 'The gateway’s clock' },
  login: { summary: 'Who you are: by a token, or by a message signed for this connection alone', action: 'login' },
  subscribe: { summary: 'Follow channels, from a snapshot or behind a number' },
  unsubscribe: { summary: 'Follow channels no more' },
  place: { summary: 'Place an order', action: 'order' },
  amend: { summary: 'Amend an order: another price, another total quantity', action: 'amend' },
  cancel: { summary: 'Cancel an order', action: 'cancel' },
  cancelAll: { summary: 'Cancel all orders, of one market or of all', action: 'cancelAll' },
  deadMan: { summary: 'Set, renew or end a dead-man timer', action: 'deadMan' },
  placeBatch: { summary: 'Place up to 100 orders, each with a result of its own', action: 'order' },
  cancelBatch: { summary: 'Cancel up to 100 orders, each with a result of its own', action: 'cancel' },
}

/** What a stream sends by itself. */
const told: Readonly<Record<Exclude<keyof typeof sentSchemas, 'answer' | 'refusal'>, string>> = {
  hello: 'The first message of a connection; its challenge is the nonce of a signed login',
  orderSnapshot: 'Every pending and open order, in parts',
  balanceSnapshot: 'Every asset’s balances',
  marketSnapshot: 'What each market says of itself',
  tapeSnapshot: 'Where each market’s tape begins',
  orders: 'An order comes to rest, changes its terms, or closes',
  fills: 'A fill, before the order that it closes',
  settlement: 'A deposit, a withdrawal, or trades that are settled',
  keys: 'A delegated key has changed',
  balances: 'Balances have changed',
  market: 'A market says something else of itself',
  tape: 'What was traded at one price within an interval, late and rounded',
  heartbeat: 'Of each channel of the account, how far it has been told',
}

const feedSummaries: Readonly<Record<keyof typeof feedSchemas, string>> = {
  order: told.orders,
  fill: told.fills,
  settled: 'Trades are settled on chain',
  deposit: 'A deposit has arrived in the vault',
  withdrawal: 'A withdrawal has come a step further',
  key: told.keys,
}

/** What traders ask over NATS: on which subject, with what, and what a good answer's body is. */
const natsRequests: Readonly<Record<string, { readonly operation: Operation; readonly summary: string; readonly request: TSchema; readonly action?: Action; readonly body: TSchema }>> = {
  place: { ...requests.place, operation: 'orders', request: SignedRequest, body: answerBodies.place },
  amend: { ...requests.amend, operation: 'orders', request: SignedRequest, body: answerBodies.amend },
  cancel: { ...requests.cancel, operation: 'orders', request: SignedRequest, body: answerBodies.cancel },
  cancelAll: { ...requests.cancelAll, operation: 'orders', request: SignedRequest, body: answerBodies.cancelAll },
  deadMan: { ...requests.deadMan, operation: 'orders', request: SignedRequest, body: answerBodies.deadMan },
  placeBatch: { ...requests.placeBatch, operation: 'orders', request: BatchRequest, body: answerBodies.placeBatch },
  cancelBatch: { ...requests.cancelBatch, operation: 'orders', request: BatchRequest, body: answerBodies.cancelBatch },
  replay: {
    operation: 'replay', summary: 'The feed’s messages behind a number, oldest first', request: natsOperations.replay,
    body: Type.Object({ messages: Type.Array(FeedMessageShape), last: Type.Integer({ minimum: 0, description: 'The number to go on from' }), more: Type.Boolean() }, { additionalProperties: false }),
  },
  balances: { operation: 'balances', summary: 'Balances', request: natsOperations.balances, body: Type.Object({ balances: Type.Array(BalanceShape) }, { additionalProperties: false }) },
  openOrders: { operation: 'openOrders', summary: 'Pending and open orders', request: natsOperations.openOrders, body: Type.Object({ orders: Type.Array(OrderShape) }, { additionalProperties: false }) },
}

/** What any request can be refused with, and what one that is read or done by a part of the venue behind the gateway can. */
const any: readonly ErrorCode[] = ['venue_overloaded']
const served: readonly ErrorCode[] = ['venue_not_ready', 'account_unavailable', 'history_unavailable', 'internal_error']
/** What can be refused before it is known what was asked. */
const unread: readonly ErrorCode[] = ['request_malformed', 'request_too_large', 'rate_exceeded', 'venue_overloaded']
const natsUnread: readonly ErrorCode[] = [...unread, 'message_malformed', 'action_unsupported', 'route_unknown', 'signer_not_allowed', 'seal_missing', 'seal_broken', 'internal_error']

/** What each request can be refused with: every code, in the order of docs/api/errors.md. A batch that is taken says for each of its messages what became of it. */
const refusals: Readonly<Record<Op, readonly ErrorCode[]>> = {
  ping: listed(codesOf('none', false, any)),
  login: listed(codesOf('signature', false, [...any, 'token_invalid', 'account_unknown', 'login_conflict', 'streams_exceeded', 'timers_exceeded'])),
  subscribe: listed(codesOf('none', false, [...any, ...served, 'market_unknown', 'tape_off', 'login_missing', 'resume_ahead', 'feed_trimmed'])),
  unsubscribe: listed(codesOf('none', false, any)),
  place: entryRefusals('place'),
  amend: entryRefusals('amend'),
  cancel: entryRefusals('cancel'),
  cancelAll: entryRefusals('cancelAll'),
  deadMan: entryRefusals('deadMan'),
  placeBatch: listed(codesOf('none', false, [...any, 'internal_error'])),
  cancelBatch: listed(codesOf('none', false, [...any, 'internal_error'])),
}

/** What can be refused over NATS besides: where the venue seals, and where a message is another account’s. */
const natsOnly: readonly ErrorCode[] = ['signer_not_allowed', 'seal_missing', 'seal_broken', 'internal_error']
const natsRefusals: Readonly<Record<string, readonly ErrorCode[]>> = {
  ...refusals,
  replay: listed(codesOf('none', false, [...any, ...served, 'feed_trimmed', 'resume_ahead'])),
  balances: listed(codesOf('none', false, [...any, ...served])),
  openOrders: listed(codesOf('none', false, [...any, ...served])),
}

function entryRefusals(entry: keyof typeof entryCodes): readonly ErrorCode[] {
  return listed(codesOf('signature', false, [...any, ...entryCodes[entry]]))
}

function listed(codes: ReadonlySet<ErrorCode>): readonly ErrorCode[] {
  return errorCodes.filter((code) => codes.has(code))
}

function problem(codes: readonly ErrorCode[]): TSchema {
  return { ...RefusedShape, properties: { ...RefusedShape.properties, code: { enum: codes, description: 'docs/api/errors.md says what each means' } } }
}

const ref = (path: string): Json => ({ $ref: `#/${path}` })

/** One channel of the document, with the messages that it carries, and what is done there. */
class Messages {
  readonly #components: Components
  readonly #all: Record<string, Json>
  readonly #own: Record<string, Json> = {}
  readonly #channel: string

  constructor(channel: string, components: Components, all: Record<string, Json>) {
    this.#channel = channel
    this.#components = components
    this.#all = all
  }

  /** References to all of them, as a channel lists them. */
  get listed(): Json {
    return this.#own
  }

  /** @returns the reference by which an operation names it */
  add(name: string, summary: string, schema: unknown, more: Json = {}): Json {
    this.#all[name] ??= { name, summary, payload: this.#components.refer(schema as TSchema), ...more }
    this.#own[name] = ref(`components/messages/${name}`)
    return ref(`channels/${this.#channel}/messages/${name}`)
  }
}

/**
 * An AsyncAPI 3.0 description of what a gateway says and hears over WebSocket, and over NATS where traders may go there: made from the very schemas that check it.
 * Operations are the gateway's: it receives requests and sends the rest.
 * @param web where the gateway is reached: `http://…` or `https://…`
 */
export function asyncApi(venue: Venue, web: string): Json {
  const components = new Components()
  const messages: Record<string, Json> = {}
  const operations: Record<string, Json> = {}
  const channels: Record<string, Json> = {}
  const parts = [stream, ...(venue.file.nats.traders === true ? [nats] : [])]
  for (const part of parts) part(venue, { components, messages, operations, channels })
  const { protocol, host } = new URL(web)
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Dark pool gateway: streams and feeds',
      version: '1',
      description: 'What happens to an account and to markets, as it happens, and order entry. Decimals are strings in one spelling; unknown members are refused. Operations are named from the gateway’s side: it receives requests, and sends the rest. What has the same name over HTTP is the same: /api/v1/openapi.json.',
    },
    defaultContentType: 'application/json',
    servers: { gateway: { host, protocol: protocol === 'https:' ? 'wss' : 'ws', description: 'WebSocket (RFC 6455): text frames, one message each, not compressed' }, ...(venue.file.nats.traders === true ? natsServers(venue) : {}) },
    channels,
    operations,
    components: { messages, schemas: components.schemas },
  }
}

interface Document {
  readonly components: Components
  readonly messages: Record<string, Json>
  readonly operations: Record<string, Json>
  readonly channels: Record<string, Json>
}

function natsServers({ file: { nats } }: Venue): Json {
  const sealed = nats.sealed === undefined ? '' : '. Feeds, requests and answers are sealed for the account: the messages here are what is inside (docs/api/nats.md)'
  const description = `NATS: the nkey is the account’s or a delegated key, or one that a signed session message names${sealed}`
  return Object.fromEntries((nats.addresses ?? []).map((address, n) => {
    const { protocol, host } = new URL(address)
    return [`nats${n + 1}`, { host, protocol: protocol.slice(0, -1), description }]
  }))
}

function stream(_venue: Venue, { components, messages, operations, channels }: Document): void {
  const own = new Messages('stream', components, messages)
  const refusal = (codes: readonly ErrorCode[]): unknown => ({ ...sentSchemas.refusal, properties: { ...sentSchemas.refusal.properties, problem: problem(codes) } })
  for (const [op, { summary, action }] of Object.entries(requests) as [Op, (typeof requests)[Op]][]) {
    const answer = { ...sentSchemas.answer, properties: { ...sentSchemas.answer.properties, body: answerBodies[op] } }
    operations[op] = {
      action: 'receive', summary, channel: ref('channels/stream'),
      messages: [own.add(op, summary, spelled(requestSchemas[op], action), answersTo)],
      reply: {
        channel: ref('channels/stream'),
        messages: [own.add(`${op}Answer`, `The answer to ${op}`, answer, answersTo), own.add(`${op}Refusal`, `Why ${op} was refused: the problem that it would be over HTTP`, refusal(refusals[op]), answersTo)],
      },
    }
  }
  operations.sendRefusal = { action: 'send', summary: 'Why a message that is no request was refused', channel: ref('channels/stream'), messages: [own.add('refusal', 'What was sent is no request, or not one of those that there are', refusal(unread))] }
  for (const [name, summary] of Object.entries(told) as [keyof typeof told, string][]) {
    operations[`send${capital(name)}`] = { action: 'send', summary, channel: ref('channels/stream'), messages: [own.add(name, summary, sentSchemas[name])] }
  }
  channels.stream = {
    address: STREAM_PATH,
    servers: [ref('servers/gateway')],
    messages: own.listed,
    bindings: { ws: { method: 'GET', bindingVersion: '0.1.0' } },
    'x-closeCodes': Object.fromEntries(Object.entries(closings).map(([reason, code]) => [code, reason])),
  }
}

/** A request and its answer carry the same id. */
const answersTo = { correlationId: { location: '$message.payload#/id' } }

function nats({ subjects, file, markets }: Venue, { components, messages, operations, channels }: Document): void {
  const servers = (file.nats.addresses ?? []).map((_address, n) => ref(`servers/nats${n + 1}`))
  const account = { description: 'Whose account: G… or C…' }
  const key = { description: 'The key with which the connection is there: G…' }
  const feed = new Messages('feed', components, messages)
  for (const [type, summary] of Object.entries(feedSummaries) as [keyof typeof feedSchemas, string][]) feed.add(`feed${capital(type)}`, summary, feedSchemas[type])
  channels.feed = { address: subjects.feed('{account}' as AccountId), servers, parameters: { account }, messages: feed.listed, description: 'Numbered from 1 without a gap: what is missing, replay has' }
  operations.natsFeed = { action: 'send', summary: 'What happens to the account', channel: ref('channels/feed'), messages: Object.keys(feed.listed).map((name) => ref(`channels/feed/messages/${name}`)) }

  if ([...markets.values()].some(({ rules }) => rules.tape !== null)) {
    const tape = new Messages('tape', components, messages)
    const print = tape.add('tapePrint', told.tape, TapePrintShape)
    channels.tape = { address: subjects.tape('{market}' as MarketName), servers, parameters: { market: { description: 'A market that has a public tape' } }, messages: tape.listed, description: 'Numbered from 1 without a gap' }
    operations.natsTape = { action: 'send', summary: told.tape, channel: ref('channels/tape'), messages: [print] }
  }

  const inbox = new Messages('inbox', components, messages)
  const answer = (body: TSchema): unknown => ({ type: 'object', properties: { status: { type: 'integer' }, body }, required: ['status', 'body'], additionalProperties: false })
  const retry = { headers: { type: 'object', properties: { 'Retry-After': { type: 'string', description: 'Seconds to wait before the next try, where it is worth one' } } } }
  const unknown = inbox.add('natsRefusal', 'What was asked is none of the requests that there are', answer(problem(listed(new Set(natsUnread)))), retry)
  const bySubject = new Map<Operation, Messages>()
  for (const [name, { operation, summary, request, action, body }] of Object.entries(natsRequests)) {
    const own = bySubject.get(operation) ?? new Messages(operation, components, messages)
    bySubject.set(operation, own)
    operations[`nats${capital(name)}`] = {
      action: 'receive', summary, channel: ref(`channels/${operation}`),
      messages: [own.add(`nats${capital(name)}`, summary, spelled(request, action))],
      reply: {
        channel: ref('channels/inbox'),
        messages: [
          inbox.add(`nats${capital(name)}Answer`, `The answer to ${name}`, answer(body)),
          inbox.add(`nats${capital(name)}Refusal`, `Why ${name} was refused: the problem that it would be over HTTP`, answer(problem(listed(new Set([...natsRefusals[name]!, ...natsOnly])))), retry),
          unknown,
        ],
      },
    }
  }
  for (const [operation, own] of bySubject) {
    channels[operation] = { address: subjects.traderRequest('{account}' as AccountId, '{key}' as AccountId, operation), servers, parameters: { account, key }, messages: own.listed }
  }
  channels.inbox = {
    address: `${traderInbox('{key}' as AccountId)}.{reply}`,
    servers,
    parameters: { key, reply: { description: 'As the client library makes it: one to four tokens' } },
    messages: inbox.listed,
    description: 'The reply subject of a request has to be in here, or nothing is answered and nothing is done',
  }
}

/** A schema with the members of a signed message where the envelope has room for any: the gateway checks them after it. */
function spelled(value: unknown, action: Action | undefined): unknown {
  if (value === SignedRequest.properties.message && action !== undefined) return messageSchemas[action]
  if (Array.isArray(value)) return value.map((one) => spelled(one, action))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, spelled(one, action)]))
}
