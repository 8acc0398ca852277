import { randomBytes } from 'node:crypto'
import { Keypair } from '@stellar/stellar-sdk/base'
import type { NatsConnection } from '@nats-io/transport-node'
import type { FeedKeys } from '../enclave/feedKeys.ts'
import { FeedSeal } from '../enclave/feedSeal.ts'
import type { ReceiptSalts } from '../enclave/receiptSalts.ts'
import type { OrderView } from '../protocol/feed.ts'
import type { AccountId, ContractId, MarketName } from '../protocol/identity.ts'
import { limits } from '../protocol/limits.ts'
import type { Asset } from '../protocol/market.ts'
import type { MarketStatus } from '../protocol/pair.ts'
import type { TapePrint } from '../protocol/tape.ts'
import type { OrderState, Standing, VaultQuery } from '../protocol/vault.ts'
import { orderView } from '../protocol/view.ts'
import type { Venue } from '../protocol/venue.ts'
import { Admission } from './admission.ts'
import { Binding } from './binding.ts'
import { Evidence } from './evidence.ts'
import type { EvidenceSource } from './evidence.ts'
import { FeedPages } from './feeds/feedPages.ts'
import { feedReading, feedsOf, JetStreamFeedStore, receiptsOf, tapesOf } from './feeds/feedStore.ts'
import type { ReadFeed } from './feeds/feedStore.ts'
import { unreadableLog } from './feeds/unreadable.ts'
import { History } from './history/history.ts'
import { Receipts } from './history/receipts.ts'
import { Rates } from './limits/rates.ts'
import type { Log } from './log.ts'
import { KeyAccess } from './login/keyAccess.ts'
import { MarketStates } from './marketStates.ts'
import { GatewayMeters } from './meters.ts'
import { OrderEntry } from './orderEntry.ts'
import { Owners } from './owners.ts'
import { KeyCache } from './signatures/keyCache.ts'
import { SignaturePool } from './signatures/pool.ts'
import { streamTimes } from './streams/bounds.ts'
import type { StreamBounds } from './streams/bounds.ts'
import { Submission } from './submission.ts'
import { Vaults } from './vaults/vaults.ts'

export interface GatewaySecrets {
  /** ed25519 seed that signs login challenges. */
  readonly challengeSeed: Uint8Array
  /** Secrets of session tokens: the first signs, all of them are accepted. */
  readonly tokens: readonly Uint8Array[]
  /** Of the salts of receipts. */
  readonly receipts: ReceiptSalts
  /** Where feeds are sealed. */
  readonly feeds?: FeedKeys | null
  /** Where the venue runs in an enclave. */
  readonly evidence?: EvidenceSource | null
  /** Of this process: DER SubjectPublicKeyInfo. */
  readonly tlsKey?: Uint8Array
  /** Of whom the nats-servers' certificates are, where those speak TLS: PEM. */
  readonly natsAuthorities?: string
}

/** Bounds that tests make small. */
export interface GatewayLimits {
  readonly inFlight: number
  readonly answerTimeout_ms: number
  readonly streams?: Partial<StreamBounds>
}

/** The parts that routes are made of: one gateway of one venue. */
export class Gateway {
  readonly venue: Venue
  readonly log: Log
  readonly challengeSeed: Uint8Array
  /** G… address of the key that signs login challenges. */
  readonly signingKey: string
  readonly tokenSecrets: readonly Uint8Array[]
  readonly admission: Admission
  readonly binding: Binding
  readonly keys = new KeyCache()
  readonly signatures: SignaturePool
  readonly vaults: Vaults
  readonly meters: GatewayMeters
  readonly submission: Submission
  readonly orderEntry: OrderEntry
  readonly #marketStates: MarketStates
  readonly owners: Owners
  /** With which feeds are sealed; null where they are not. */
  readonly feedKeys: FeedKeys | null
  readonly seal: FeedSeal | null
  readonly readFeed: ReadFeed
  /** What accounts' feeds have said so far. */
  readonly feeds: FeedPages
  /** Which keys may read for accounts that are not their own. */
  readonly access = new KeyAccess((query) => this.read(query))
  readonly history: History
  /** What markets with a public tape have printed so far, and the same as lists. */
  readonly prints: FeedPages<TapePrint>
  readonly tapes: History<TapePrint>
  readonly evidence: Evidence
  readonly receipts: Receipts
  /** Of whom the nats-servers' certificates are: PEM; null where those speak no TLS. */
  readonly natsAuthorities: string | null
  readonly rates: Rates
  readonly connectionsPerAddress: number
  readonly streamBounds: StreamBounds
  readonly connection: NatsConnection
  /** Unique to this process: no answer meant for an earlier one can reach it. */
  readonly name = `gw_${randomBytes(8).toString('hex')}`

  /** @param reading a connection for what is read from streams: nats-server does that while it reads the connection, and orders need not wait for it */
  constructor(venue: Venue, secrets: GatewaySecrets, connection: NatsConnection, reading: NatsConnection, log: Log, bounds: GatewayLimits = { inFlight: limits.gatewayInFlight, answerTimeout_ms: limits.answerTimeout_ms }) {
    this.venue = venue
    this.log = log
    this.connection = connection
    const { streamsPerAccount: perAccount = limits.streamsPerAccount, streamBufferedBytes: bufferedBytes = limits.streamBufferedBytes } = venue.file.gateway
    this.streamBounds = { ...streamTimes, perAccount, bufferedBytes, ...bounds.streams }
    this.challengeSeed = secrets.challengeSeed
    this.signingKey = Keypair.fromRawEd25519Seed(Buffer.from(secrets.challengeSeed)).publicKey()
    this.tokenSecrets = secrets.tokens
    this.admission = new Admission(bounds.inFlight)
    this.binding = new Binding(venue)
    this.evidence = new Evidence(secrets.evidence ?? null, secrets.tlsKey ?? new Uint8Array(), log)
    this.natsAuthorities = secrets.natsAuthorities ?? null
    this.rates = new Rates(venue.file.gateway.rates)
    this.connectionsPerAddress = venue.file.gateway.connectionsPerAddress ?? limits.connectionsPerAddress
    this.signatures = new SignaturePool(venue.file.gateway.signatureThreads)
    this.owners = new Owners(connection, venue)
    this.vaults = new Vaults(connection, venue, this.owners, this.name, bounds.answerTimeout_ms, log)
    this.feedKeys = secrets.feeds ?? null
    this.seal = this.feedKeys && new FeedSeal(this.feedKeys)
    this.readFeed = feedReading(this.seal)
    const unreadable = unreadableLog(log)
    this.feeds = new FeedPages(new JetStreamFeedStore(reading, feedsOf(venue.subjects, this.readFeed), unreadable))
    this.history = new History(this.feeds, this.admission, this.rates.policies.history)
    this.prints = new FeedPages(new JetStreamFeedStore(reading, tapesOf(venue.subjects), unreadable))
    this.tapes = new History(this.prints, this.admission, this.rates.policies.history)
    this.receipts = new Receipts(venue, new FeedPages(new JetStreamFeedStore(reading, receiptsOf(venue.subjects), unreadable)), secrets.receipts)
    this.meters = new GatewayMeters(venue)
    this.submission = new Submission(this.admission, this.rates, this.keys, this.signatures, this.vaults, this.meters, log)
    this.orderEntry = new OrderEntry(venue, this.binding, this.submission)
    this.#marketStates = new MarketStates(this.vaults)
  }

  /** Reads an account's state from its vault actor. @throws Refusal */
  async read<Value>(query: VaultQuery): Promise<Value> {
    this.admission.enter()
    try {
      return await this.vaults.query<Value>(query)
    } finally {
      this.admission.leave()
    }
  }

  /** How far an account's feed has come, as its vault actor says. @throws Refusal */
  async fed(account: AccountId): Promise<number> {
    return (await this.read<Standing>({ kind: 'standing', account, orders: false, balances: false })).fed
  }

  /** What a market says of itself. @throws Refusal */
  async marketState(market: MarketName): Promise<MarketStatus> {
    this.admission.enter()
    try {
      return await this.#marketStates.read(market)
    } finally {
      this.admission.leave()
    }
  }

  view(order: OrderState): OrderView {
    const market = this.venue.markets.get(order.market)
    if (market === undefined) throw new Error('a vault actor knows an order of a market that the venue does not have')
    return orderView(order, market)
  }

  assetOf(contract: ContractId): Asset {
    const asset = this.venue.assetByContract.get(contract)
    if (asset === undefined) throw new Error('a vault actor knows an asset that the venue does not have')
    return asset
  }

  async close(): Promise<void> {
    this.owners.close()
    this.vaults.close()
    await this.signatures.close()
  }
}
