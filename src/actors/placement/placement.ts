import type { ActorName } from '../../protocol/identity.ts'
import type { Clock } from '../runtime/clock.ts'
import { sentence } from '../runtime/log.ts'
import type { Log } from '../runtime/log.ts'
import { leaseKey, nodeKey, readHolder, readNodes, readPin } from './keys.ts'
import type { Holder, NodeEntry } from './keys.ts'
import { Lease, lease_s } from './lease.ts'
import { Membership } from './membership.ts'
import { ownerOf } from './rendezvous.ts'
import type { Entry, PlacementStore } from './store.ts'

const look_ms = 200
/** A node says so often that it is there. Its leases may be renewed less often: who has gone shows by this. */
const registration_ms = 500

/** What runs actors: the supervisor, as placement sees it. */
export interface ActorHost {
  /** Starts an actor. Resolves when it has run once. */
  run(actor: ActorName): Promise<void>
  /** Ends an actor in order: it finishes what it has. */
  drain(actor: ActorName, limit_ms: number): Promise<void>
  /** Ends an actor at once: it belongs to somebody else. */
  abandon(actor: ActorName): Promise<void>
}

export interface PlacementParts extends Holder {
  /** Actors that this node may run. */
  readonly actors: readonly ActorName[]
  readonly store: PlacementStore
  readonly host: ActorHost
  readonly clock: Clock
  readonly log: Log
  /** How long an actor that moves may take to finish what it has. */
  readonly drain_ms: number
  /** Another process has been started under this node's name: this one has no place any more. */
  readonly superseded: () => void
}

interface Held {
  readonly lease: Lease
  leaving: boolean
}

/**
 * One node's part in placing a venue's actors. Every node looks at the same few keys and computes the same owners; it runs what is its own as soon as
 * the lease is free, and drains and gives back what no longer is. Nobody gives orders, so nobody must be alive for it.
 */
export class Placement {
  readonly #parts: PlacementParts
  readonly #membership = new Membership()
  readonly #held = new Map<ActorName, Held>()
  readonly #ran = new Set<ActorName>()
  /** Drains under way. */
  readonly #ending = new Set<Promise<void>>()
  readonly #settled = Promise.withResolvers<void>()
  #revision = 0
  #registeredAt_ms = -Infinity
  #leaving = false
  #stopped = false
  #looking: Promise<void> = Promise.resolve()
  #cancel = (): void => undefined

  constructor(parts: PlacementParts) {
    this.#parts = parts
  }

  /** Resolves when everything that belongs to this node runs. */
  start(): Promise<void> {
    this.#look()
    return this.#settled.promise
  }

  /** Gives everything back, so that other nodes take it over without waiting; then the node is gone. */
  async leave(): Promise<void> {
    const { host, drain_ms } = this.#parts
    this.#leaving = true
    this.#registeredAt_ms = -Infinity
    this.#cancel()
    await this.#looking
    // Says first that this node leaves, so that nobody waits for it; leases are renewed meanwhile.
    this.#look()
    await this.#looking
    for (const [actor, held] of this.#held) {
      if (held.leaving) continue
      held.leaving = true
      this.#follow(actor, held, () => host.drain(actor, drain_ms))
    }
    while (this.#ending.size > 0) await Promise.all(this.#ending)
    this.#stopped = true
    this.#cancel()
    await this.#looking
    await this.#unregister()
  }

  /** An actor's journal has another writer: it is that writer's, whatever the lease says. */
  fenced(actor: ActorName): void {
    const held = this.#held.get(actor)
    if (held === undefined || held.leaving) return
    held.leaving = true
    this.#follow(actor, held, () => this.#parts.host.abandon(actor))
  }

  #look(): void {
    this.#looking = this.#turn()
      .catch((error: unknown) => {
        this.#membership.lost()
        this.#parts.log.warn('placement', 'the store does not answer', { reason: sentence(error) })
      })
      .then(() => {
        if (!this.#stopped) this.#cancel = this.#parts.clock.after(look_ms, () => this.#look())
      })
  }

  async #turn(): Promise<void> {
    const { store, clock, actors } = this.#parts
    let entries = await store.read()
    const changed = await this.#register(entries)
    if (this.#stopped) return
    // Ours must be among the nodes that we decide by.
    if (changed) entries = await store.read()
    this.#membership.look(readNodes(entries), clock.passed())
    await this.#keep(entries)
    for (const actor of actors) await this.#place(actor, entries)
    if (actors.every((actor) => !this.#owns(actor, entries) || this.#ran.has(actor))) this.#settled.resolve()
  }

  /** True where this node's own entry was made or has changed. */
  async #register(entries: ReadonlyMap<string, Entry>): Promise<boolean> {
    const { node, instance, actors, store, clock, log, superseded } = this.#parts
    const seen = entries.get(nodeKey(node))
    const holder = readHolder(seen)
    const other = holder !== null && holder.instance !== instance
    if (other && this.#revision > 0 && (seen?.revision ?? 0) > this.#revision) {
      log.error('placement', 'another process runs under the name of this node', { node })
      this.#stopped = true
      superseded()
      return false
    }
    const missing = holder === null || other
    if (!missing && clock.passed() - this.#registeredAt_ms < registration_ms) return false
    const entry: NodeEntry = { node, instance, actors, leaving: this.#leaving }
    const revision = await store.write(nodeKey(node), JSON.stringify(entry), seen?.revision ?? 0, lease_s)
    if (revision === null) return false
    this.#revision = revision
    this.#registeredAt_ms = clock.passed()
    return missing || this.#leaving
  }

  /** Renews what is held; what somebody else holds by now is ended. */
  async #keep(entries: ReadonlyMap<string, Entry>): Promise<void> {
    const { clock, host, log } = this.#parts
    const renewed = await Promise.all(
      Array.from(this.#held, async ([actor, held]) => ({ actor, held, renewed: await held.lease.renew(entries.get(leaseKey(actor)), clock.passed()) })),
    )
    for (const { actor, held, renewed: result } of renewed) {
      if (result !== 'lost' || this.#held.get(actor) !== held) continue
      log.warn('placement', 'the lease is lost: the actor ends here', { actor })
      this.#forget(actor)
      await host.abandon(actor)
    }
  }

  #owns(actor: ActorName, entries: ReadonlyMap<string, Entry>): boolean {
    return !this.#leaving && ownerOf(actor, this.#membership.able(actor), readPin(entries, actor)) === this.#parts.node
  }

  async #place(actor: ActorName, entries: ReadonlyMap<string, Entry>): Promise<void> {
    const { store, clock, host, log, node, instance, drain_ms } = this.#parts
    const owns = this.#owns(actor, entries)
    const held = this.#held.get(actor)
    if (held === undefined) {
      if (!owns) return
      const lease = await Lease.take(store, leaseKey(actor), { node, instance }, entries.get(leaseKey(actor)), clock.passed(), (other) => this.#membership.isGone(other))
      if (lease === null) return
      const taken: Held = { lease, leaving: false }
      this.#held.set(actor, taken)
      log.info('placement', 'an actor starts here', { actor })
      void host.run(actor).then(() => this.#held.get(actor) === taken && this.#ran.add(actor))
    } else if (!owns && !held.leaving) {
      held.leaving = true
      log.info('placement', 'an actor leaves', { actor })
      this.#follow(actor, held, () => host.drain(actor, drain_ms))
    }
  }

  /** Ends an actor, then gives its lease back. The lease is renewed until then. */
  #follow(actor: ActorName, held: Held, end: () => Promise<void>): void {
    const ended = end()
      .then(async () => {
        if (this.#held.get(actor) !== held) return
        // From here on a look must not renew what is being given back.
        this.#forget(actor)
        await held.lease.release()
      })
      .catch((error: unknown) => this.#parts.log.warn('placement', 'a lease was not given back: it lapses', { actor, reason: sentence(error) }))
      .then(() => void this.#ending.delete(ended))
    this.#ending.add(ended)
  }

  #forget(actor: ActorName): void {
    this.#held.delete(actor)
    this.#ran.delete(actor)
  }

  async #unregister(): Promise<void> {
    if (this.#revision === 0) return
    try {
      await this.#parts.store.write(nodeKey(this.#parts.node), null, this.#revision, lease_s)
    } catch (error) {
      this.#parts.log.warn('placement', 'the node could not say that it is gone: its entry lapses', { reason: sentence(error) })
    }
  }
}
