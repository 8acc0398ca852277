import { Keypair } from '@stellar/stellar-sdk'
import type { FeedMessage } from '../src/protocol/feed.ts'
import type { AccountId, ActorName, ContractId } from '../src/protocol/identity.ts'
import type { Venue } from '../src/protocol/venue.ts'
import { Chain } from './chain/chain.ts'
import { readAuthorization } from './chain/authorization.ts'
import { RpcServer } from './chain/rpcServer.ts'
import { Books } from './checks/books.ts'
import { Epochs } from './checks/epochs.ts'
import { TimerPromises } from './checks/timers.ts'
import type { Circumstances } from './circumstances.ts'
import type { Defect } from './defects/defect.ts'
import { digestOf } from './digest.ts'
import { FeedStore } from './feeds.ts'
import { Gateway } from './gateway.ts'
import { History } from './history.ts'
import { Host } from './host.ts'
import { JournalStream } from './journals.ts'
import type { Bounds } from './machines.ts'
import { Leavers } from './leavers.ts'
import { Network } from './network.ts'
import type { Applied, Positions } from './observedMachine.ts'
import type { CausedBy } from './observedJournal.ts'
import type { Random } from './random.ts'
import { Readers } from './readers.ts'
import { Sessions } from './sessions.ts'
import { Post } from './post.ts'
import { Shelves } from './shelves.ts'
import { Traders, workloadOf } from './traders.ts'
import type { Workload } from './traders.ts'
import { simulatedAccounts, simulatedVenue } from './venue.ts'

const GATEWAYS = 2
const ANSWER_ms = 1_500
const RETURN_us = { least: 100_000, most: 1_500_000 }
const ENDOWMENT = 10n ** 15n
const DEPOSIT = 2n * 10n ** 11n
/** A trader's own clock may be this far off what its venue's hosts believe. */
const CLOCKS_ms = 400

/** Everything there is in one simulation: the venue's actors on hosts, what lies between them, the chain, and everybody who trades. */
export class World {
  readonly circumstances: Circumstances
  readonly defect: Defect | null
  readonly venue: Venue
  readonly accounts: readonly AccountId[]
  readonly workload: Workload
  readonly network: Network
  readonly journals: JournalStream
  readonly feeds: FeedStore
  readonly chain: Chain
  readonly rpc: RpcServer
  readonly engine: Keypair
  readonly history: History
  readonly books: Books
  readonly promises: TimerPromises
  readonly epochs: Epochs
  readonly readers: Readers
  readonly traders: Traders
  readonly sessions: Sessions
  readonly leavers: Leavers
  readonly posts: readonly Post[]
  readonly causedBy: CausedBy = new WeakMap()
  readonly positions: Positions[] = []
  readonly shelves: Shelves
  readonly applied: Applied = { commands: 0, messages: 0, locals: 0 }
  /** Of journals; null where they are readable. */
  readonly secret: Uint8Array | null
  /** Narrow in most runs, so that everybody is held up by everybody now and then. */
  readonly bounds: Bounds
  /** RPC servers that settlement and watcher ask. Of several the last one lies. */
  readonly endpoints: number
  readonly random: Random
  #gateways: Gateway[] = []
  #hosts = 0
  /** No gateway opens before. */
  #closedUntil_us = 0
  readonly #supply = new Map<ContractId, bigint>()

  constructor(circumstances: Circumstances, defect: Defect | null) {
    this.circumstances = circumstances
    this.defect = defect
    const random = circumstances.random.fork('world')
    this.random = random
    this.venue = simulatedVenue(random)
    this.workload = workloadOf(random, circumstances.random.fork('timers'))
    this.accounts = simulatedAccounts(random, this.workload.accounts)
    this.secret = random.chance(0.5) ? random.bytes(32) : null
    const narrow = circumstances.random.fork('bounds')
    this.bounds = { outbox: narrow.pick([8, 40, 400]), feed: narrow.pick([10, 100, 1_000]), queue: narrow.pick([50, 500, 5_000]) }
    this.endpoints = circumstances.random.fork('endpoints').pick([1, 1, 1, 3])
    this.engine = Keypair.fromRawEd25519Seed(random.bytes(32))
    const { verdict } = circumstances
    this.chain = new Chain(circumstances, this.venue.assets.map(({ contract }) => contract), random.pick([1, 1, 2]))
    this.rpc = new RpcServer(this.chain, this.venue.file.vault.contract as ContractId, circumstances)
    this.books = new Books(this.venue, this.chain, verdict)
    this.epochs = new Epochs(verdict)
    this.promises = new TimerPromises(verdict)
    this.history = new History(verdict, {
      sent: (from, message) => {
        this.books.sent(from, message)
        this.promises.sent(from, message)
      },
    })
    this.readers = new Readers(this.history, verdict, (message) => this.#read(message))
    this.network = new Network(circumstances)
    this.journals = new JournalStream(circumstances, (actor, stored) => {
      this.epochs.stored(actor, stored)
      const caused = this.causedBy.get(stored.record)
      if (caused === undefined) return verdict.broken('one history', `${stored.writer.name} stores a record that no actor made`)
      this.history.durable(actor, caused)
    })
    this.shelves = new Shelves(circumstances)
    this.feeds = new FeedStore(circumstances, (writer, message) => this.readers.stored(writer, message))
    for (const account of this.accounts) for (const { contract } of this.venue.assets) this.#endow(account, contract)
    this.chain.closeNow()
    this.posts = this.venue.actors.map((actor) => new Post(actor, this))
    for (const post of this.posts) post.launch()
    for (let n = 0; n < GATEWAYS; n++) this.#openGateway(n)
    this.traders = new Traders(circumstances, this.venue, this.accounts, this.workload, this.promises, () => this.#gateways)
    this.sessions = new Sessions(circumstances, this.accounts, this.venue.file.vaultPartitions, this.promises, () => this.#gateways)
    this.leavers = new Leavers(circumstances, this.accounts, this.venue.assets.map(({ contract }) => contract), this.chain)
  }

  get gateways(): readonly Gateway[] {
    return this.#gateways
  }

  post(actor: ActorName): Post {
    const post = this.posts.find((candidate) => candidate.actor === actor)
    if (post === undefined) throw new Error(`no post for ${actor}`)
    return post
  }

  /** Owned by nobody but wallets and vault, and always the same. */
  supply(asset: ContractId): bigint {
    return this.#supply.get(asset) ?? 0n
  }

  /** One actor is away until then, or everything but the chain. Traders know, and do not ask again before. */
  leave(who: 'actor' | 'venue', until_us: number): void {
    this.traders.wait(until_us)
    if (who === 'actor') return this.random.pick(this.posts).leave(until_us)
    this.#closedUntil_us = until_us
    for (const { host } of this.#gateways) host.die()
    for (const post of this.posts) post.leave(until_us)
  }

  newHost(name: string, died: (host: Host) => void): Host {
    const number = ++this.#hosts
    return new Host(`${name}#${number}`, number, this.random.between(-CLOCKS_ms, CLOCKS_ms), this.circumstances.scheduler, (host) => {
      this.network.forget(host)
      this.circumstances.trace.event(this.circumstances.scheduler.now_us, 'dies', host.name)
      died(host)
    })
  }

  #openGateway(place: number): void {
    const host = this.newHost('gateway', () => this.#gatewayDied(gateway, place))
    const gateway: Gateway = new Gateway(`g${host.number}`, host, this.network.transport(host), this.venue.subjects, ANSWER_ms, (name, request, answer, from) => {
      const runtimes = 'refused' in answer && (answer.refused === 'venue_not_ready' || answer.refused === 'venue_overloaded')
      if (runtimes || gateway.isQuery(request)) return
      const known = this.history.answered(`${name} ${request} ${digestOf(answer)}`)
      this.circumstances.verdict.holds(known, 'nothing is answered before it is durable', () => `${from} answered request ${request} of ${name} before its journal knew`)
    })
    this.#gateways.push(gateway)
  }

  #gatewayDied(gateway: Gateway, place: number): void {
    this.#gateways = this.#gateways.filter((other) => other !== gateway)
    this.traders.lost(gateway)
    this.#openLater(place)
  }

  #openLater(place: number): void {
    const { scheduler } = this.circumstances
    const closed_us = Math.max(0, this.#closedUntil_us - scheduler.now_us)
    scheduler.after(closed_us + this.random.between(RETURN_us.least, RETURN_us.most), 'a gateway opens', 'world', () => {
      if (scheduler.now_us < this.#closedUntil_us) this.#openLater(place)
      else this.#openGateway(place)
    })
  }

  #endow(account: AccountId, asset: ContractId): void {
    this.chain.endow(account, asset, ENDOWMENT)
    this.#supply.set(asset, this.supply(asset) + ENDOWMENT)
    // One trader in ten is known to the chain only later, or never.
    if (this.random.chance(0.1)) return
    this.chain.deposit(account, asset, (DEPOSIT * BigInt(this.random.between(20, 100))) / 100n)
  }

  /** What traders do about what they read: they take their withdrawals to the chain, some late, some never, some twice. */
  #read(message: FeedMessage): void {
    if (message.type !== 'withdrawal' || message.withdrawal.status !== 'cosigned' || message.withdrawal.authorization === null) return
    const { account, asset, amount, nonce, validUntil } = readAuthorization(message.withdrawal.authorization)
    const times = this.random.pick([0, 1, 1, 1, 1, 2])
    for (let n = 0; n < times; n++) {
      this.circumstances.scheduler.after(this.random.between(100_000, 20_000_000), 'withdraws', 'traders', () => this.chain.withdraw(account, asset, amount, nonce, validUntil))
    }
  }
}
