import type { Clock } from '../actors/runtime/clock.ts'
import type { DrivenActor, Driver } from '../actors/runtime/driver.ts'
import type { Log } from '../actors/runtime/log.ts'
import { DriverLoop } from './driverLoop.ts'
import type { Step } from './driverLoop.ts'
import { tellDisagreement } from './disagreement.ts'
import { completeLedger, cursorLedger } from './eventCursor.ts'
import { chainHead, rpcErrorCode } from './stellarRpc.ts'
import type { Disagreement, StellarRpc } from './stellarRpc.ts'
import type { VaultContract } from './vaultContract.ts'
import type { WatcherLocal, WatcherMachine } from './watcherMachine.ts'

/** Events of one page, which is one journaled input. */
const PAGE = 500
/** How often to look whether an RPC can show the missing ledgers after all. */
const GAP_MS = 30_000

export interface WatcherOptions {
  readonly machine: WatcherMachine
  readonly server: Pick<StellarRpc, 'getEvents' | 'getTransaction'> & Partial<Disagreement>
  readonly vault: VaultContract
  readonly fromLedger: number
  readonly poll_ms: number
  readonly log: Log
  /** Events of one page; tests make it small. */
  readonly page?: number
  readonly clock?: Clock
}

/** Reads the vault contract's events from the machine's cursor on, page by page. */
export function driveWatcher(options: WatcherOptions, actor: DrivenActor<WatcherLocal>): Driver {
  const reader = new EventReader(options, actor)
  const loop = new DriverLoop('watcher', () => reader.step(), options.log, options.clock)
  return { stop: () => loop.stop() }
}

class EventReader {
  readonly #options: WatcherOptions
  readonly #actor: DrivenActor<WatcherLocal>
  #standing = false

  constructor(options: WatcherOptions, actor: DrivenActor<WatcherLocal>) {
    this.#options = options
    this.#actor = actor
  }

  async step(): Promise<Step> {
    const { machine, server, fromLedger } = this.#options
    const after = machine.cursor
    await tellDisagreement(machine, server, this.#actor)
    try {
      return await this.#read(after, after === null ? { startLedger: fromLedger } : { cursor: after })
    } catch (error) {
      if (rpcErrorCode(error) === undefined) throw error
      const { ledger, oldestLedger } = await chainHead(server)
      if (oldestLedger > this.#needed) return this.#stand(oldestLedger)
      // The cursor's own ledger is gone, but it was read to its end.
      if (after !== null && cursorLedger(after) < oldestLedger && ledger >= this.#needed) return this.#read(after, { startLedger: this.#needed })
      if (ledger < this.#needed) throw new Error(`the RPC is at ledger ${ledger}, before ledger ${this.#needed} that the watcher has reached`, { cause: error })
      throw error
    }
  }

  async #read(after: string | null, range: { readonly startLedger: number } | { readonly cursor: string }): Promise<Step> {
    const { machine, server, vault, poll_ms } = this.#options
    const limit = this.#options.page ?? PAGE
    const page = await server.getEvents({ filters: [vault.accountFilter], limit, ...range })
    if (page.oldestLedger > this.#needed) return this.#stand(page.oldestLedger)
    const complete = completeLedger(page.cursor, page.events.length, limit)
    if (complete > page.latestLedger) throw new Error('the RPC searched beyond its latest ledger')
    if (page.cursor === after) return { sleep_ms: poll_ms }
    const events = page.events.filter((event) => event.inSuccessfulContractCall !== false).map((event) => vault.parseAccountEvent(event))
    await this.#actor.submit({ kind: 'page', after, cursor: page.cursor, complete, events })
    if (machine.cursor !== page.cursor) throw new Error('the journal holds another cursor')
    this.#standing = false
    return complete < page.latestLedger ? 'again' : { sleep_ms: poll_ms }
  }

  /** The oldest ledger whose events have not all been read. */
  get #needed(): number {
    const { machine } = this.#options
    // A cursor within a ledger needs that ledger again.
    return machine.cursor === null ? machine.ledger + 1 : Math.max(machine.ledger + 1, cursorLedger(machine.cursor))
  }

  /** Ledgers are gone that were not read: to go on after them would lose deposits. */
  async #stand(oldest: number): Promise<Step> {
    const needed = this.#needed
    if (!this.#standing) {
      this.#standing = true
      this.#options.log.error('watcher', 'the RPC no longer keeps ledgers that were not read: the watcher stands until it is given one that does', { needed, oldest })
      await this.#actor.submit({ kind: 'gap', needed, oldest })
    }
    return { sleep_ms: GAP_MS }
  }
}
