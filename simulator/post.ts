import type { Keypair } from '@stellar/stellar-sdk'
import { PairMachine } from '../src/actors/pair/pairMachine.ts'
import { Actor } from '../src/actors/runtime/actor.ts'
import { InDoubt } from '../src/actors/runtime/appender.ts'
import type { Driver, Hosted } from '../src/actors/runtime/driver.ts'
import type { Envelope } from '../src/actors/runtime/envelope.ts'
import { Fenced } from '../src/actors/runtime/journal.ts'
import type { Log } from '../src/actors/runtime/log.ts'
import type { Machine } from '../src/actors/runtime/machine.ts'
import { replicaOf } from '../src/actors/runtime/replica.ts'
import { takeSnapshot } from '../src/actors/runtime/snapshotter.ts'
import type { VaultMachine } from '../src/actors/vault/vaultMachine.ts'
import type { ActorName } from '../src/protocol/identity.ts'
import { limits } from '../src/protocol/limits.ts'
import type { VaultMessage } from '../src/protocol/vault.ts'
import type { Venue } from '../src/protocol/venue.ts'
import { QuorumRpc } from '../src/settlement/endpoints/quorumRpc.ts'
import { SettlementMachine } from '../src/settlement/settlementMachine.ts'
import type { Disagreement } from '../src/settlement/stellarRpc.ts'
import type { RpcServer } from './chain/rpcServer.ts'
import type { SimulatedRpc } from './chain/simulatedRpc.ts'
import type { Epochs } from './checks/epochs.ts'
import { checkConservation, checkExits, checkReservations, VaultFlows } from './checks/ledgers.ts'
import { checkBooksAgree } from './checks/reconciled.ts'
import type { TimerPromises } from './checks/timers.ts'
import type { Circumstances } from './circumstances.ts'
import type { Defect, JournalPlace, Place } from './defects/defect.ts'
import type { FeedStore } from './feeds.ts'
import type { History } from './history.ts'
import type { Host } from './host.ts'
import { DAMAGED } from './journals.ts'
import type { JournalStream } from './journals.ts'
import type { Bounds } from './machines.ts'
import type { Network } from './network.ts'
import { ObservedJournal } from './observedJournal.ts'
import type { CausedBy } from './observedJournal.ts'
import { ObservedMachine } from './observedMachine.ts'
import type { Applied, Positions } from './observedMachine.ts'
import type { Random } from './random.ts'
import { envelopeOf, roleOf } from './roles.ts'
import type { Shelves } from './shelves.ts'

const RESTART_us = { least: 20_000, most: 2_000_000 }
const DRIVER_STOP_ms = 3_000
/** How often a snapshotter dies of its work, and after how many calls at most. */
const DIES = 0.2
const LAST_CALLS = 10
/** A snapshot is worth its while when the journal has grown by such a part of it. */
const SNAPSHOT_SHARE = 2
/** Batches between two looks at every order that rests. */
const RESTING_EVERY = 4
/** Batches between two looks at every reservation. */
const RESERVATIONS_EVERY = 32

/** One owner of an actor, from its start to its end. */
export interface Owner {
  readonly host: Host
  readonly actor: Actor
  /** The machine itself. */
  readonly machine: Machine
  readonly observed: ObservedMachine
  readonly journal: ObservedJournal
  running: boolean
}

/** What of a world an actor's place needs. */
export interface Surroundings {
  readonly circumstances: Circumstances
  readonly defect: Defect | null
  readonly venue: Venue
  readonly network: Network
  readonly journals: JournalStream
  readonly shelves: Shelves
  readonly feeds: FeedStore
  readonly rpc: RpcServer
  /** RPC servers that are asked. Of several the last one lies. */
  readonly endpoints: number
  readonly engine: Keypair
  readonly history: History
  readonly promises: TimerPromises
  readonly epochs: Epochs
  readonly causedBy: CausedBy
  readonly positions: Positions[]
  readonly applied: Applied
  /** Of journals; null where they are readable. */
  readonly secret: Uint8Array | null
  readonly bounds: Bounds
  readonly random: Random
  newHost(name: string, died: (host: Host) => void): Host
}

/** One actor's place in the venue: whoever owns it, and the next owner when that one ends. */
export class Post {
  readonly actor: ActorName
  readonly #world: Surroundings
  #owners: Owner[] = []
  #owned = 0
  #launching = false
  /** Nobody owns it before. */
  #awayUntil_us = 0
  #batches = 0
  /** How much the journal holds when the next snapshot is worth its while. */
  #snapshotAt_bytes = 0

  constructor(actor: ActorName, world: Surroundings) {
    this.actor = actor
    this.#world = world
  }

  /** Who wrote the last record, if it lives; otherwise the one that was started last. */
  get current(): Owner | undefined {
    const { alive } = this
    return alive.find((owner) => this.#owns(owner)) ?? alive.at(-1)
  }

  /** Owners that are not dead: usually one. */
  get alive(): readonly Owner[] {
    return this.#owners
  }

  /** The market that it is now; null where it is none, or nobody owns it. */
  get market(): PairMachine | null {
    const machine = this.current?.machine
    return machine instanceof PairMachine ? machine : null
  }

  /** Whoever owns it dies, and nobody does before then. */
  leave(until_us: number): void {
    this.#awayUntil_us = until_us
    for (const { host } of this.#owners) host.die()
  }

  /** Starts another owner, whether or not there is one; nobody while it is away. */
  launch(): void {
    if (this.#world.circumstances.scheduler.now_us < this.#awayUntil_us) return
    const { circumstances, venue, network, feeds, journals, history, secret, defect, causedBy, shelves } = this.#world
    const before = this.#owned++
    const host = this.#world.newHost(this.actor, () => this.#died())
    const random = this.#world.random.fork(host.name)
    const place: JournalPlace = { actor: this.actor, host, before, journals, random: random.fork('defect') }
    const log = this.#log(host)
    const { hosted, machine } = this.#role(place, random, log)
    const flows = new VaultFlows(venue)
    const observed = this.#observe(hosted.machine, machine, flows)
    const stored = journals.journal(this.actor, host, log, (store) => defect?.store?.(store, place) ?? store)
    const journal = new ObservedJournal(this.actor, defect?.journal?.(stored, place) ?? stored, observed, history, causedBy, () => this.#appends(owner, flows))
    const transport = network.transport(host)
    const feed = feeds.stream(host)
    const actor = new Actor({
      name: this.actor,
      machine: observed,
      journal,
      transport: defect?.transport?.(transport, place) ?? transport,
      feed: defect?.feed?.(feed, place) ?? feed,
      subjects: venue.subjects,
      clock: host.clock,
      log,
      patience_ms: hosted.patience_ms ?? 0,
      ...(hosted.bounds && { bounds: hosted.bounds }),
      ...(hosted.room && { room: hosted.room }),
      envelope: envelopeOf('record', secret, venue, this.actor, random.fork('records')),
      snapshots: { store: shelves.store(this.actor, host), envelope: envelopeOf('snapshot', secret, venue, this.actor, random.fork('snapshots')) },
    })
    const owner: Owner = { host, actor, machine: hosted.machine, observed, journal, running: false }
    this.#owners.push(owner)
    let driver: Driver | undefined
    actor.start().then(
      () => {
        owner.running = true
        this.#note(host, 'runs')
        circumstances.verdict.holds(host.excuse !== DAMAGED, 'damage is found', () => `${host.name} runs on a damaged record`)
        driver = hosted.drive?.(defect?.driven?.(actor, place) ?? actor)
      },
      () => undefined,
    )
    void actor.ended.then(async (reason) => {
      owner.running = false
      this.#judge(owner, reason)
      if (driver !== undefined) await Promise.race([driver.stop(), new Promise<void>((resolve) => host.clock.after(DRIVER_STOP_ms, resolve))])
      host.die()
    })
  }

  /** Another process takes a snapshot of this actor, beside whoever owns it; not before so much has happened that it is worth writing all of a state that has grown. */
  takeSnapshot(): void {
    const { circumstances, venue, journals, history, secret, causedBy, shelves } = this.#world
    const written = journals.written(this.actor)
    if (written < this.#snapshotAt_bytes) return
    this.#snapshotAt_bytes = written + shelves.bytes(this.actor) / SNAPSHOT_SHARE
    const host = this.#world.newHost('snapshots', () => undefined)
    if (this.#world.random.chance(DIES)) host.dieAfter(this.#world.random.between(1, LAST_CALLS))
    const random = this.#world.random.fork(host.name)
    const log = this.#log(host)
    const { observed } = this.fresh(host)
    const journal = new ObservedJournal(this.actor, journals.journal(this.actor, host, log), observed, history, causedBy, () => undefined)
    const envelope = (kind: 'record' | 'snapshot'): Envelope => envelopeOf(kind, secret, venue, this.actor, random.fork(kind))
    takeSnapshot(
      {
        replica: replicaOf(this.actor, observed, envelope('record'), venue.subjects, host.clock, log),
        journal,
        shelf: { store: shelves.store(this.actor, host), envelope: envelope('snapshot') },
        kept: limits.snapshots,
        random: (bytes) => random.bytes(bytes),
        log,
      },
      1,
    ).then(
      ({ records, snapshot }) => this.#note(host, `has ${records} records, a snapshot of ${snapshot}`),
      (error: unknown) => {
        const fault = error instanceof Error ? error.message : String(error)
        circumstances.verdict.holds(host.excuse !== null || error instanceof InDoubt, 'a journal can be read', () => `${host.name} of ${this.actor}: ${fault}`)
      },
    ).finally(() => host.die())
  }

  /** A machine that nothing has happened to, with whatever is wrong about this venue's machines: `machine` is the one within. */
  fresh(host: Host): { readonly observed: ObservedMachine; readonly machine: Machine } {
    const random = this.#world.random.fork('fresh')
    const place: Place = { actor: this.actor, host, before: this.#owned, random }
    const { hosted, machine } = this.#role(place, random, this.#log(host))
    return { observed: this.#observe(hosted.machine, machine, new VaultFlows(this.#world.venue)), machine: hosted.machine }
  }

  #observe(inner: Machine, machine: Machine, flows: VaultFlows): ObservedMachine {
    const { history, circumstances, applied, positions } = this.#world
    return new ObservedMachine({
      actor: this.actor,
      machine,
      history,
      verdict: circumstances.verdict,
      applied,
      positions,
      heard: (message) => {
        if (isVault(inner)) flows.heard(message as VaultMessage, inner.state)
      },
      restored: () => {
        if (isVault(inner)) flows.restored(inner.state)
      },
    })
  }

  #role(place: Place, random: Random, log: Log): { readonly hosted: Hosted; readonly machine: Machine } {
    const { venue, engine, defect, bounds } = this.#world
    const hosted = roleOf(this.actor, { venue, host: place.host, engine, random, log, bounds, server: this.#server(place, log) })
    return { hosted, machine: defect?.machine?.(hosted.machine, place) ?? hosted.machine }
  }

  /** The chain as this actor's driver reaches it: by one server, or by what a quorum of several says. */
  #server(place: Place, log: Log): SimulatedRpc & Partial<Disagreement> {
    const { rpc, defect, endpoints } = this.#world
    const reached = (server: SimulatedRpc): SimulatedRpc => defect?.rpc?.(server, place) ?? server
    if (endpoints === 1) return reached(rpc.reachedBy(place.host))
    const servers = Array.from({ length: endpoints }, (_, n) => ({ name: `rpc ${n + 1}`, server: reached(n === endpoints - 1 ? rpc.liar(place.host) : rpc.reachedBy(place.host)) }))
    return new QuorumRpc({ endpoints: defect?.endpoints?.(servers) ?? servers, log, clock: place.host.clock })
  }

  #died(): void {
    this.#owners = this.#owners.filter(({ host }) => host.alive)
    if (this.#isKept || this.#launching) return
    this.#launching = true
    this.#startLater()
  }

  #startLater(): void {
    const { circumstances, random } = this.#world
    const { scheduler } = circumstances
    const away_us = Math.max(0, this.#awayUntil_us - scheduler.now_us)
    scheduler.after(away_us + random.between(RESTART_us.least, RESTART_us.most), 'starts again', this.actor, () => {
      // It may have left since this was planned.
      if (scheduler.now_us < this.#awayUntil_us) return this.#startLater()
      this.#launching = false
      if (!this.#isKept) this.launch()
    })
  }

  /** The owner by the log lives. Another one, which has been replaced and does not know yet, does not count: it may never append again. */
  get #isKept(): boolean {
    return this.alive.some((owner) => this.#owns(owner))
  }

  /** An owner may end because another has taken over, or because of what was done to it; anything else is a fault of the venue. */
  #judge(owner: Owner, reason: Error | null): void {
    this.#note(owner.host, reason === null ? 'stopped' : 'failed')
    if (reason === null || owner.host.excuse !== null) return
    const replaced = !this.#owns(owner)
    const { verdict } = this.#world.circumstances
    if (reason instanceof Fenced || reason.message.includes('there is another owner')) {
      return verdict.holds(replaced, 'only another owner ends one', () => `${owner.host.name} was fenced, and nobody has taken over: ${reason.message}`)
    }
    verdict.broken('an actor fails', `${owner.host.name}: ${reason.message}`)
  }

  /** The log says so. */
  #owns({ host }: Owner): boolean {
    return this.#world.epochs.owner(this.actor) === host
  }

  #appends({ host, machine, observed }: Owner, flows: VaultFlows): void {
    const { venue, circumstances, promises } = this.#world
    this.#note(host, 'batch')
    if (machine instanceof PairMachine && this.#batches++ % RESTING_EVERY === 0) promises.check(this.actor, machine, observed.time)
    if (machine instanceof SettlementMachine) checkBooksAgree(this.actor, machine, circumstances.verdict)
    if (!isVault(machine)) return
    checkConservation(this.actor, machine, flows, venue, circumstances.verdict)
    checkExits(this.actor, machine, circumstances.verdict)
    if (++this.#batches % RESERVATIONS_EVERY === 0) checkReservations(this.actor, machine, venue, circumstances.verdict)
  }

  #log(host: Host): Log {
    const line = (at: string, message: string): void => this.#note(host, `${at}: ${message}`)
    return { info: () => undefined, warn: line, error: line }
  }

  #note(host: Host, what: string): void {
    const { trace, scheduler } = this.#world.circumstances
    trace.event(scheduler.now_us, what, host.name)
  }
}

export const isVault = (machine: Machine): machine is VaultMachine & Machine => 'state' in machine
