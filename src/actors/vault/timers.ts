import type { AccountId, MarketName, MessageId, Milliseconds } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { Answer, ReplyTo } from '../../protocol/packets.ts'
import type { PairMessage } from '../../protocol/pair.ts'
import type { PairReport, Presence, SetDeadMan, TimerState } from '../../protocol/vault.ts'
import { Deadlines } from '../deadlines.ts'
import type { Effects } from '../runtime/machine.ts'
import { expiryFault } from './admission.ts'
import type { Keys } from './keys.ts'
import type { Ledger } from './ledger.ts'
import type { Markets } from './markets.ts'
import type { Memory } from './memory.ts'
import { marketsOf, used } from './state.ts'
import type { Account, Timer, VaultState } from './state.ts'

type Timed = Extract<PairReport, { kind: 'timed' }>

/** What a timer is set by beside connections: no session has an empty name. */
const DEAD_MAN = ''
const sessionName = /^[0-9A-Za-z._:-]{1,64}$/
/** Who waits for one timer to be in force everywhere; beyond it, answers say which markets have yet to hear. */
const MOST_WAITING = 16

/**
 * Timers that take a trader's orders back: dead-man timers, which he sets himself, and the watch over connections, which a gateway renews. Both are one thing here, a deadline of a key.
 * The deadline is kept where the orders are: each market in which the key may have orders holds it and acts on it by itself, so that the orders go in time whoever is away.
 *
 * A market holds what it was last told. It is told whenever the deadline changes while the account has orders there, and before an order is sent there; where the account has
 * none, an older deadline may stand, which then runs out over nothing. A deadline that is put off may reach a market late, or after the old one has run out there; one that is new,
 * or earlier than before, is answered only when every market with orders holds it.
 */
export class Timers {
  readonly #state: VaultState
  readonly #ledger: Ledger
  readonly #memory: Memory
  readonly #keys: Keys
  readonly #markets: Markets
  readonly #deadlines = new Deadlines<Timer>()

  constructor(state: VaultState, ledger: Ledger, memory: Memory, keys: Keys, markets: Markets) {
    this.#state = state
    this.#ledger = ledger
    this.#memory = memory
    this.#keys = keys
    this.#markets = markets
    for (const { timers } of state.accounts.values()) for (const timer of timers.values()) this.#deadlines.put(timer)
  }

  /** When the next one runs out, or null. */
  get deadline(): Milliseconds | null {
    return this.#deadlines.first?.deadline ?? null
  }

  /** Ends what has run out. The markets do so by their own clocks; they are told all the same, since theirs may be behind, and so that they need not remember it. */
  lapse(effects: Effects): void {
    for (let timer = this.#deadlines.first; timer !== undefined && timer.deadline <= effects.time; timer = this.#deadlines.first) {
      for (const [source, { deadline }] of timer.sources) if (deadline <= effects.time) timer.sources.delete(source)
      this.#end(timer, true, effects)
    }
  }

  /** A trader's message. A replayed one is answered with how the timer stands, and sets nothing. */
  set(request: SetDeadMan, reply: ReplyTo, effects: Effects): void {
    const answer = this.#set(request, reply, effects)
    if (answer !== null) effects.answer(reply, answer)
  }

  #set(request: SetDeadMan, reply: ReplyTo, effects: Effects): Answer<TimerState> | null {
    const { id, account: owner, signer, timeout_s, expires } = request
    // A timer covers what its key has placed, wherever that is.
    const fault = this.#keys.fault(request, 'somewhere', effects.time)
    if (fault !== null) return { refused: fault }
    const seen = this.#state.timerMessages.get(id)
    if (seen?.account === owner) return { ok: this.#stateOf(owner, signer) }
    if (used(this.#state, id)) return { refused: 'message_reused' }
    // Near, so that one that was held back on its way cannot keep the orders of somebody who is long gone.
    const expired = expiryFault(expires, limits.timerExpiry_s, effects.time)
    if (expired !== null) return { refused: expired }
    const { timerShortest_s, timerLongest_s } = limits
    if (!Number.isInteger(timeout_s) || (timeout_s !== 0 && (timeout_s < timerShortest_s || timeout_s > timerLongest_s))) return { refused: 'timeout_out_of_range' }
    const account = this.#ledger.account(owner)
    if (account === undefined) return { refused: 'account_unknown' }
    if (account.timerMessages >= limits.timerMessages) return { refused: 'timers_exceeded' }
    const refused = this.#change(account, signer, DEAD_MAN, timeout_s * 1000, false, effects)
    if (refused !== null) return { refused }
    account.timerMessages++
    this.#state.timerMessages.set(id, { id, account: owner })
    this.#memory.keep(id, expires, effects.time)
    return this.#answerOf(account, signer, DEAD_MAN, reply)
  }

  /** What a gateway says of a connection. */
  watch(presence: Presence, reply: ReplyTo, effects: Effects): void {
    const answer = this.#watch(presence, reply, effects)
    if (answer !== null) effects.answer(reply, answer)
  }

  #watch(presence: Presence, reply: ReplyTo, effects: Effects): Answer<TimerState> | null {
    const { account: owner, signer, session, timeout_ms, cancel } = presence
    if (!sessionName.test(session)) return { refused: 'message_malformed' }
    const { timerShortest_s, timerLongest_s } = limits
    if (!Number.isInteger(timeout_ms) || (timeout_ms !== 0 && (timeout_ms < timerShortest_s * 1000 || timeout_ms > timerLongest_s * 1000))) return { refused: 'timeout_out_of_range' }
    const account = this.#ledger.account(owner)
    // A key that may no longer act can still let go.
    const fault = timeout_ms > 0 ? this.#keys.fault(presence, 'somewhere', effects.time) : null
    if (fault !== null) return { refused: fault }
    if (account === undefined) return { refused: 'account_unknown' }
    const refused = this.#change(account, signer, session, timeout_ms, cancel, effects)
    return refused === null ? this.#answerOf(account, signer, session, reply) : { refused }
  }

  /** A market holds what it was told. */
  report({ account, signer, ask }: Timed, effects: Effects): void {
    // Where the timer has ended meanwhile, or begun anew, nobody waits for that answer.
    const timer = this.#ledger.known(account).timers.get(signer)
    if (timer?.waiting.delete(ask) === true && timer.waiting.size === 0) this.#answerAll(timer, effects)
  }

  /** The account's dead-man timers, by key. */
  list(id: AccountId): readonly TimerState[] {
    const timers = [...(this.#ledger.account(id)?.timers.values() ?? [])]
    return timers.filter(({ sources }) => sources.has(DEAD_MAN)).map(({ signer }) => this.#stateOf(id, signer))
  }

  /** An order goes to a market: first it learns of the timers that cover the order. */
  placing(account: Account, signer: AccountId, market: MarketName, effects: Effects): void {
    if (account.timers.size === 0) return
    for (const key of new Set([account.id, signer])) {
      const timer = account.timers.get(key)
      if (timer !== undefined && timer.told.get(market) !== timer.deadline) this.#tell(timer, market, timer.deadline, false, effects)
    }
  }

  /** Forgets a message that has expired. */
  forget(id: MessageId): void {
    const message = this.#state.timerMessages.get(id)
    if (message === undefined) return
    this.#state.timerMessages.delete(id)
    this.#ledger.known(message.account).timerMessages--
  }

  #change(account: Account, signer: AccountId, source: string, timeout_ms: number, cancel: boolean, effects: Effects): 'timers_exceeded' | 'market_unavailable' | null {
    if (timeout_ms > 0) return this.#run(account, signer, source, timeout_ms, effects)
    const timer = account.timers.get(signer)
    if (timer?.sources.delete(source) === true) this.#end(timer, cancel, effects)
    return null
  }

  /** How the timer stands; null where markets have to be heard first. */
  #answerOf(account: Account, signer: AccountId, source: string, reply: ReplyTo): Answer<TimerState> | null {
    const timer = account.timers.get(signer)
    if (timer === undefined || timer.waiting.size === 0 || timer.replies.length >= MOST_WAITING) return { ok: this.#stateOf(account.id, signer, source) }
    timer.replies.push({ reply, source })
    return null
  }

  #answerAll(timer: Timer, effects: Effects): void {
    for (const { reply, source } of timer.replies) effects.answer(reply, { ok: this.#stateOf(timer.account, timer.signer, source) })
    timer.replies = []
  }

  /** Starts or renews; changes nothing where it is refused: what ran before goes on running. */
  #run(account: Account, signer: AccountId, source: string, timeout_ms: number, effects: Effects): 'timers_exceeded' | 'market_unavailable' | null {
    const running = account.timers.get(signer)
    let count = 0
    for (const { sources } of account.timers.values()) count += sources.size
    if (running?.sources.has(source) !== true && count >= limits.timersPerAccount) return 'timers_exceeded'
    const markets = marketsOf(account, null)
    if (markets.some((market) => !this.#markets.takesCancels(this.#markets.known(market), effects))) return 'market_unavailable'
    const deadline = (effects.time + timeout_ms) as Milliseconds
    const timer: Timer = running ?? { account: account.id, signer, sources: new Map(), deadline, told: new Map(), waiting: new Map(), replies: [] }
    account.timers.set(signer, timer)
    timer.sources.set(source, { timeout_ms, deadline })
    timer.deadline = earliest(timer) ?? deadline
    this.#deadlines.put(timer)
    for (const market of markets) {
      const held = timer.told.get(market)
      if (held === timer.deadline) continue
      const later = held !== undefined && held < timer.deadline
      const ask = later ? null : ++this.#state.timerCount
      if (ask !== null) timer.waiting.set(ask, market)
      this.#tell(timer, market, timer.deadline, false, effects, ask)
    }
    return null
  }

  /** Something that set the timer has gone. Never refused: it takes no more messages than markets were told before. */
  #end(timer: Timer, takeBack: boolean, effects: Effects): void {
    const { account: owner, signer, told } = timer
    const account = this.#ledger.known(owner)
    const next = earliest(timer)
    if (next !== null) {
      const changed = takeBack ? told.keys() : marketsOf(account, null).filter((market) => told.get(market) !== next)
      timer.deadline = next
      this.#deadlines.put(timer)
      for (const market of [...changed]) this.#tell(timer, market, next, takeBack, effects)
      return
    }
    this.#deadlines.delete(timer)
    account.timers.delete(signer)
    for (const market of told.keys()) this.#tell(timer, market, null, takeBack, effects)
    this.#answerAll(timer, effects)
  }

  #tell(timer: Timer, market: MarketName, deadline: Milliseconds | null, takeBack: boolean, effects: Effects, ask: number | null = null): void {
    const { account, signer } = timer
    if (deadline !== null) timer.told.set(market, deadline)
    effects.send(this.#markets.known(market).actor, { kind: 'timer', account, signer, takeBack, deadline, ask } satisfies PairMessage)
  }

  #stateOf(account: AccountId, signer: AccountId, source = DEAD_MAN): TimerState {
    const timer = this.#ledger.account(account)?.timers.get(signer)
    const { timeout_ms, deadline } = timer?.sources.get(source) ?? { timeout_ms: null, deadline: null }
    return { signer, timeout_ms, deadline, waiting: [...new Set(timer?.waiting.values() ?? [])] }
  }
}

function earliest({ sources }: Timer): Milliseconds | null {
  let first: Milliseconds | null = null
  for (const { deadline } of sources.values()) if (first === null || deadline < first) first = deadline
  return first
}
