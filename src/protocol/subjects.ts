import type { AccountId, ActorName, MarketName } from './identity.ts'

/** NATS tokens cannot hold these; a venue's name must not. */
const token = /^[A-Za-z0-9_-]{1,32}$/

/** Every NATS name of one venue, in one place: `dp.v1.<venue>.…`. */
export class Subjects {
  readonly #root: string
  readonly venue: string

  constructor(venue: string) {
    if (!token.test(venue)) throw new Error(`venue name "${venue}": 1–32 letters, digits, _ or -`)
    this.venue = venue
    this.#root = `dp.v1.${venue}`
  }

  /** Packets of commands and queries from gateways to an actor. */
  clients(actor: ActorName): string {
    return `${this.#root}.actor.${actor}.clients`
  }
  /** Packets from other actors, applied exactly once. */
  peers(actor: ActorName): string {
    return `${this.#root}.actor.${actor}.peers`
  }
  /** Acknowledgements of the packets that an actor sent to its peers. */
  acks(actor: ActorName): string {
    return `${this.#root}.actor.${actor}.acks`
  }
  /** What operators ask of the shard that is a node. */
  shard(node: string): string {
    return `${this.#root}.shard.${node}`
  }
  /** What an actor last said of itself. */
  status(actor: ActorName): string {
    return `${this.#root}.status.${actor}`
  }
  get allStatus(): string {
    return `${this.#root}.status.>`
  }
  /** Answers to one gateway. */
  answers(gateway: string): string {
    return `${this.#root}.gateway.${gateway}.answers`
  }
  /** A trader's private feed. */
  feed(account: AccountId): string {
    return `${this.#root}.feed.${account}`
  }
  get allFeeds(): string {
    return `${this.#root}.feed.*`
  }
  /** A market's public tape: what is published there is public. */
  tape(market: MarketName): string {
    return `${this.#root}.tape.${market}`
  }
  get allTapes(): string {
    return `${this.#root}.tape.*`
  }
  /** The leaves of a settlement actor's batches: not for traders, who get receipts. */
  receipts(actor: ActorName): string {
    return `${this.#root}.receipts.${actor}`
  }
  get allReceipts(): string {
    return `${this.#root}.receipts.>`
  }
  /** What a trader's connection asks over NATS: only it may publish there. `key` is the one with which it has connected. */
  traderRequest(account: AccountId, key: AccountId, operation: string): string {
    return `${this.#root}.trader.${account}.${key}.${operation}`
  }
  get allTraderRequests(): string {
    return `${this.#root}.trader.*.*.*`
  }
  /** What an operator's connection asks: one gateway hears `desk`, each of them `gateways`. Only it may publish there. */
  operatorRequest(key: AccountId, whom: 'desk' | 'gateways'): string {
    return `${this.#root}.operator.${key}.${whom}`
  }
  /** The same of every operator. */
  allOperatorRequests(whom: 'desk' | 'gateways'): string {
    return `${this.#root}.operator.*.${whom}`
  }
  journal(actor: ActorName): string {
    return `${this.#root}.journal.${actor}`
  }
  get allJournals(): string {
    return `${this.#root}.journal.>`
  }
  /** One snapshot of an actor: its pieces. */
  snapshot(actor: ActorName, name: string): string {
    return `${this.#root}.snapshot.${actor}.${name}`
  }
  get allSnapshots(): string {
    return `${this.#root}.snapshot.>`
  }
  /** JetStream stream names. */
  get journalStream(): string {
    return `dp_v1_${this.venue}_journal`
  }
  get snapshotStream(): string {
    return `dp_v1_${this.venue}_snapshot`
  }
  /** The KV bucket of nodes, leases and pins. */
  get placementBucket(): string {
    return `dp_v1_${this.venue}_placement`
  }
  get feedStream(): string {
    return `dp_v1_${this.venue}_feed`
  }
  get tapeStream(): string {
    return `dp_v1_${this.venue}_tape`
  }
  get receiptStream(): string {
    return `dp_v1_${this.venue}_receipts`
  }
}

/** A node's name: it is part of a subject, of a key of the placement bucket, and of what people type. */
export const nodeName = /^[a-z0-9][a-z0-9-]{0,31}$/

/** Where a trader's connection hears answers: clients are told it as their inbox prefix. */
export const traderInbox = (key: AccountId): string => `_INBOX_${key}`

/** As `user`, beside its nkey, an operator's connection says what it is. */
export const OPERATOR_USER = 'operator'

export const pairActor = (market: MarketName): ActorName => `pair.${market}` as ActorName
export const vaultActor = (partition: number): ActorName => `vault.${partition}` as ActorName
/** Channels that the vault contract has (docs/contract.md). */
export const CHANNELS = 32
/** The channel of the vault contract whose engine co-signs withdrawals, and on which a venue settles unless its file says. */
export const DEFAULT_CHANNEL = 0
export const settlementActor = (channel: number): ActorName => `settlement.${channel}` as ActorName
/** The one actor that reads the vault contract's events. */
export const watcherActor = 'watcher.0' as ActorName

/** Which vault actor owns an account: FNV-1a over the address, so that every part of the venue agrees without asking. */
export function vaultOf(account: AccountId, partitions: number): ActorName {
  let hash = 0x811c9dc5
  for (let i = 0; i < account.length; i++) hash = Math.imul(hash ^ account.charCodeAt(i), 0x01000193)
  return vaultActor((hash >>> 0) % partitions)
}
