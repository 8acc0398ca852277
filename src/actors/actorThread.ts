import { setTimeout as delay } from 'node:timers/promises'
import { MessageChannel, Worker } from 'node:worker_threads'
import { releaseProxy, wrap } from 'comlink'
import type { Remote } from 'comlink'
import type { Readings } from '../monitoring/meters.ts'
import type { ActorName } from '../protocol/identity.ts'
import type { ActorStatus } from '../protocol/packets.ts'
import { endpointOf } from './control.ts'
import type { HostControl, HostData, ShardData } from './control.ts'
import { exitCodes } from './exitCodes.ts'
import type { FoundFault } from './runtime/journalFault.ts'
import { sentence } from './runtime/log.ts'
import type { Log } from './runtime/log.ts'

/** A worker that ends is replaced after a wait that doubles; one that ran for `steady_ms` begins anew. A machine that fails at the same input every time is thus tried at a slow, even pace. */
const restart_ms = { first: 100, most: 10_000 }
const steady_ms = 30_000
const distrust_ms = 5_000
/** One that does not say within this time how it stands is held up. */
const readings_ms = 2_000

interface Running {
  readonly worker: Worker
  readonly control: Remote<HostControl>
  readonly exited: Promise<void>
}

/** One actor's place in a shard: the worker thread that hosts it, and its replacement whenever that ends. */
export class ActorThread {
  readonly actor: ActorName
  readonly #data: ShardData
  readonly #log: Log
  readonly #fenced: (() => void) | null
  #running: Running | null = null
  #state: ActorStatus['state'] = 'replaying'
  #ending = false
  #wait_ms = restart_ms.first
  #restart: NodeJS.Timeout | undefined
  #firstRun = Promise.withResolvers<void>()
  #restarts = 0

  /** @param fenced called where its journal has another writer; it is not started again then. Without, it is: whoever starts last is the owner */
  constructor(actor: ActorName, data: ShardData, log: Log, fenced: (() => void) | null = null) {
    this.actor = actor
    this.#fenced = fenced
    this.#data = data
    this.#log = log
  }

  /** Resolves when the actor has run once. */
  start(): Promise<void> {
    this.#launch()
    return this.#firstRun.promise
  }

  async status(): Promise<ActorStatus> {
    const running = this.#running
    const unknown = { actor: this.actor, node: this.#data.node, epoch: 0, state: this.#state, records: 0, restored: 0, bytes: 0, backlog: 0, alarms: [] }
    if (running === null || this.#state !== 'running') return unknown
    return Promise.race([running.control.status(), running.exited.then(() => ({ ...unknown, state: 'failed' as const }))])
  }

  /** How often it was started again. */
  get restarts(): number {
    return this.#restarts
  }

  /** What its operator's metrics are made of; null where it does not run, or does not answer. */
  async readings(): Promise<Readings | null> {
    const running = this.#running
    if (running === null || this.#state !== 'running') return null
    const said = running.control.readings().catch((error: unknown) => {
      this.#log.warn('supervisor', 'an actor could not say how it stands', { actor: this.actor, reason: sentence(error) })
      return null
    })
    return Promise.race([said, running.exited.then(() => null), delay(readings_ms, null, { ref: false })])
  }

  /** Ends it in order; after `limit_ms`, by force. Not replaced. */
  async drain(limit_ms: number): Promise<void> {
    this.#ending = true
    clearTimeout(this.#restart)
    const running = this.#running
    if (running === null) {
      this.#state = 'stopped'
      return
    }
    const force = setTimeout(() => {
      this.#log.error('supervisor', 'an actor did not drain in time', { actor: this.actor })
      void running.worker.terminate()
    }, limit_ms)
    // Its last part before exit is the answer, which may or may not get out: the exit is what counts.
    running.control.drain(Math.max(1, limit_ms - 1_000)).catch((error: unknown) => {
      this.#log.warn('supervisor', 'an actor could not drain', { actor: this.actor, reason: sentence(error) })
    })
    await running.exited
    clearTimeout(force)
  }

  /** Ends it at once. Not replaced. */
  async abandon(): Promise<void> {
    this.#ending = true
    clearTimeout(this.#restart)
    const running = this.#running
    if (running === null) this.#state = 'stopped'
    await running?.worker.terminate()
  }

  /** Ends it as one whose journal is at fault: by itself, so that it says why, or else by force. It is tried again, slowly, and what its journal says decides. */
  async distrust(fault: FoundFault): Promise<void> {
    const running = this.#running
    if (running === null || this.#ending) return
    const force = setTimeout(() => void running.worker.terminate(), distrust_ms)
    running.control.distrust(fault).catch((error: unknown) => {
      this.#log.warn('supervisor', 'an actor could not be told that it is not trusted', { actor: this.actor, reason: sentence(error) })
    })
    await running.exited
    clearTimeout(force)
  }

  /** Ends the thread between two instructions, as a crash would. It is replaced. For fault tests. */
  async terminate(): Promise<void> {
    await this.#running?.worker.terminate()
  }

  #launch(): void {
    const { port1, port2 } = new MessageChannel()
    const startedAt = Date.now()
    const { keys, ...data } = this.#data
    const workerData: HostData = { ...data, secrets: keys.of(this.actor), actor: this.actor, port: port2 }
    const worker = new Worker(new URL('./host.ts', import.meta.url), { name: this.actor, workerData, transferList: [port2] })
    const control = wrap<HostControl>(endpointOf(port1))
    const exited = new Promise<void>((resolve) => {
      worker.once('error', (error) => this.#log.error('supervisor', 'an actor threw', { actor: this.actor, reason: sentence(error) }))
      worker.once('exit', (code) => {
        this.#running = null
        control[releaseProxy]()
        port1.close()
        resolve()
        this.#exited(code, Date.now() - startedAt)
      })
    })
    this.#running = { worker, control, exited }
    this.#state = 'replaying'
    control.start().then(
      () => {
        this.#state = 'running'
        this.#firstRun.resolve()
      },
      // The worker says why in its own log, and exits.
      () => (this.#state = 'failed'),
    )
  }

  #exited(code: number, ran_ms: number): void {
    this.#state = this.#ending ? 'stopped' : 'failed'
    if (this.#ending) return
    if (code === exitCodes.fenced && this.#fenced !== null) return this.#fenced()
    if (ran_ms >= steady_ms) this.#wait_ms = restart_ms.first
    this.#log.warn('supervisor', 'an actor ended and is started again', { actor: this.actor, code, wait_ms: this.#wait_ms })
    this.#restarts++
    this.#restart = setTimeout(() => this.#launch(), this.#wait_ms)
    this.#wait_ms = Math.min(this.#wait_ms * 2, restart_ms.most)
  }
}
