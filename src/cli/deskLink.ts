import { createInbox, NoRespondersError } from '@nats-io/nats-core'
import type { Msg, NatsConnection } from '@nats-io/nats-core'
import type { NatsAccess } from '../client/natsAccess.ts'
import { decode } from '../protocol/codec.ts'
import { textOf } from '../protocol/errors.ts'
import type { ErrorCode } from '../protocol/errors.ts'
import type { DeskAnswer, DeskRequest, GatewayReadings } from '../protocol/operator.ts'
import { Subjects } from '../protocol/subjects.ts'
import { Declined, Unanswered } from './fault.ts'
import { answerOf } from './operation.ts'

/**
 * How long the first answer is waited for before the same is said again, to whichever gateway hears it then: one may have ended with it. By how much longer each time, and at most: who works at
 * something for minutes is not asked for it all the time.
 */
const FIRST_PAUSE_MS = 3_000
const GROWTH = 2
const LONGEST_PAUSE_MS = 20_000
/** Before saying again what was heard by nobody, or not taken for the moment. */
const SOON_MS = 1_000
/** Gateways of one venue that are listened to. */
const GATEWAYS = 64

/** What the desk itself refuses with, and nobody whom it asks. */
const own: ReadonlySet<ErrorCode> = new Set(['operator_may_not', 'signer_not_allowed', 'answer_too_large', 'rate_exceeded', 'request_too_large', 'venue_not_ready', 'internal_error'])
/** It says nothing of what was asked: the same is asked again. */
const passing: ReadonlySet<ErrorCode> = new Set(['outcome_unknown', 'rate_exceeded', 'venue_not_ready'])

/** The gateways of a venue as an operator asks them over NATS. */
export class DeskLink {
  readonly #connection: NatsConnection
  readonly #subjects: Subjects
  readonly #access: NatsAccess

  constructor(connection: NatsConnection, venue: string, access: NatsAccess) {
    this.#connection = connection
    this.#subjects = new Subjects(venue)
    this.#access = access
  }

  /**
   * Asks one gateway, and the same of another where no answer comes, over a new connection where the one was lost.
   * @param whom who has to answer in the end, in words
   * @throws Unanswered after `limit_ms`, Declined where it is refused
   */
  async ask<Value>(whom: string, request: DeskRequest, limit_ms: number): Promise<Value> {
    const { answer, absent } = await this.#answer(JSON.stringify(request), limit_ms)
    if (answer === null || ('refused' in answer && answer.refused === 'outcome_unknown')) throw new Unanswered(absent ? 'no gateway of the venue hears operators' : `${whom} does not answer`)
    if ('refused' in answer && own.has(answer.refused)) throw new Declined(`${textOf(answer.refused)} [${answer.refused}]`)
    return answerOf(whom, answer)
  }

  /** What every gateway says of itself, of those that answer within `within_ms`, which is how long it takes. */
  async gateways(within_ms: number): Promise<readonly GatewayReadings[]> {
    const heard: GatewayReadings[] = []
    try {
      const answers = await this.#connection.requestMany(this.#subjects.operatorRequest(this.#access.key, 'gateways'), new Uint8Array(), { strategy: 'timer', maxWait: within_ms, maxMessages: GATEWAYS })
      for await (const { data } of answers) {
        const answer = decode<DeskAnswer<GatewayReadings>>(data)
        if ('ok' in answer) heard.push(answer.ok)
      }
    } catch (error) {
      // The server says so where no gateway is there.
      if (!(error instanceof NoRespondersError)) throw error
    }
    return heard
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }

  /** The first answer that is one, or what was refused last. `absent`: nobody was there, ever, to hear it. */
  async #answer(request: string, limit_ms: number): Promise<{ readonly answer: DeskAnswer | null; readonly absent: boolean }> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const inbox = createInbox(this.#access.options.inboxPrefix)
    let [answer, absent, pause_ms]: [DeskAnswer | null, boolean, number] = [null, false, FIRST_PAUSE_MS]
    let again: NodeJS.Timeout | undefined
    const say = (): void => {
      if (this.#connection.isClosed()) return
      this.#connection.publish(this.#subjects.operatorRequest(this.#access.key, 'desk'), request, { reply: inbox })
      again = setTimeout(say, pause_ms)
      pause_ms = Math.min(pause_ms * GROWTH, LONGEST_PAUSE_MS)
    }
    const soon = (): void => {
      clearTimeout(again)
      again = setTimeout(say, SOON_MS)
    }
    const hear = (message: Msg): void => {
      if (message.headers?.code === 503) {
        absent = answer === null
        return soon()
      }
      absent = false
      try {
        answer = decode<DeskAnswer>(message.data)
      } catch {
        // That was no answer: the same is asked again.
        return
      }
      if ('refused' in answer && passing.has(answer.refused)) return soon()
      resolve()
    }
    const answers = this.#connection.subscribe(inbox, { callback: (failure, message) => (failure === null ? hear(message) : undefined) })
    const late = setTimeout(resolve, limit_ms)
    say()
    try {
      await promise
      return { answer, absent }
    } finally {
      clearTimeout(again)
      clearTimeout(late)
      if (!this.#connection.isClosed()) answers.unsubscribe()
    }
  }
}
