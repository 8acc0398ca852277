import type { NatsConnection } from '@nats-io/transport-node'
import type { LastingReadings } from '../monitoring/lastingReadings.ts'
import type { Readings } from '../monitoring/meters.ts'
import { decode, encode } from '../protocol/codec.ts'
import { Refusal } from '../protocol/errors.ts'
import type { ActorName } from '../protocol/identity.ts'
import type { Answer, ClientItem, ClientPacket, ShardAnswers } from '../protocol/packets.ts'
import type { ShardCommand, TakenSnapshot } from '../protocol/shard.ts'
import type { Subjects } from '../protocol/subjects.ts'
import { sentence } from './runtime/log.ts'
import type { Log } from './runtime/log.ts'
import type { SnapshotSchedule } from './snapshotSchedule.ts'

/** Commands that are being done. What is said again meanwhile is the same command. */
const MOST_UNANSWERED = 64

export interface ShardCommandsParts {
  readonly connection: NatsConnection
  readonly subjects: Subjects
  readonly node: string
  readonly snapshots: Pick<SnapshotSchedule, 'demand'>
  readonly readings: Pick<LastingReadings, 'latest'>
  readonly log: Log
}

/** Does what operators ask of a shard. Whoever speaks there has the venue's own key: nobody else reaches the subject. */
export function serveShardCommands({ connection, subjects, node, snapshots, readings, log }: ShardCommandsParts): void {
  const unanswered = new Set<string>()

  const take = async (actor: ActorName): Promise<Answer<TakenSnapshot>> => {
    const { snapshot, bytes, former } = await snapshots.demand(actor)
    return { ok: { record: snapshot, bytes, former } }
  }

  const obey = async (command: ShardCommand): Promise<Answer<TakenSnapshot | readonly Readings[]>> => {
    try {
      switch (command.kind) {
        case 'snapshot':
          return await take(command.actor)
        case 'metrics':
          return { ok: await readings.latest() }
        default:
          return { refused: 'request_malformed' }
      }
    } catch (error) {
      if (error instanceof Refusal) return { refused: error.code, ...(error.detail !== undefined && { detail: error.detail }) }
      log.error('shard', 'what an operator asks for failed', { reason: sentence(error) })
      return { refused: 'internal_error' }
    }
  }

  const once = async (name: string, command: ShardCommand): Promise<Awaited<ReturnType<typeof obey>>> => {
    if (unanswered.size >= MOST_UNANSWERED) return { refused: 'venue_overloaded' }
    unanswered.add(name)
    try {
      return await obey(command)
    } finally {
      unanswered.delete(name)
    }
  }

  const answer = async (gateway: string, item: ClientItem<ShardCommand, never>): Promise<void> => {
    const name = `${gateway} ${item.request}`
    if (unanswered.has(name)) return
    const said = 'command' in item ? await once(name, item.command) : ({ refused: 'request_malformed' } as const)
    if (!connection.isClosed()) connection.publish(subjects.answers(gateway), encode({ from: node, answers: [{ request: item.request, answer: said }] } satisfies ShardAnswers))
  }

  connection.subscribe(subjects.shard(node), {
    callback: (failure, { data }) => {
      if (failure !== null) return
      try {
        const { gateway, items } = decode<ClientPacket<ShardCommand, never>>(data)
        for (const item of items) void answer(gateway, item)
      } catch (error) {
        log.warn('shard', 'what an operator sent cannot be read', { reason: sentence(error) })
      }
    },
  })
}
