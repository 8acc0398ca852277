import type { MarketState, Ticks } from '../src/protocol/identity.ts'
import type { PairCommand } from '../src/protocol/pair.ts'
import { pairActor } from '../src/protocol/subjects.ts'
import type { Circumstances } from './circumstances.ts'
import type { Disturbance } from './faults.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

/** Calls that a host still makes, at most, before it dies: so it dies between any two of them. */
const LAST_CALLS = 12
const PAUSE_us = { least: 50_000, most: 6_000_000 }
/** A host that is held up this long is taken for dead, and another owner starts. */
const TAKEN_FOR_DEAD_us = 1_000_000
const PARTITION_us = { least: 50_000, most: 3_000_000 }
const SLOW_us = { least: 100_000, most: 2_000_000 }
const FULL_us = { least: 100_000, most: 2_000_000 }
const HALT_us = { least: 20_000, most: 300_000 }
const JUMP_ms = 8_000
const LONG_JUMP_ms = 40_000
/** Back only: an actor's own time never goes back, so one that was far ahead would have every message expired. */
const BACK_ms = 24 * 3_600_000

/** What is done to hosts, disks and clocks while a simulation lasts, at times that the seed says. */
export class Disturbances {
  readonly #circumstances: Circumstances
  readonly #world: World
  readonly #random: Random

  constructor(circumstances: Circumstances, world: World) {
    this.#circumstances = circumstances
    this.#world = world
    this.#random = circumstances.random.fork('disturbances')
    this.begin()
  }

  /** As often as the plan says, from now on. */
  begin(): void {
    for (const what of Object.keys(this.#circumstances.plan.every_ms) as Disturbance[]) this.#next(what)
  }

  #next(what: Disturbance): void {
    const every_ms = this.#circumstances.plan.every_ms[what]
    if (every_ms === Infinity) return
    this.#circumstances.scheduler.after(this.#random.between(0, 2 * every_ms) * 1_000, what, 'world', () => {
      // Peace has come meanwhile.
      if (this.#circumstances.plan.every_ms[what] === Infinity) return
      this.#circumstances.faults.add(what)
      this.#do(what)
      this.#next(what)
    })
  }

  #do(what: Disturbance): void {
    const { scheduler } = this.#circumstances
    const { journals, network, gateways } = this.#world
    const random = this.#random
    const post = random.pick(this.#world.posts)
    const owner = post.current
    switch (what) {
      case 'crash':
        return owner?.host.dieAfter(random.between(1, LAST_CALLS))
      case 'drain':
        return void owner?.actor.drain(2_000)
      case 'snapshot':
        return post.takeSnapshot()
      case 'halt':
        return this.#halt()
      case 'pause': {
        if (owner === undefined || owner.host.paused) return
        const span_us = random.between(PAUSE_us.least, PAUSE_us.most)
        owner.host.pause()
        scheduler.after(span_us, 'wakes up', owner.host.name, () => owner.host.resume())
        if (span_us < TAKEN_FOR_DEAD_us) return
        return void scheduler.after(TAKEN_FOR_DEAD_us, 'is taken for dead', owner.host.name, () => {
          if (owner.host.paused) post.launch()
        })
      }
      case 'secondOwner':
        return post.launch()
      case 'partition': {
        const host = owner?.host
        if (host?.connected === true && host.alive) network.partition(host, random.between(PARTITION_us.least, PARTITION_us.most))
        return
      }
      case 'clockJump':
        return owner?.host.jump(this.#jump_ms(owner.host.ahead_ms))
      case 'slowDisk':
        journals.slowUntil_us = scheduler.now_us + random.between(SLOW_us.least, SLOW_us.most)
        return
      case 'fullStream':
        journals.fullUntil_us = scheduler.now_us + random.between(FULL_us.least, FULL_us.most)
        return
      case 'gatewayCrash':
        if (gateways.length > 0) random.pick(gateways).host.dieAfter(1)
        return
    }
  }

  /** An operator restricts a market for a while. */
  #halt(): void {
    const { venue, gateways } = this.#world
    const market = this.#random.pick([...venue.markets.values()])
    const control = (state: MarketState): void => {
      const gateway = gateways.length === 0 ? undefined : this.#random.pick(gateways)
      const command: PairCommand = { kind: 'control', state, lowTicks: 1 as Ticks, highTicks: market.rules.maxTicks as Ticks }
      gateway?.send(pairActor(market.name), [{ item: { command }, answered: () => undefined }])
    }
    control(this.#random.pick(['cancelOnly', 'halted']))
    this.#circumstances.scheduler.after(this.#random.between(HALT_us.least, HALT_us.most), 'opens', market.name, () => control('open'))
  }

  #jump_ms(ahead_ms: number): number {
    const random = this.#random
    if (random.chance(0.05)) return -BACK_ms
    // Back to about the right time, where it had strayed.
    if (Math.abs(ahead_ms) > LONG_JUMP_ms || random.chance(0.2)) return -ahead_ms
    const most_ms = random.chance(0.2) ? LONG_JUMP_ms : JUMP_ms
    return random.between(-most_ms, most_ms)
  }

  /** Everything that was held up or cut off goes on. Clocks stay as they are: nobody says that they are ever right. */
  end(): void {
    const { journals, network, posts } = this.#world
    journals.slowUntil_us = 0
    journals.fullUntil_us = 0
    for (const post of posts) {
      for (const { host } of post.alive) {
        host.resume()
        network.reconnect(host)
        host.dieAfter(Infinity)
      }
    }
  }
}
