import { Actor } from '../../src/actors/runtime/actor.ts'
import { systemClock } from '../../src/actors/runtime/clock.ts'
import type { Driver } from '../../src/actors/runtime/driver.ts'
import { JetStreamFeed } from '../../src/actors/runtime/jetstreamFeed.ts'
import { JetStreamJournal } from '../../src/actors/runtime/jetstreamJournal.ts'
import type { Log } from '../../src/actors/runtime/log.ts'
import { systemRandom } from '../../src/actors/runtime/random.ts'
import { SealedEnvelope } from '../../src/actors/runtime/sealedEnvelope.ts'
import { JournalKeys } from '../../src/enclave/journalKeys.ts'
import { ReceiptSalts } from '../../src/enclave/receiptSalts.ts'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { ActorName, MarketName } from '../../src/protocol/identity.ts'
import { limits } from '../../src/protocol/limits.ts'
import type { PeerAck, PeerPacket } from '../../src/protocol/packets.ts'
import type { Trade } from '../../src/protocol/pair.ts'
import type { SettlementMessage } from '../../src/protocol/settlement.ts'
import { pairActor, settlementActor, vaultActor, watcherActor } from '../../src/protocol/subjects.ts'
import type { Subjects } from '../../src/protocol/subjects.ts'
import { driveSettlement } from '../../src/settlement/settlementDriver.ts'
import { SettlementMachine } from '../../src/settlement/settlementMachine.ts'
import type { SettlementStatus } from '../../src/settlement/settlementStatus.ts'
import type { MarketAssets } from '../../src/settlement/netting.ts'
import { Loopback } from '../journal/loopback.ts'
import type { BenchServer } from '../journal/server.ts'
import type { BenchVault, VaultAccount } from './vault.ts'

const CHANNEL = 0
const NAME = settlementActor(CHANNEL)
const VAULT = vaultActor(0)
const MARKET = pairActor('BENCH' as MarketName)
/** The venue's own, but for the poll: half a second would be most of a quick ledger. */
const POLL_ms = 100
const LIFETIME_s = 60
const PATIENCE_ms = 25
/** All that the venue file lets an actor take, and one ledger's time to gather it in. */
const BATCH = { maxAge_ms: 5_000, maxAccounts: 1_900, maxTrades: 100_000 }
/** Trades on their way to the actor: a few packets. */
const IN_FLIGHT = 16 * limits.packetItems
/** Nothing settles for so long: something is wrong. */
const STUCK_ms = 180_000
const DRAIN_ms = 5_000

/** A batch that is final. */
export interface SettledBatch {
  readonly trades: number
  readonly accounts: number
  readonly transaction: string
  readonly ledger: number
  /** By the clock of `performance.now()`. */
  readonly at_ms: number
}

/** The settlement actor with its journal in JetStream and its driver on chain. Markets and vault actors are only their packets and acknowledgements. */
export class BenchActor {
  readonly settled: SettledBatch[] = []
  readonly #actor: Actor
  readonly #machine: SettlementMachine
  readonly #network: Loopback
  readonly #subjects: Subjects
  readonly #drive: () => Driver
  #driver: Driver | undefined
  readonly #sent = new Map<ActorName, number>()
  readonly #heard = new Map<ActorName, number>()
  #handed = 0
  #flight: { readonly sequence: number; readonly trades: number; readonly accounts: number } | null = null
  #wake: (() => void)[] = []
  #failed: Error | undefined

  private constructor({ connection }: BenchServer, subjects: Subjects, vault: BenchVault, assetsOf: (market: MarketName) => MarketAssets, log: Log) {
    this.#subjects = subjects
    this.#machine = new SettlementMachine({ channel: CHANNEL, vaultPartitions: 1, ...BATCH, assetsOf, salts: new ReceiptSalts(subjects.venue, systemRandom(32)) })
    this.#network = new Loopback((subject, data) => this.#published(subject, data))
    this.#actor = new Actor({
      name: NAME,
      machine: this.#machine,
      journal: new JetStreamJournal(connection, subjects.journalStream, subjects.journal(NAME), log),
      transport: this.#network,
      feed: new JetStreamFeed(connection, subjects),
      subjects,
      clock: systemClock,
      log,
      patience_ms: PATIENCE_ms,
      room: (from) => this.#machine.hasRoom(from),
      envelope: new SealedEnvelope({ keys: JournalKeys.only(systemRandom(32)), venue: subjects.venue, actor: NAME, kind: 'record', random: systemRandom }),
    })
    this.#drive = () =>
      driveSettlement(
        {
          machine: this.#machine,
          server: vault.chain.server,
          vault: vault.contract,
          channel: CHANNEL,
          engine: async () => vault.engine,
          sources: async () => vault.sources,
          poll_ms: POLL_ms,
          lifetime_s: LIFETIME_s,
          log,
        },
        this.#actor,
      )
    void this.#actor.ended.then((reason) => {
      this.#failed ??= reason ?? new Error('the actor has ended')
      this.#woken()
    })
  }

  static async start(server: BenchServer, subjects: Subjects, vault: BenchVault, assetsOf: (market: MarketName) => MarketAssets, log: Log): Promise<BenchActor> {
    const bench = new BenchActor(server, subjects, vault, assetsOf, log)
    await bench.#actor.start()
    bench.#driver = bench.#drive()
    bench.#actor.onDurable(() => bench.#look())
    return bench
  }

  get status(): SettlementStatus {
    return this.#machine.status
  }

  /** Trades that were handed in and are not settled. */
  get open(): number {
    return this.#handed - this.settled.reduce((sum, { trades }) => sum + trades, 0)
  }

  /** As the watcher does after first deposits. */
  register(accounts: readonly VaultAccount[]): Promise<void> {
    return this.#hand(watcherActor, accounts.map(({ account, index }) => ({ kind: 'registered', account, index })))
  }

  /** Resolves when the actor has heard them but for a few packets. */
  async trade(trades: readonly Trade[]): Promise<void> {
    this.#handed += trades.length
    await this.#hand(MARKET, trades)
  }

  /** Resolves when no more than so many trades are open. */
  async until(open: number): Promise<void> {
    while (this.open > open) await this.#change()
  }

  async stop(): Promise<void> {
    await this.#driver?.stop()
    await this.#actor.drain(DRAIN_ms)
  }

  async #hand(from: ActorName, messages: readonly SettlementMessage[]): Promise<void> {
    for (let at = 0; at < messages.length; at += limits.packetItems) {
      while (this.#unheard(from) > IN_FLIGHT) await this.#change()
      const items = messages.slice(at, at + limits.packetItems)
      const sent = this.#sent.get(from) ?? 0
      this.#sent.set(from, sent + items.length)
      this.#network.deliver(this.#subjects.peers(NAME), encode({ from, first: sent + 1, items } satisfies PeerPacket<SettlementMessage>))
    }
  }

  #unheard(from: ActorName): number {
    return (this.#sent.get(from) ?? 0) - (this.#heard.get(from) ?? 0)
  }

  /** Reports are acknowledged as vault actors do, and what the actor acknowledges makes room for more. */
  #published(subject: string, data: Uint8Array): void {
    if (subject === this.#subjects.peers(VAULT)) {
      const { first, items } = decode<PeerPacket>(data)
      const ack = encode({ from: VAULT, position: first + items.length - 1 } satisfies PeerAck)
      // It comes in after this turn, as from a socket.
      setImmediate(() => this.#network.deliver(this.#subjects.acks(NAME), ack))
      return
    }
    for (const from of this.#sent.keys()) {
      if (subject !== this.#subjects.acks(from)) continue
      this.#heard.set(from, Math.max(this.#heard.get(from) ?? 0, decode<PeerAck>(data).position))
      this.#woken()
    }
  }

  /** After every durable record: which batch is on its way, and whether the one before has settled. A batch is in at least two records. */
  #look(): void {
    const { settled, flight, alarms } = this.status
    if (settled && this.#flight?.sequence === settled.sequence) {
      const { trades, accounts } = this.#flight
      this.settled.push({ trades, accounts, transaction: settled.transaction, ledger: settled.ledger, at_ms: performance.now() })
      this.#woken()
    }
    this.#flight = flight
    if (!alarms.includes('aside') && !alarms.includes('diverged')) return
    this.#failed ??= new Error(`the settlement actor has alarms: ${alarms.join(', ')}`)
    this.#woken()
  }

  #woken(): void {
    const waiting = this.#wake
    this.#wake = []
    for (const wake of waiting) wake()
  }

  async #change(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#wake.push(resolve)
    const stuck = setTimeout(() => reject(new Error(`nothing has changed for ${STUCK_ms / 1_000} s: ${this.open} trades are open`)), STUCK_ms)
    try {
      await promise
    } finally {
      clearTimeout(stuck)
    }
    if (this.#failed) throw this.#failed
  }
}
