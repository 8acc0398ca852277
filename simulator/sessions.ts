import type { AccountId } from '../src/protocol/identity.ts'
import type { Answer } from '../src/protocol/packets.ts'
import { vaultOf } from '../src/protocol/subjects.ts'
import type { Presence, TimerState } from '../src/protocol/vault.ts'
import type { TimerPromises } from './checks/timers.ts'
import type { Circumstances } from './circumstances.ts'
import type { Gateway } from './gateway.ts'
import type { Random } from './random.ts'

const OPENS_us = { least: 100_000, most: 3_000_000 }
const RENEWED_us = { least: 500_000, most: 4_000_000 }
const MOST_SESSIONS = 12
/** How often one that is looked at ends, and how often nothing is said of that. */
const ENDS = 0.15
const SILENTLY = 0.4

/** Connections that traders have asked to be watched: a gateway renews them, ends them, or dies and says nothing more. */
export class Sessions {
  readonly #circumstances: Circumstances
  readonly #random: Random
  readonly #accounts: readonly AccountId[]
  readonly #partitions: number
  readonly #promises: TimerPromises
  readonly #gateways: () => readonly Gateway[]
  #count = 0
  #open = 0
  #resting = false

  constructor(circumstances: Circumstances, accounts: readonly AccountId[], partitions: number, promises: TimerPromises, gateways: () => readonly Gateway[]) {
    this.#circumstances = circumstances
    this.#random = circumstances.random.fork('sessions')
    this.#accounts = accounts
    this.#partitions = partitions
    this.#promises = promises
    this.#gateways = gateways
    this.#next()
  }

  /** Nobody connects any more, and nobody who is connected says so again. */
  rest(): void {
    this.#resting = true
  }

  #next(): void {
    this.#circumstances.scheduler.after(this.#random.between(OPENS_us.least, OPENS_us.most), 'connects', 'traders', () => {
      if (this.#resting) return
      const gateways = this.#gateways()
      if (gateways.length > 0 && this.#open < MOST_SESSIONS) this.#connect(this.#random.pick(gateways))
      this.#next()
    })
  }

  #connect(gateway: Gateway): void {
    const random = this.#random
    this.#open++
    const account = random.pick(this.#accounts)
    const session = `${gateway.name}.${++this.#count}`
    const timeout_ms = random.between(5, 8) * 1_000
    this.#say(gateway, { kind: 'presence', account, signer: account, session, timeout_ms, cancel: false })
    this.#look(gateway, { kind: 'presence', account, signer: account, session, timeout_ms, cancel: false })
  }

  #look(gateway: Gateway, presence: Presence): void {
    const random = this.#random
    this.#circumstances.scheduler.after(random.between(RENEWED_us.least, RENEWED_us.most), 'is looked at', 'traders', () => {
      const ends = random.chance(ENDS)
      if (!gateway.host.alive || this.#resting || ends) {
        this.#open--
        if (gateway.host.alive && ends && !random.chance(SILENTLY)) this.#say(gateway, { ...presence, timeout_ms: 0, cancel: random.chance(0.5) })
        return
      }
      this.#say(gateway, presence)
      this.#look(gateway, presence)
    })
  }

  #say(gateway: Gateway, presence: Presence): void {
    const { account, signer, session } = presence
    this.#promises.asked(account, signer, session)
    const answered = (answer: Answer): void => this.#promises.answered(account, signer, session, 'ok' in answer ? (answer.ok as TimerState) : null)
    gateway.send(vaultOf(account, this.#partitions), [{ item: { command: presence }, answered }])
  }
}
