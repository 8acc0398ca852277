import { hash } from 'node:crypto'
import { Compile } from 'typebox/compile'
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node'
import type { LastingReadings } from '../../monitoring/lastingReadings.ts'
import { encode } from '../../protocol/codec.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import { DeskRequest, deskRequests } from '../../protocol/operator.ts'
import type { DeskAnswer, GatewayReadings, OperatorRight } from '../../protocol/operator.ts'
import type { Gateway } from '../gateway.ts'
import { Policy } from '../limits/policy.ts'
import { failure } from '../log.ts'
import { answerGoesTo } from '../subscribers/inbox.ts'
import { Errands } from './errands.ts'

/** Gateways share what one of them is to answer. */
const QUEUE = 'gateways'
/** What a list of withdrawals counts for: an actor looks through all of them. */
const LIST_COST = 20
/** As much of an operator's key as a log line has: whole keys are taken out of logs, since most are traders'. */
const SHOWN_OF_KEY = 12

const validator = Compile(DeskRequest)
/** An answer says how often it may be asked to nobody. */
const unheard = { counted: () => undefined }

type Whom = 'desk' | 'gateways'

/** What a log line says of a request: nothing of what is in it but where it went. */
interface Subject {
  readonly kind: string
  readonly actor?: string
  readonly node?: string | null
}

/**
 * Where operators ask whom the venue file names, and who have no key of the venue's own. They publish on subjects of their own key alone, inside the traders' part of
 * nats-server; the desk looks at every request, and passes on what may be passed on.
 */
export class Desk {
  readonly #gateway: Pick<Gateway, 'log' | 'name'>
  readonly #operators: ReadonlyMap<AccountId, OperatorRight>
  readonly #operatorsLink: NatsConnection
  readonly #readings: Pick<LastingReadings, 'latest'>
  readonly #errands: Errands
  /** As many keys again as this gateway's file names: those of another file, while gateways are started anew. */
  readonly #rate = new Policy('operators', limits.operatorRate, 2 * limits.operators)
  /** Requests without an answer, by operator: each by what it asks, and where its answer goes. */
  readonly #inFlight = new Map<AccountId, Set<string>>()
  readonly #serving = new Set<Promise<void>>()
  readonly #subscriptions: readonly Subscription[]

  /** @param connection in the venue's account @param operatorsLink in the server's account of those who come from outside */
  constructor(gateway: Gateway, connection: NatsConnection, operatorsLink: NatsConnection, readings: Pick<LastingReadings, 'latest'>) {
    const { venue, log, name } = gateway
    this.#gateway = gateway
    this.#operators = venue.operators
    this.#operatorsLink = operatorsLink
    this.#readings = readings
    this.#errands = new Errands(venue, connection, `${name}_desk`, log)
    const hear = (whom: Whom, queue?: string): Subscription =>
      operatorsLink.subscribe(venue.subjects.allOperatorRequests(whom), {
        ...(queue !== undefined && { queue }),
        callback: (broken, message) => {
          if (broken !== null) return log.error({ at: 'desk', error: broken.name }, 'the subscription to operators’ requests failed')
          this.#hear(whom, message)
        },
      })
    this.#subscriptions = [hear('desk', QUEUE), hear('gateways')]
  }

  /** Hears no more. What nobody has answered yet has an unknown outcome: an operator asks another gateway. */
  async drain(): Promise<void> {
    await Promise.all(this.#subscriptions.filter((subscription) => !subscription.isClosed()).map((subscription) => subscription.drain()))
    this.close()
    await Promise.all(this.#serving)
    if (!this.#operatorsLink.isClosed()) await this.#operatorsLink.flush()
  }

  close(): void {
    this.#errands.close()
  }

  #hear(whom: Whom, message: Msg): void {
    const key = message.subject.split('.').at(-2) as AccountId
    if (!answerGoesTo(key, message)) return
    const serving = this.#serve(whom, key, message).finally(() => this.#serving.delete(serving))
    this.#serving.add(serving)
  }

  async #serve(whom: Whom, key: AccountId, message: Msg): Promise<void> {
    const inFlight = this.#inFlight.get(key) ?? new Set<string>()
    let request: string | null = null
    let subject: Subject = { kind: whom }
    let answer: DeskAnswer
    try {
      this.#rate.take(key, unheard)
      const may = this.#operators.get(key)
      if (may === undefined) throw new Refusal('signer_not_allowed')
      if (message.data.length > limits.operatorRequestBytes) throw new Refusal('request_too_large')
      const name = hash('sha256', `${whom} ${message.reply}\n${hash('sha256', message.data)}`)
      // Said again before it was answered: the answer goes to the same place.
      if (inFlight.has(name)) return
      if (inFlight.size >= limits.operatorInFlight) throw new Refusal('venue_overloaded')
      this.#inFlight.set(key, inFlight.add(name))
      request = name
      if (whom === 'gateways') answer = await this.#ownReadings(message.data)
      else {
        const asked = read(message.data)
        subject = asked
        if (may !== 'act' && deskRequests[asked.kind].may === 'act') throw new Refusal('operator_may_not')
        if (asked.kind === 'ask' && (asked.query.kind === 'withdrawals' || asked.query.kind === 'cosigns')) this.#rate.take(key, unheard, LIST_COST)
        answer = await this.#errands.do(asked)
      }
    } catch (error) {
      if (!(error instanceof Refusal)) this.#gateway.log.error({ at: 'desk#serve', ...failure(error) }, 'an operator’s request failed')
      answer = refusalOf(error)
    } finally {
      if (request !== null && inFlight.delete(request) && inFlight.size === 0) this.#inFlight.delete(key)
    }
    const outcome = this.#answer(message, answer)
    // One that asks too often would fill the log.
    if (outcome === 'rate_exceeded') return
    const { kind, actor, node } = subject
    this.#gateway.log.info({ at: 'desk#serve', operator: key.slice(0, SHOWN_OF_KEY), kind, ...(actor !== undefined && { actor }), ...(node !== undefined && { node }), outcome }, 'an operator asked')
  }

  async #ownReadings(data: Uint8Array): Promise<DeskAnswer<GatewayReadings>> {
    if (data.length > 0) throw new Refusal('request_malformed')
    return { ok: { gateway: this.#gateway.name, readings: await this.#readings.latest() } }
  }

  /** @returns what became of the request, in a word */
  #answer(message: Msg, answer: DeskAnswer): string {
    const whole = encode(answer)
    const fits = whole.length <= limits.natsPayloadBytes
    const sent: DeskAnswer = fits ? answer : { refused: 'answer_too_large' }
    if (!this.#operatorsLink.isClosed()) message.respond(fits ? whole : encode(sent))
    return 'refused' in sent ? sent.refused : 'done'
  }
}

const refusalOf = (error: unknown): DeskAnswer => (error instanceof Refusal ? { refused: error.code, ...(error.detail !== undefined && { detail: error.detail }) } : { refused: 'internal_error' })

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** @throws Refusal request_malformed */
function read(data: Uint8Array): DeskRequest {
  let asked: unknown
  try {
    asked = JSON.parse(utf8.decode(data))
  } catch {
    throw new Refusal('request_malformed')
  }
  if (!validator.Check(asked)) throw new Refusal('request_malformed')
  return asked
}
