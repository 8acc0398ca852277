import { connect } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import { ensureStreams } from '../../../src/actors/runtime/streams.ts'
import type { AccountId } from '../../../src/protocol/identity.ts'
import type { FeedEvent, FeedMessage } from '../../../src/protocol/feed.ts'
import type { Standing } from '../../../src/protocol/vault.ts'
import type { Stage } from '../stage.ts'

const fill = (seq: number): FeedEvent => ({ type: 'fill', trade: `XLM-USDC:${seq}`, order: 'ab'.repeat(32), market: 'XLM-USDC', side: 'buy', role: 'maker', price: '0.12', quantity: '2', quote: '0.24', fee: '0', feeAsset: 'XLM' })
const settled = (seq: number): FeedEvent => ({ type: 'settled', trades: [`XLM-USDC:${seq}`], transaction: 'cd'.repeat(32), ledger: seq, receipts: { sequence: 1, size: 2, from: 1, leaves: [0] } })

/** Writes feeds as vault actors do, into the real stream, and says of each account where it stands. */
export class FeedWriter {
  readonly #connection: NatsConnection
  readonly #stage: Stage
  readonly #fed = new Map<string, number>()

  private constructor(stage: Stage, connection: NatsConnection) {
    this.#stage = stage
    this.#connection = connection
  }

  static async open(stage: Stage): Promise<FeedWriter> {
    const connection = await connect({ servers: stage.nats.url, user: stage.nats.user, pass: stage.nats.password, maxReconnectAttempts: -1, reconnectTimeWait: 50 })
    await ensureStreams(connection, stage.venue.subjects)
    return new FeedWriter(stage, connection)
  }

  fed(account: string): number {
    return this.#fed.get(account) ?? 0
  }

  /** Where an account stands that has traded as much as was written of it. */
  standing(account: string, orders: Standing['orders'] = []): Standing {
    const fed = this.fed(account)
    const balances = this.#stage.venue.assets.map(({ contract }) => ({ asset: contract, settled: BigInt(fed), pending: 0n, reserved: 0n, available: BigInt(fed) })) as unknown as Standing['balances']
    return { fed, orders, balances }
  }

  write(account: string, type: 'fill' | 'settled' = 'fill'): FeedMessage {
    const seq = this.fed(account) + 1
    this.#fed.set(account, seq)
    const message = { v: 1, seq, account: account as AccountId, time: '2026-11-28T00:00:00.000Z', ...(type === 'fill' ? fill(seq) : settled(seq)) } as const
    this.again(message)
    return message
  }

  /** Writes a message that was written before. */
  again(message: FeedMessage): void {
    this.#connection.publish(this.#stage.venue.subjects.feed(message.account), JSON.stringify(message))
  }

  async flush(): Promise<void> {
    await this.#connection.flush()
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }
}
