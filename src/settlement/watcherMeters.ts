import { Meters } from '../monitoring/meters.ts'
import type { Readings } from '../monitoring/meters.ts'
import type { WatcherMachine } from './watcherMachine.ts'

/** What the watcher shows its operator: how far it has read. */
export class WatcherMeters {
  readonly #meters = new Meters()

  read({ ledger, gap }: Pick<WatcherMachine, 'ledger' | 'gap'>): Promise<Readings> {
    this.#meters.set('darkpool_watcher_ledger', ledger)
    this.#meters.set('darkpool_watcher_gap', gap === null ? 0 : 1)
    return this.#meters.read()
  }
}
