import { spawn } from 'node:child_process'
import type { ChildProcess, Serializable } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Fault } from '../setup/fault.ts'
import type { Start } from './programs.ts'

const POLL_ms = 25
const READY_TIMEOUT_ms = 120_000
const RESTART_FIRST_ms = 250
const RESTART_LONGEST_ms = 10_000
/** A process that ran this long did not die of its start: the next restart comes soon again. */
const PROVED_ms = 60_000
const LOG_TAIL = 2_000

export interface ServerPlan {
  /** As people call it. */
  readonly name: string
  readonly start: Start
  /** What follows it; made anew at each start. */
  readonly args: () => readonly string[] | Promise<readonly string[]>
  /** Both outputs are appended there. */
  readonly log: string
  /** Whether it speaks Node's IPC: then it is ready when it says {type: 'ready'}. */
  readonly ipc: boolean
  /** Otherwise: whether it serves now. */
  readonly serves?: () => Promise<boolean>
  /** How long it may take to end in order. */
  readonly grace_ms: number
}

export interface ServerEvents {
  /** For a person: what happened to it and what is done about it. */
  say(text: string): void
  /** Another process serves now, or none. */
  changed(): void
}

type Wanted = 'up' | 'down'

/**
 * One server of the venue as a child process: started, watched, ended. One that ends without being asked is started again, with longer
 * and longer pauses where it does not hold.
 */
export class ServerProcess {
  readonly plan: ServerPlan
  readonly #events: ServerEvents
  #child: ChildProcess | undefined
  #wanted: Wanted = 'down'
  #restarts = 0
  #readyMessage: Record<string, unknown> = {}

  constructor(plan: ServerPlan, events: ServerEvents) {
    this.plan = plan
    this.#events = events
  }

  get pid(): number | undefined {
    return this.#running ? this.#child?.pid : undefined
  }

  /** What it said with 'ready'. */
  get readyMessage(): Readonly<Record<string, unknown>> {
    return this.#readyMessage
  }

  get #running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Resolves when it serves. @throws Fault where it ends or does not serve in time */
  async start(): Promise<void> {
    if (this.#running) throw new Error(`${this.plan.name} runs already`)
    this.#wanted = 'up'
    try {
      await this.#launch()
    } catch (error) {
      await this.#end('SIGKILL')
      throw error
    }
  }

  /** Ends it in order; kills it after its grace. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** As a power cut would: SIGKILL, and it stays down until the next start. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** At the end of this very process, when nothing can be waited for. */
  killNow(): void {
    this.#wanted = 'down'
    if (this.#running) this.#child?.kill('SIGKILL')
  }

  send(message: Serializable): void {
    if (!this.#child?.connected) throw new Error(`${this.plan.name} does not listen`)
    this.#child.send(message)
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#wanted = 'down'
    const child = this.#child
    if (!child || !this.#running) return
    const gone = once(child, 'exit')
    child.kill(signal)
    const late = setTimeout(() => {
      this.#events.say(`${this.plan.name} did not end within ${this.plan.grace_ms / 1000} s and is killed`)
      child.kill('SIGKILL')
    }, this.plan.grace_ms)
    await gone
    clearTimeout(late)
  }

  async #launch(): Promise<void> {
    const { plan } = this
    const args = await plan.args()
    const log = openSync(plan.log, 'a', 0o600)
    // A session of its own: the terminal's Ctrl-C reaches the venue, which then ends its servers in their order.
    const [command, ...first] = plan.start
    const child = spawn(command, [...first, ...args], { stdio: ['ignore', log, log, ...(plan.ipc ? ['ipc' as const] : [])], detached: true })
    closeSync(log)
    this.#child = child
    const started = performance.now()
    let ready = false
    child.on('message', (message) => {
      if (typeof message !== 'object' || message === null || !('type' in message) || message.type !== 'ready') return
      ready = true
      this.#readyMessage = message
    })
    const failed = await Promise.race([once(child, 'spawn').then(() => undefined), once(child, 'error').then(([error]: Error[]) => error)])
    if (failed) throw new Fault(`${plan.name} could not be started: ${failed.message}`)
    this.#events.changed()
    while (!ready) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Fault(`${plan.name} ended while it started (${howItEnded(child)}):\n${this.#logTail()}`)
      if (performance.now() - started > READY_TIMEOUT_ms) throw new Fault(`${plan.name} did not serve within ${READY_TIMEOUT_ms / 1000} s:\n${this.#logTail()}`)
      if (plan.serves) ready = await plan.serves()
      if (!ready) await delay(POLL_ms)
    }
    const died = (): void => {
      this.#events.changed()
      if (this.#wanted === 'down' || this.#child !== child) return
      if (performance.now() - started > PROVED_ms) this.#restarts = 0
      this.#events.say(`${plan.name} ended unexpectedly (${howItEnded(child)}); starting it again. Its log: ${plan.log}`)
      void this.#revive()
    }
    if (child.exitCode !== null || child.signalCode !== null) died()
    else child.once('exit', died)
  }

  async #revive(): Promise<void> {
    while (this.#wanted === 'up') {
      const pause_ms = Math.min(RESTART_FIRST_ms * 2 ** this.#restarts, RESTART_LONGEST_ms)
      this.#restarts += 1
      await delay(pause_ms)
      if (this.#wanted !== 'up') return
      try {
        await this.#launch()
        this.#events.say(`${this.plan.name} serves again`)
        return
      } catch (error) {
        if (this.#running) this.#child?.kill('SIGKILL')
        this.#events.say(`${this.plan.name} could not be started again: ${(error as Error).message}`)
      }
    }
  }

  #logTail(): string {
    return readFileSync(this.plan.log, 'utf8').slice(-LOG_TAIL).trim()
  }
}

const howItEnded = (child: ChildProcess): string => (child.signalCode === null ? `exit code ${child.exitCode}` : child.signalCode)
