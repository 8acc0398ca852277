import type { Effects, Machine } from '../actors/runtime/machine.ts'
import type { AccountId, ActorName, Seconds } from '../protocol/identity.ts'
import type { Answer } from '../protocol/packets.ts'
import type { SettlementMessage } from '../protocol/settlement.ts'
import { DEFAULT_CHANNEL, settlementActor, vaultActor, vaultOf } from '../protocol/subjects.ts'
import type { ChainReport } from '../protocol/vault.ts'
import type { AccountEvent, CustodyEvent } from './vaultContract.ts'
import { readSnapshot, takeSnapshot } from './watcherSnapshot.ts'
import type { WatcherQuery, WatcherStatus } from './watcherStatus.ts'

/** What the watcher's driver tells its machine. */
export type WatcherLocal =
  | {
      readonly kind: 'page'
      /** The cursor this page continues; null for the first one. */
      readonly after: string | null
      readonly cursor: string
      /** The last ledger that is complete with this page. */
      readonly complete: number
      readonly events: readonly AccountEvent[]
    }
  /** RPC endpoints that contradict the others, by name; told when they are others than before. */
  | { readonly kind: 'endpoints'; readonly disagreeing: readonly string[] }
  /** The RPC no longer keeps ledger `needed`; its oldest is `oldest`. */
  | { readonly kind: 'gap'; readonly needed: number; readonly oldest: number }

/**
 * Turns the vault contract's events into reports, each once: a page is one journaled input and moves the cursor with the reports it
 * causes, so the two can never part.
 */
export class WatcherMachine implements Machine<never, WatcherQuery, never, WatcherLocal> {
  readonly #partitions: number
  readonly #settlement: ActorName
  #accounts = new Map<AccountId, number>()
  #cursor: string | null = null
  #ledger: number
  #gap: WatcherStatus['gap'] = null
  #disagreeing: readonly string[] = []

  /** `fromLedger`: the ledger in which the contract was made, so that nothing is missing before it. */
  constructor(vaultPartitions: number, fromLedger: number, channel: number = DEFAULT_CHANNEL) {
    this.#settlement = settlementActor(channel)
    this.#partitions = vaultPartitions
    this.#ledger = fromLedger - 1
  }

  get cursor(): string | null {
    return this.#cursor
  }

  /** The last complete ledger. */
  get ledger(): number {
    return this.#ledger
  }

  get gap(): WatcherStatus['gap'] {
    return this.#gap
  }

  /** The endpoints that were last said to disagree. */
  get disagreeing(): readonly string[] {
    return this.#disagreeing
  }

  advance(): void {
    // Nothing here depends on time.
  }

  command(_command: never): never {
    throw new Error('the watcher takes no commands')
  }

  message(_from: unknown, _message: never): never {
    throw new Error('the watcher hears no other actor')
  }

  local(input: WatcherLocal, effects: Effects): void {
    if (input.kind === 'gap') {
      this.#gap = { needed: input.needed, oldest: input.oldest }
      return
    }
    if (input.kind === 'endpoints') {
      this.#disagreeing = input.disagreeing
      return
    }
    // A page that continues another cursor was applied already, or comes from a driver that was replaced.
    if (input.after !== this.#cursor) return
    for (const event of input.events) this.#hear(event, effects)
    this.#cursor = input.cursor
    this.#gap = null
    if (input.complete > this.#ledger) this.#advanceTo(input.complete, effects)
  }

  query(query: WatcherQuery): Answer<WatcherStatus> {
    if (query.kind !== 'status') return { refused: 'request_malformed' }
    return { ok: { cursor: this.#cursor, ledger: this.#ledger, accounts: this.#accounts.size, gap: this.#gap, disagreeing: this.#disagreeing } }
  }

  deadline(): null {
    return null
  }

  snapshot(): Uint8Array {
    return takeSnapshot({ accounts: this.#accounts, cursor: this.#cursor, ledger: this.#ledger, gap: this.#gap, disagreeing: this.#disagreeing })
  }

  restore(bytes: Uint8Array): void {
    const { accounts, cursor, ledger, gap, disagreeing } = readSnapshot(bytes)
    this.#accounts = accounts
    this.#cursor = cursor
    this.#ledger = ledger
    this.#gap = gap
    this.#disagreeing = disagreeing
  }

  #hear(event: AccountEvent, effects: Effects): void {
    if (event.ledger <= this.#ledger) throw new Error(`an event of ledger ${event.ledger} came after that ledger was reported complete`)
    if (event.kind !== 'tradingKey') return this.#report(event, effects)
    // A classic account has a key of its own, and names others by message.
    if (event.account.startsWith('C')) effects.send(vaultOf(event.account, this.#partitions), event satisfies ChainReport)
  }

  #report({ kind, account, index, asset, amount, due, transaction, ledger }: CustodyEvent, effects: Effects): void {
    const known = this.#accounts.get(account)
    if (known !== undefined && known !== index) throw new Error('the contract gave an account two indexes')
    if (known === undefined) {
      this.#accounts.set(account, index)
      // Before the vault actor hears of the money: no trade of the account can overtake this by much.
      const registered: SettlementMessage = { kind: 'registered', account, index }
      effects.send(this.#settlement, registered)
    }
    const what = { account, asset, amount, transaction, ledger }
    const report: ChainReport = kind === 'exit' ? { kind, ...what, due: due as Seconds } : { kind, ...what }
    effects.send(vaultOf(account, this.#partitions), report)
  }

  #advanceTo(ledger: number, effects: Effects): void {
    this.#ledger = ledger
    const report: ChainReport = { kind: 'ledger', ledger }
    for (let partition = 0; partition < this.#partitions; partition++) effects.send(vaultActor(partition), report)
  }
}
