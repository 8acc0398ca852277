import { Compile } from 'typebox/compile'
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node'
import { headers } from '@nats-io/transport-node'
import { SealBroken } from '../../enclave/feedSeal.ts'
import type { FeedSeal } from '../../enclave/feedSeal.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import { operations } from '../../protocol/nats.ts'
import type { Operation, OperationAnswer, ReplayRequest } from '../../protocol/nats.ts'
import { sealForm } from '../../protocol/seal.ts'
import type { BalanceState, OrderState } from '../../protocol/vault.ts'
import { balancesView } from '../balanceView.ts'
import type { Caller } from '../caller.ts'
import type { Allowance } from '../limits/allowance.ts'
import type { Gateway } from '../gateway.ts'
import { isCancel } from '../limits/rates.ts'
import { failure } from '../log.ts'
import { batchResult } from '../orderEntry.ts'
import type { Entry } from '../orderEntry.ts'
import { problemOf } from '../problem.ts'
import type { SignedBody } from '../submission.ts'
import { answerGoesTo } from './inbox.ts'
import type { Replay } from './replay.ts'

/** Gateways share the requests. */
const QUEUE = 'gateways'

const validators = { orders: Compile(operations.orders), replay: Compile(operations.replay), balances: Compile(operations.balances), openOrders: Compile(operations.openOrders) }
const entries: Readonly<Record<string, Entry>> = { order: 'place', amend: 'amend', cancel: 'cancel', cancelAll: 'cancelAll', deadMan: 'deadMan' }

/** One request over NATS: who asks is said by its subject, on which only that connection may publish. */
class NatsCaller implements Caller {
  readonly requestId: string
  readonly #message: Msg
  readonly #seal: ((text: string) => Uint8Array) | null
  #retryAfter_s: number | null = null

  /** @param seal of its answers; null where they go as they are */
  constructor(message: Msg, requestId: string, seal: ((text: string) => Uint8Array) | null = null) {
    this.#message = message
    this.requestId = requestId
    this.#seal = seal
  }

  counted({ refused, seconds }: Allowance): void {
    if (refused) this.#retryAfter_s = seconds
  }

  answer(status: number, body: object): void {
    const text = JSON.stringify({ status, body } satisfies OperationAnswer)
    const answer = this.#seal === null ? text : this.#seal(text)
    if (this.#retryAfter_s === null) return void this.#message.respond(answer)
    const head = headers()
    head.set('Retry-After', String(this.#retryAfter_s))
    this.#message.respond(answer, { headers: head })
  }

  refuse(refusal: Refusal): void {
    const problem = problemOf(refusal, this.requestId)
    this.answer(problem.status, problem)
  }
}

/**
 * Answers traders' requests over NATS, by the same ways as the routes: the same limits, refusals and bodies. nats-server lets a connection publish only on its own
 * subjects, but does not look where it wants the answer: one that would go anywhere but to its own inbox is not answered, and nothing is done.
 */
export class Requests {
  readonly #gateway: Gateway
  readonly #replay: Replay
  readonly #subscription: Subscription
  #count = 0

  /** @param traders connection in the server's account of the traders */
  constructor(gateway: Gateway, traders: NatsConnection, replay: Replay) {
    this.#gateway = gateway
    this.#replay = replay
    this.#subscription = traders.subscribe(gateway.venue.subjects.allTraderRequests, {
      queue: QUEUE,
      callback: (broken, message) => {
        if (broken !== null) return gateway.log.error({ at: 'requests', error: broken.name }, 'the subscription to traders’ requests failed')
        this.#hear(message)
      },
    })
  }

  /** Resolves when nothing more can come. What came is answered while the gateway drains. */
  async drain(): Promise<void> {
    if (!this.#subscription.isClosed()) await this.#subscription.drain()
  }

  #hear(message: Msg): void {
    const [account, key, operation] = message.subject.split('.').slice(-3) as [AccountId, AccountId, string]
    if (!answerGoesTo(key, message)) return
    const requestId = `${this.#gateway.name}-n${(++this.#count).toString(36)}`
    let caller = new NatsCaller(message, requestId)
    const serve = async (): Promise<void> => {
      const { seal } = this.#gateway
      if (seal === null) return this.#serve(account, key, operation, message.data, caller)
      const { data, salt } = this.#open(seal, account, key, operation, message.data, caller)
      caller = new NatsCaller(message, requestId, (text) => seal.sealAnswer(account, operation, salt, text))
      return this.#serve(account, key, operation, data, caller)
    }
    serve().catch((error: unknown) => {
      if (!(error instanceof Refusal)) this.#gateway.log.error({ at: 'requests#serve', requestId: caller.requestId, ...failure(error) }, 'a request failed')
      caller.refuse(error instanceof Refusal ? error : new Refusal('internal_error'))
    })
  }

  /** What was asked, of a venue that seals. A refusal of this goes as it is, and says nothing of the account. @throws Refusal */
  #open(seal: FeedSeal, account: AccountId, key: AccountId, operation: string, data: Uint8Array, caller: NatsCaller): { data: Uint8Array; salt: Uint8Array } {
    try {
      const { text, salt } = seal.openRequest(account, operation, data)
      return { data: Buffer.from(text), salt }
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error
      this.#gateway.rates.policies.requests.take(key, caller)
      throw new Refusal(data[0] === sealForm.request ? 'seal_broken' : 'seal_missing')
    }
  }

  /** Answers, or throws what is to be answered. @throws Refusal */
  async #serve(account: AccountId, key: AccountId, operation: string, data: Uint8Array, caller: NatsCaller): Promise<void> {
    if (!Object.hasOwn(validators, operation)) throw new Refusal('route_unknown')
    const { rates } = this.#gateway
    if (data.length > limits.batchBytes) throw new Refusal('request_too_large')
    const asked = data.length === 0 ? {} : parsed(data)
    if (operation === 'orders') return this.#enter(account, key, asked, data.length, caller)
    rates.policies.requests.take(key, caller)
    if (!validators[operation as Operation].Check(asked)) throw new Refusal('request_malformed')
    rates.policies.reads.take(account, caller, operation === 'replay' ? limits.replayCost : 1)
    if (operation === 'replay') return caller.answer(200, await this.#replay.page(account, asked as ReplayRequest))
    if (operation === 'balances') return caller.answer(200, { balances: balancesView(await this.#gateway.read<BalanceState[]>({ kind: 'balances', account }), this.#gateway.venue) })
    const orders = await this.#gateway.read<OrderState[]>({ kind: 'orders', account, market: null, open: true, limit: limits.listedOrders })
    caller.answer(200, { orders: orders.map((order) => this.#gateway.view(order)) })
  }

  #enter(account: AccountId, key: AccountId, asked: unknown, bytes: number, caller: NatsCaller): void {
    const { orderEntry, rates } = this.#gateway
    const wellFormed = validators.orders.Check(asked)
    const bodies = wellFormed ? messagesOf(asked) : []
    const action = bodies[0]?.message.action
    rates.policies[isCancel(action as Entry) ? 'addressCancels' : 'requests'].take(key, caller)
    if (!wellFormed) throw new Refusal('request_malformed')
    if (bodies.some(({ message }) => message.account !== account)) throw new Refusal('signer_not_allowed')
    if ('messages' in (asked as object)) {
      const entry = action === 'cancel' ? 'cancel' : 'place'
      return orderEntry.submitAll(entry, bodies, caller, (results) => caller.answer(200, { results: results.map(batchResult) }))
    }
    if (bytes > limits.requestBytes) throw new Refusal('request_too_large')
    const entry = Object.hasOwn(entries, action ?? '') ? entries[action!] : undefined
    if (entry === undefined) throw new Refusal(action === undefined ? 'message_malformed' : 'action_unsupported', 'action')
    orderEntry.submit(entry, bodies[0]!, caller, (result) => caller.answer(result.status, 'problem' in result ? result.problem : result.body))
  }
}

const messagesOf = (asked: SignedBody | { readonly messages: readonly SignedBody[] }): readonly SignedBody[] => ('messages' in asked ? asked.messages : [asked])

const utf8 = new TextDecoder('utf-8', { fatal: true })

function parsed(data: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(data))
  } catch {
    throw new Refusal('request_malformed')
  }
}
