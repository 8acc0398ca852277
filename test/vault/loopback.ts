import { PairMachine } from '../../src/actors/pair/pairMachine.ts'
import type { Effects, Machine } from '../../src/actors/runtime/machine.ts'
import { VaultMachine } from '../../src/actors/vault/vaultMachine.ts'
import type { FeedMessage } from '../../src/protocol/feed.ts'
import type { AccountId, ActorName, MarketName, Milliseconds } from '../../src/protocol/identity.ts'
import type { Answer } from '../../src/protocol/packets.ts'
import type { PairCommand, Trade } from '../../src/protocol/pair.ts'
import { pairActor, settlementActor, vaultActor, vaultOf, watcherActor } from '../../src/protocol/subjects.ts'
import type { ChainReport, VaultCommand, VaultQuery } from '../../src/protocol/vault.ts'
import type { Venue } from '../../src/protocol/venue.ts'
import { noFees } from '../../src/protocol/market.ts'
import { AQ } from '../pair/smallVenue.ts'
import { interrupted } from '../runtime/interrupted.ts'

interface Mail {
  readonly from: ActorName
  readonly to: ActorName
  readonly message: unknown
}

/**
 * Every vault and pair machine of a venue with nothing between them but queues: one per sender and receiver, delivered in order, while
 * which queue moves next is the test's choice. Trades for the settlement actor are kept.
 */
export class Loopback {
  readonly vaults = new Map<ActorName, VaultMachine>()
  readonly pairs = new Map<ActorName, PairMachine>()
  readonly trades: Trade[] = []
  readonly answers = new Map<number, Answer>()
  readonly feed: FeedMessage[] = []
  time: Milliseconds
  readonly #venue: Venue
  readonly #queues = new Map<string, Mail[]>()
  #requests = 0

  /** @param every each machine is dropped after this many inputs, and made anew from its snapshot */
  constructor(venue: Venue, time: number, every = Infinity) {
    this.#venue = venue
    this.time = time as Milliseconds
    const crashes = (call: number): boolean => call % every === 0
    for (let n = 0; n < venue.file.vaultPartitions; n++) this.vaults.set(vaultActor(n), interrupted(() => new VaultMachine(n, venue), crashes))
    for (const market of venue.markets.values()) this.pairs.set(pairActor(market.name), interrupted(() => new PairMachine(market, venue), crashes))
    for (const [name, pair] of this.pairs) pair.local({ kind: 'fees', rates: name === pairActor(AQ) ? { maker_ppm: 300_000, taker_ppm: 1 } : noFees })
  }

  /** Requests so far. */
  get requests(): number {
    return this.#requests
  }

  /** The number of the request, by which its answer is found. */
  command(command: VaultCommand): number {
    const owner = vaultOf(command.account, this.#venue.file.vaultPartitions)
    this.#vault(owner).command(command, { gateway: 'g', request: ++this.#requests }, this.#effects(owner))
    return this.#requests
  }

  /** What an operator tells a market. */
  control(market: MarketName, command: PairCommand): void {
    const actor = pairActor(market)
    this.pairs.get(actor)?.command(command, { gateway: 'operator', request: ++this.#requests }, this.#effects(actor))
  }

  query(query: VaultQuery): Answer {
    return this.#vault(vaultOf(query.account, this.#venue.file.vaultPartitions)).query(query)
  }

  chain(account: AccountId, report: ChainReport): void {
    const owner = vaultOf(account, this.#venue.file.vaultPartitions)
    this.#vault(owner).message(watcherActor, report, this.#effects(owner))
  }

  tick(time: number): void {
    this.time = time as Milliseconds
    for (const [name, machine] of [...this.vaults, ...this.pairs]) machine.advance(this.#effects(name))
  }

  /** Delivers one message of the queue that `which` points at; false where there is none. */
  deliver(which: number): boolean {
    const queues = [...this.#queues.values()].filter((queue) => queue.length > 0)
    const mail = queues[which % Math.max(1, queues.length)]?.shift()
    if (mail === undefined) return false
    const machine: Machine<never, never, never, never> | undefined = this.vaults.get(mail.to) ?? this.pairs.get(mail.to)
    if (machine === undefined) throw new Error(`nobody is called ${mail.to}`)
    machine.message(mail.from, mail.message as never, this.#effects(mail.to))
    return true
  }

  deliverAll(): void {
    while (this.deliver(0));
  }

  #vault(name: ActorName): VaultMachine {
    const vault = this.vaults.get(name)
    if (vault === undefined) throw new Error(`nobody is called ${name}`)
    return vault
  }

  #effects(from: ActorName): Effects {
    return {
      time: this.time,
      digest: new Uint8Array(32),
      record: 1,
      epoch: 1,
      send: (to, message) => {
        if (to === settlementActor(0)) {
          this.trades.push(message as Trade)
          return
        }
        const key = `${from} ${to}`
        const queue = this.#queues.get(key) ?? []
        this.#queues.set(key, queue)
        queue.push({ from, to, message })
      },
      answer: (to, answer) => {
        if (this.answers.has(to.request)) throw new Error('a request is answered once')
        this.answers.set(to.request, answer)
      },
      publish: (message) => {
        if (!('account' in message)) throw new Error('no market here has a tape')
        this.feed.push(message)
      },
      backlog: (to) => this.#queues.get(`${from} ${to}`)?.length ?? 0,
    }
  }
}
