import type { Journal, JournalEntry } from '../src/actors/runtime/journal.ts'
import type { ActorName } from '../src/protocol/identity.ts'
import type { Caused, History } from './history.ts'
import type { ObservedMachine } from './observedMachine.ts'

/** What each record caused that was ever handed in for appending. */
export type CausedBy = WeakMap<Uint8Array, Caused>

/** Stands between an actor and its journal: knows with which record everything its machine caused becomes durable. */
export class ObservedJournal implements Journal {
  readonly #actor: ActorName
  readonly #journal: Journal
  readonly #machine: ObservedMachine
  readonly #history: History
  readonly #causedBy: CausedBy
  readonly #appends: () => void
  #appending = false

  /** `appends`: called as a batch is applied and about to be appended. */
  constructor(actor: ActorName, journal: Journal, machine: ObservedMachine, history: History, causedBy: CausedBy, appends: () => void) {
    this.#actor = actor
    this.#journal = journal
    this.#machine = machine
    this.#history = history
    this.#causedBy = causedBy
    this.#appends = appends
  }

  /** Whether the machine is ahead of what is known to be durable. */
  get appending(): boolean {
    return this.#appending
  }

  async *replay(after?: number): AsyncGenerator<JournalEntry> {
    this.#machine.live = false
    for await (const entry of this.#journal.replay(after)) {
      yield entry
      this.#history.replayed(this.#actor, this.#machine.take())
    }
    this.#machine.live = true
  }

  async append(record: Uint8Array): Promise<void> {
    this.#causedBy.set(record, this.#machine.take())
    this.#appending = true
    this.#appends()
    await this.#journal.append(record)
    this.#appending = false
  }

  forget(position: number): Promise<void> {
    return this.#journal.forget(position)
  }
}
