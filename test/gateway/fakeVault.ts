import type { NatsConnection, Subscription } from '@nats-io/transport-node'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { ActorName, Amount, Lots, MarketName, Milliseconds } from '../../src/protocol/identity.ts'
import type { ActorAlarm, Answer, AnswerPacket, ClientPacket } from '../../src/protocol/packets.ts'
import type { PairOutcome } from '../../src/protocol/pair.ts'
import { pairActor, vaultActor } from '../../src/protocol/subjects.ts'
import type { PlaceOrder, VaultCommand, VaultQuery } from '../../src/protocol/vault.ts'
import type { Venue } from '../../src/protocol/venue.ts'

export type Packet = ClientPacket<VaultCommand, VaultQuery>
/** What to answer, and by which actor; null for no answer at all. */
export type Script = (asked: VaultCommand | VaultQuery) => { answer: Answer; from?: ActorName } | null

/** An order of a test's market as a market with nothing in it leaves it. */
export const resting = (command: PlaceOrder): { answer: Answer; from: ActorName } => ({
  answer: { ok: { order: command.id, status: 'open', reason: null, ticks: command.ticks, lots: command.lots, filledLots: 0 as Lots, filledQuote: 0n as Amount, created: 1_699_999_999_999 as Milliseconds, time: 1_700_000_000_000 as Milliseconds } satisfies PairOutcome },
  from: pairActor(command.market),
})

/** Stands where all vault actors of a venue would: answers as a test says, over real NATS, and keeps what it heard. */
export class FakeVault {
  readonly packets: Packet[] = []
  script: Script = (asked) => (asked.kind === 'place' ? resting(asked) : { answer: { refused: 'internal_error' } })
  readonly #connection: NatsConnection
  readonly #venue: Venue
  readonly #subscriptions: Subscription[] = []

  constructor(connection: NatsConnection, venue: Venue) {
    this.#connection = connection
    this.#venue = venue
  }

  get heard(): (VaultCommand | VaultQuery)[] {
    return this.packets.flatMap((packet) => packet.items.map((item) => ('command' in item ? item.command : item.query)))
  }

  async open(): Promise<void> {
    for (let partition = 0; partition < this.#venue.file.vaultPartitions; partition++) {
      const actor = vaultActor(partition)
      const callback = (failure: Error | null, message: { data: Uint8Array }) => {
        if (failure === null) this.#hear(actor, decode<Packet>(message.data))
      }
      this.#subscriptions.push(this.#connection.subscribe(this.#venue.subjects.clients(actor), { callback }))
    }
    await this.#connection.flush()
  }

  /** For a script that has nothing to say yet: gives that answer later, when it is called. */
  later(asked: VaultCommand | VaultQuery, { answer, from }: { answer: Answer; from: ActorName }): () => void {
    const packet = this.packets.at(-1)!
    const item = packet.items.find((one) => ('command' in one ? one.command : one.query) === asked)!
    return () => this.publish(this.#venue.subjects.answers(packet.gateway), encode({ from, answers: [{ request: item.request, answer }] } satisfies AnswerPacket))
  }

  /** Says anything to anybody. */
  publish(subject: string, data: Uint8Array): void {
    this.#connection.publish(subject, data)
  }

  /** Resolves when it hears again what is sent to it, after nats-server was away. */
  async connected(): Promise<void> {
    for (;;) {
      try {
        return await this.#connection.flush()
      } catch {
        // Not yet: a flush fails where there is no connection, and the client library goes on trying to have one.
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
  }

  async close(): Promise<void> {
    for (const subscription of this.#subscriptions.splice(0)) subscription.unsubscribe()
    await this.#connection.flush()
  }

  /** Says of actors that they run, or whatever else. */
  async say(actors: readonly ActorName[], state = 'running', epoch = 1, alarms: readonly ActorAlarm[] = []): Promise<void> {
    for (const actor of actors) this.#connection.publish(this.#venue.subjects.status(actor), encode({ actor, node: 'a', epoch, state, records: 1, backlog: 0, alarms }))
    await this.#connection.flush()
  }

  #hear(actor: ActorName, packet: Packet): void {
    this.packets.push(packet)
    const byActor = new Map<ActorName, { request: number; answer: Answer }[]>()
    for (const item of packet.items) {
      const answered = this.script('command' in item ? item.command : item.query)
      if (answered === null) continue
      const from = answered.from ?? actor
      byActor.set(from, [...(byActor.get(from) ?? []), { request: item.request, answer: answered.answer }])
    }
    for (const [from, answers] of byActor) this.#connection.publish(this.#venue.subjects.answers(packet.gateway), encode({ from, answers } satisfies AnswerPacket))
  }
}

export const marketName = 'XLM-USDC' as MarketName
