import { jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { receiptSalts } from '../../src/enclave/receiptSalts.ts'
import type { ReceiptPlaces } from '../../src/protocol/feed.ts'
import type { AccountId, MarketName } from '../../src/protocol/identity.ts'
import { packEntries, packHashes } from '../../src/protocol/leaves.ts'
import type { Trade } from '../../src/protocol/pair.ts'
import { settlementActor } from '../../src/protocol/subjects.ts'
import type { Venue } from '../../src/protocol/venue.ts'
import { ReceiptTree } from '../../src/settlement/receiptTree.ts'
import { testSecrets } from './stage.ts'

/** Stores the leaves of batches as the settlement actor does. */
export class LeafWriter {
  readonly #connection: NatsConnection
  readonly #venue: Venue
  #written = 0
  #batches = 0

  constructor(connection: NatsConnection, venue: Venue) {
    this.#connection = connection
    this.#venue = venue
  }

  async tree(trades: readonly Trade[], sequence: number): Promise<ReceiptTree> {
    const salts = await receiptSalts(testSecrets, this.#venue.file.venue)
    return new ReceiptTree(trades, { channel: 0, sequence, salts, assetsOf: (name: MarketName) => this.#venue.markets.get(name)!.rules })
  }

  /** @returns what an account's feed says of its trades among them, and the root. */
  async store(trades: readonly Trade[]): Promise<{ root: Uint8Array; places: (account: AccountId) => ReceiptPlaces }> {
    const sequence = ++this.#batches
    const tree = await this.tree(trades, sequence)
    const from = this.#written + 1
    const actor = settlementActor(0)
    for (const { first, entries, path } of tree.pages()) {
      const text = JSON.stringify({ v: 1, seq: ++this.#written, actor, type: 'leaves', sequence, first, entries: packEntries(entries), path: packHashes(path) })
      await jetstream(this.#connection).publish(this.#venue.subjects.receipts(actor), text)
    }
    const places = (account: AccountId): ReceiptPlaces => ({
      sequence, size: tree.size, from, leaves: trades.filter(({ buyer, seller }) => buyer === account || seller === account).map(({ id }) => tree.placeOf(id, account)),
    })
    return { root: tree.root, places }
  }
}
