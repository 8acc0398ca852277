import { LoopLag } from '../monitoring/loopLag.ts'
import { Meters } from '../monitoring/meters.ts'
import type { Readings } from '../monitoring/meters.ts'
import type { ActorName } from '../protocol/identity.ts'
import type { ActorAlarm } from '../protocol/packets.ts'
import type { Actor, ActorMeter } from './runtime/actor.ts'

/** What the thread of one actor says of itself to its shard, for the operator's metrics. */
export class ActorMeters implements ActorMeter {
  readonly #meters = new Meters()
  readonly #lag = new LoopLag()
  readonly #labels: { readonly actor: ActorName }

  constructor(actor: ActorName) {
    this.#labels = { actor }
    for (const name of ['darkpool_actor_batch_inputs', 'darkpool_actor_commit_seconds'] as const) this.#meters.expect(name, this.#labels)
  }

  appended(inputs: number, took_ms: number): void {
    this.#meters.observe('darkpool_actor_batch_inputs', inputs, this.#labels)
    this.#meters.observe('darkpool_actor_commit_seconds', took_ms / 1_000, this.#labels)
  }

  /** @param more what its role adds */
  async read({ status, load }: Pick<Actor, 'status' | 'load'>, more: Readings): Promise<Readings> {
    const meters = this.#meters
    const { records, bytes, backlog, alarms } = status
    const raised = (kind: ActorAlarm['kind']): number => alarms.filter((alarm) => alarm.kind === kind).length
    meters.set('darkpool_actor_records_total', records, this.#labels)
    meters.set('darkpool_actor_journal_bytes_total', bytes, this.#labels)
    meters.set('darkpool_actor_backlog_inputs', backlog, this.#labels)
    meters.set('darkpool_actor_outbox_messages', load.outbox, this.#labels)
    meters.set('darkpool_actor_feed_messages', load.feed, this.#labels)
    meters.set('darkpool_actor_journal_stalled', raised('journal_stalled'), this.#labels)
    meters.set('darkpool_actor_peers_behind', raised('peer_behind'), this.#labels)
    meters.set('darkpool_actor_peers_lost_records', raised('peer_lost_records'), this.#labels)
    meters.set('darkpool_actor_clock_ahead_seconds', load.clockAhead_ms / 1_000, this.#labels)
    meters.set('darkpool_actor_event_loop_lag_seconds', this.#lag.longest_s, this.#labels)
    meters.set('darkpool_actor_heap_bytes', process.memoryUsage().heapUsed, this.#labels)
    return [...(await meters.read()), ...more]
  }
}
