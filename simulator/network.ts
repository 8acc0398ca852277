import type { Transport } from '../src/actors/runtime/transport.ts'
import type { Circumstances } from './circumstances.ts'
import type { Host } from './host.ts'
import type { Random } from './random.ts'

const LATENCY_us = { least: 40, most: 260 }
const REORDERED_us = 3_000
const LATE_us = { least: 20_000, most: 6_000_000 }

interface Subscription {
  readonly host: Host
  readonly receive: (data: Uint8Array) => void
  open: boolean
}

/** Publish and subscribe between hosts: at most once and in order as long as nothing goes wrong, and things go wrong. */
export class Network {
  readonly #circumstances: Circumstances
  readonly #random: Random
  readonly #subscriptions = new Map<string, Subscription[]>()
  /** Where in time the last message from one host to another arrives. */
  readonly #arrivals = new Map<Host, Map<Host, number>>()
  readonly #reconnected = new Map<Host, (() => void)[]>()

  constructor(circumstances: Circumstances) {
    this.#circumstances = circumstances
    this.#random = circumstances.random.fork('network')
  }

  transport(host: Host): Transport {
    return {
      publish: (subject, data) => {
        if (host.reach()) this.#publish(host, subject, data)
      },
      subscribe: (subject, receive) => this.#subscribe(subject, { host, receive, open: true }),
      onReconnect: (call) => {
        const calls = this.#reconnected.get(host) ?? []
        this.#reconnected.set(host, calls)
        calls.push(call)
        return () => void calls.splice(calls.indexOf(call), 1)
      },
      flush: () => new Promise((resolve) => void host.after(LATENCY_us.most, 'flushed', resolve)),
    }
  }

  /** The host is cut off for a while: what it says and what it is told is lost. */
  partition(host: Host, span_us: number): void {
    host.connected = false
    this.#circumstances.scheduler.after(span_us, 'reconnected', host.name, () => this.reconnect(host))
  }

  reconnect(host: Host): void {
    if (host.connected || !host.alive) return
    host.connected = true
    host.after(0, 'told of it', () => {
      for (const call of this.#reconnected.get(host) ?? []) call()
    })
  }

  /** A dead host's connections are gone. */
  forget(host: Host): void {
    for (const [subject, subscriptions] of this.#subscriptions) {
      if (subscriptions.some((subscription) => subscription.host === host)) this.#subscriptions.set(subject, subscriptions.filter((subscription) => subscription.host !== host))
    }
    this.#reconnected.delete(host)
    this.#arrivals.delete(host)
  }

  #subscribe(subject: string, subscription: Subscription): () => void {
    this.#subscriptions.set(subject, [...(this.#subscriptions.get(subject) ?? []), subscription])
    return () => {
      subscription.open = false
      this.#subscriptions.set(subject, (this.#subscriptions.get(subject) ?? []).filter((other) => other !== subscription))
    }
  }

  #publish(from: Host, subject: string, data: Uint8Array): void {
    const { trace } = this.#circumstances
    trace.bytes(data)
    if (!from.connected) return
    for (const subscription of this.#subscriptions.get(subject) ?? []) this.#send(from, subject, subscription, data)
  }

  #send(from: Host, subject: string, to: Subscription, data: Uint8Array): void {
    const { plan, faults } = this.#circumstances
    const random = this.#random
    const { lost, doubled, late, reordered } = plan.network
    const hit = (chance: number, fault: string): boolean => random.chance(chance) && (faults.add(fault), true)
    if (hit(lost, 'message lost')) return
    if (hit(doubled, 'message doubled')) this.#deliver(random.between(LATENCY_us.least, REORDERED_us), subject, to, data)
    if (hit(late, 'message late')) return this.#deliver(random.between(LATE_us.least, LATE_us.most), subject, to, data)
    if (hit(reordered, 'message reordered')) return this.#deliver(random.between(LATENCY_us.least, REORDERED_us), subject, to, data)
    this.#deliver(this.#inOrder(from, to.host, random.between(LATENCY_us.least, LATENCY_us.most)), subject, to, data)
  }

  /** Not before what was sent before. */
  #inOrder(from: Host, to: Host, latency_us: number): number {
    const { now_us } = this.#circumstances.scheduler
    const arrivals = this.#arrivals.get(from) ?? new Map<Host, number>()
    this.#arrivals.set(from, arrivals)
    const at = Math.max(now_us + latency_us, arrivals.get(to) ?? 0)
    arrivals.set(to, at)
    return at - now_us
  }

  #deliver(delay_us: number, subject: string, to: Subscription, data: Uint8Array): void {
    to.host.after(delay_us, subject, () => {
      if (to.open && to.host.connected) to.receive(data)
    })
  }
}
