import type { FeedStream, FeedText } from '../src/actors/runtime/feed.ts'
import type { Circumstances } from './circumstances.ts'
import { never } from './host.ts'
import type { Host } from './host.ts'
import type { Random } from './random.ts'

const TIMEOUT_us = 5_000_000
const WAY_us = { least: 100, most: 600 }
const LATE_us = { least: 5_000_000, most: 9_000_000 }

/** Called as a message is stored. */
export type Fed = (writer: Host, message: FeedText) => void

/** The stream of traders' feeds: a burst may get lost from some point on, or its answer, or come when nobody believes in it any more. */
export class FeedStore {
  readonly #circumstances: Circumstances
  readonly #random: Random
  readonly #fed: Fed

  constructor(circumstances: Circumstances, fed: Fed) {
    this.#circumstances = circumstances
    this.#random = circumstances.random.fork('feeds')
    this.#fed = fed
  }

  stream(host: Host): FeedStream {
    return { store: (messages) => this.#store(host, messages) }
  }

  #store(host: Host, messages: readonly FeedText[]): Promise<void> {
    if (!host.reach()) return never()
    const { scheduler, plan, faults } = this.#circumstances
    const random = this.#random
    const hit = (chance: number, fault: string): boolean => random.chance(chance) && (faults.add(fault), true)
    return new Promise((resolve, reject) => {
      const giveUp = host.after(TIMEOUT_us, 'feed: no answer', () => reject(new Error('no answer in time')))
      if (!host.connected || hit(plan.feed.lost, 'feed burst lost')) return
      const partly = hit(plan.feed.partly, 'feed burst cut off')
      const arrived = partly ? messages.slice(0, random.below(messages.length)) : messages
      const late = hit(plan.feed.late, 'feed burst late')
      const way_us = late ? random.between(LATE_us.least, LATE_us.most) : random.between(WAY_us.least, WAY_us.most)
      const lost = partly || hit(plan.feed.answerLost, 'feed stored, answer lost')
      scheduler.after(way_us, 'feed', host.name, () => {
        for (const message of arrived) this.#fed(host, message)
        if (lost) return
        host.after(random.between(WAY_us.least, WAY_us.most), 'feed: answer', () => {
          if (!host.connected) return
          giveUp()
          resolve()
        })
      })
    })
  }
}
