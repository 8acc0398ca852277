import { MessageChannel, Worker } from 'node:worker_threads'
import { releaseProxy, wrap } from 'comlink'
import type { Remote } from 'comlink'
import type { ActorName } from '../protocol/identity.ts'
import { endpointOf } from './control.ts'
import type { ShardData } from './control.ts'
import { sentence } from './runtime/log.ts'
import type { Log } from './runtime/log.ts'
import type { SnapshotControl, SnapshotData, Taken } from './snapshotControl.ts'

/** One that takes longer is stuck: the thread is ended, and the next one begins in a new thread. */
const longest_ms = 600_000

interface Running {
  readonly worker: Worker
  readonly control: Remote<SnapshotControl>
  /** Rejects when the thread is gone. */
  readonly gone: Promise<never>
}

/** The worker thread in which a shard's snapshots are taken: started when the first is due, and anew where it has died. */
export class SnapshotThread implements SnapshotControl {
  readonly #data: ShardData
  readonly #log: Log
  #running: Running | null = null

  constructor(data: ShardData, log: Log) {
    this.#data = data
    this.#log = log
  }

  take(actor: ActorName, least: number): Promise<Taken> {
    return this.#asked<Taken>((control) => control.take(actor, least))
  }

  outdated(actor: ActorName): Promise<boolean> {
    return this.#asked((control) => control.outdated(actor))
  }

  /** What is under way is given up: an unfinished snapshot harms nobody. */
  async stop(): Promise<void> {
    await this.#running?.worker.terminate()
  }

  async #asked<Answer>(ask: (control: Remote<SnapshotControl>) => Promise<Answer>): Promise<Answer> {
    this.#running ??= this.#launch()
    const { worker, control, gone } = this.#running
    const stuck = setTimeout(() => void worker.terminate(), longest_ms)
    try {
      return await Promise.race([ask(control), gone])
    } finally {
      clearTimeout(stuck)
    }
  }

  #launch(): Running {
    const { port1, port2 } = new MessageChannel()
    const { keys, venue, nats, settlementModule } = this.#data
    const workerData: SnapshotData = { venue, nats, settlementModule, secrets: keys.of('snapshots'), port: port2 }
    const worker = new Worker(new URL('./snapshotHost.ts', import.meta.url), { name: 'snapshots', workerData, transferList: [port2] })
    const control = wrap<SnapshotControl>(endpointOf(port1))
    const gone = new Promise<never>((_, reject) => {
      worker.once('error', (error) => this.#log.error('snapshots', 'the thread threw', { reason: sentence(error) }))
      worker.once('exit', (code) => {
        this.#running = null
        control[releaseProxy]()
        port1.close()
        reject(new Error(`the snapshot thread ended with ${code}`))
      })
    })
    // Nobody may be waiting when it ends.
    gone.catch(() => undefined)
    return { worker, control, gone }
  }
}
