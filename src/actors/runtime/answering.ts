import type { ErrorCode } from '../../protocol/errors.ts'
import type { ActorName } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { Answer, ClientPacket, NumberedAnswer, ReplyTo } from '../../protocol/packets.ts'
import type { Subjects } from '../../protocol/subjects.ts'
import { sentence } from './log.ts'
import type { Log } from './log.ts'
import type { Machine } from './machine.ts'
import { answerPackets } from './packets.ts'
import type { Transport } from './transport.ts'

/** Answers to queries can be long lists: few to a packet. */
const queryAnswersPerPacket = 16

/** A gateway's question, put aside until everything it may show is durable. */
export interface Asked {
  readonly reply: ReplyTo
  readonly query: unknown
}

/** What an actor says to gateways: answers, refusals, and what its machine knows. */
export class Answering {
  readonly #name: ActorName
  readonly #machine: Machine
  readonly #subjects: Subjects
  readonly #transport: Transport
  readonly #log: Log

  constructor(name: ActorName, machine: Machine, subjects: Subjects, transport: Transport, log: Log) {
    this.#name = name
    this.#machine = machine
    this.#subjects = subjects
    this.#transport = transport
    this.#log = log
  }

  answer(gateway: string, answers: readonly NumberedAnswer[], perPacket: number = limits.packetItems): void {
    for (const bytes of answerPackets(this.#name, answers, perPacket)) this.#transport.publish(this.#subjects.answers(gateway), bytes)
  }

  refuse(packet: ClientPacket<unknown, unknown>, code: ErrorCode): void {
    this.answer(packet.gateway, packet.items.map(({ request }) => ({ request, answer: { refused: code } })))
  }

  answerQueries(asked: readonly Asked[]): void {
    const answers = new Map<string, NumberedAnswer[]>()
    for (const { reply, query } of asked) {
      const mine = answers.get(reply.gateway) ?? []
      mine.push({ request: reply.request, answer: this.#query(query) })
      answers.set(reply.gateway, mine)
    }
    for (const [gateway, mine] of answers) this.answer(gateway, mine, queryAnswersPerPacket)
  }

  #query(query: unknown): Answer {
    try {
      return this.#machine.query(query)
    } catch (error) {
      // A query changes nothing, so its failure is its own.
      this.#log.error('actor', 'a query failed', { reason: sentence(error) })
      return { refused: 'internal_error' }
    }
  }
}
