import { systemClock } from '../../actors/runtime/clock.ts'
import type { Clock } from '../../actors/runtime/clock.ts'
import type { Log } from '../../actors/runtime/log.ts'
import { faultOf, rpcErrorCode } from '../stellarRpc.ts'
import type { LedgerReader, StellarRpc } from '../stellarRpc.ts'

/** A Stellar RPC server and what logs and alarms call it: its host, never its address, which may carry a secret. */
export interface Endpoint {
  readonly name: string
  readonly server: StellarRpc & LedgerReader
}

/** Hears of every call. Must not throw. */
export interface RpcMeter {
  /** @param failed nothing was answered: a JSON-RPC error is an answer */
  called(took_ms: number, failed: boolean): void
}

/** How many endpoints there are, how many of them did not answer when they were last asked, how many contradict the others, and whether a quorum is left without those that did not answer. */
export interface EndpointHealth {
  readonly endpoints: number
  readonly down: number
  readonly disagreeing: number
  readonly enough: boolean
}

export interface PanelOptions {
  readonly endpoints: readonly Endpoint[]
  /** So many must agree at least, and always the majority of those that answer. Two unless given, where there are two. */
  readonly quorum?: number | undefined
  readonly log: Log
  readonly clock?: Clock | undefined
  readonly meter?: RpcMeter | undefined
}

/** What a quorum says. */
export interface Verdict<Answer, Value> {
  readonly value: Value
  /** Whether an answer goes with it, once all of `answers` have come; null where that cannot be said, since its server is behind. */
  agrees(answer: Answer, answers: readonly Answer[]): boolean | null
}

/** Something to be asked of every endpoint. */
export interface Question<Answer, Value> {
  readonly what: string
  ask(server: StellarRpc & LedgerReader): Promise<Answer>
  /** @throws Error where the answer makes no sense: the server counts as down then */
  check(answer: Answer): void
  /**
   * What at least `quorum` of the answers say together; null where they do not. As long as fewer than `quorum` endpoints lie, it must be true.
   * @param all no other answer is waited for
   */
  judge(answers: readonly Answer[], quorum: number, all: boolean): Verdict<Answer, Value> | null
  /** Whether two answers cannot both be true, however far their servers are. */
  contradicts(one: Answer, other: Answer): boolean
}

/** So often in a row an endpoint that was left out must agree before it counts again. */
const READMITTED_AFTER = 10
/** A server that is a ledger behind is asked again after this time, for about two ledgers. */
const BEHIND_MS = 250
const ROUNDS = 40
/** Where some contradict each other, one that is behind may soon say which are right: it is given this many rounds. */
const TORN_AFTER = 12

/** What is known of an endpoint. */
class Member {
  readonly endpoint: Endpoint
  /** It did not answer when it was last asked: nobody waits for it. */
  down = false
  /** It said what a quorum says is not so: it is asked and not counted. */
  out = false
  /** It and another one say what cannot both be so, and no quorum says who is right. */
  torn = false
  agreed = 0

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint
  }
}

interface Heard<Answer> {
  readonly member: Member
  readonly answer: Answer
}

/** Too few of several endpoints answer, have come as far, or agree: nothing is known. */
export class NoQuorum extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'NoQuorum'
  }
}

/** Asks several endpoints the same, and believes what a quorum of them says. */
export class Panel {
  readonly #members: readonly Member[]
  readonly #least: number
  readonly #log: Log
  readonly #clock: Clock
  readonly #meter: RpcMeter | undefined

  constructor({ endpoints, quorum = 2, log, clock = systemClock, meter }: PanelOptions) {
    if (endpoints.length === 0) throw new Error('an RPC endpoint is needed')
    this.#members = endpoints.map((endpoint) => new Member(endpoint))
    this.#least = Math.min(quorum, endpoints.length)
    this.#log = log
    this.#clock = clock
    this.#meter = meter
  }

  /** Those that contradict the others, by name. */
  get disagreeing(): readonly string[] {
    return this.#members.filter(({ out, torn }) => out || torn).map(({ endpoint }) => endpoint.name).sort()
  }

  get health(): EndpointHealth {
    const [endpoints, down] = [this.#members.length, this.#members.filter((member) => member.down).length]
    return { endpoints, down, disagreeing: this.disagreeing.length, enough: endpoints - down >= this.#least }
  }

  /** Asks until a quorum agrees. Servers that are behind are waited for. @throws what the endpoint threw where there is one, or NoQuorum where too few answer or agree */
  async ask<Answer, Value>(question: Question<Answer, Value>): Promise<Value> {
    for (let round = 1; ; round++) {
      const outcome = await this.#round(question, round >= TORN_AFTER)
      if (outcome !== null && 'fault' in outcome) throw outcome.fault
      if (outcome !== null) return outcome.value
      if (round === ROUNDS) throw new NoQuorum(`RPC endpoints are behind: ${question.what} is not known to enough of them`)
      await new Promise<void>((resolve) => this.#clock.after(BEHIND_MS, resolve))
    }
  }

  /** Calls every endpoint, those that are left out too. Settles when all have answered or failed; a call that fails is null. */
  async tell<Answer>(call: (server: StellarRpc) => Promise<Answer>, enough: (answer: Answer) => boolean): Promise<{ readonly answers: readonly Answer[]; readonly failures: readonly unknown[] }> {
    const answers: Answer[] = []
    const failures: unknown[] = []
    const since = this.#clock.passed()
    await new Promise<void>((resolve) => {
      let left = this.#members.length
      for (const member of this.#members)
        void Promise.resolve()
          .then(() => call(member.endpoint.server))
          .then(
            (answer) => {
              this.#answered(member, since)
              if (!member.out) answers.push(answer)
              if (!member.out && enough(answer)) resolve()
            },
            (error: unknown) => {
              this.#failed(member, error, since)
              if (!member.out) failures.push(error)
            },
          )
          .then(() => --left === 0 && resolve())
    })
    return { answers, failures }
  }

  /** null: they are not together yet. @param last whether contradictions are taken for what they are */
  #round<Answer, Value>(question: Question<Answer, Value>, last: boolean): Promise<{ readonly value: Value } | { readonly fault: unknown } | null> {
    return new Promise((resolve, reject) => {
      const heard: Heard<Answer>[] = []
      const failures: unknown[] = []
      const waited = new Set(this.#members.filter(({ down, out }) => !down && !out))
      // Where nobody is up, everybody is waited for.
      if (waited.size < this.#least) for (const member of this.#members) if (!member.out) waited.add(member)
      const told = new Set<Member>()
      let verdict: Verdict<Answer, Value> | null = null
      let over = false
      const since = this.#clock.passed()
      const look = (): void => {
        if (verdict !== null) return this.#compare(question, verdict, heard, told)
        if (over) return
        const counted = heard.filter(({ member }) => !member.out)
        const quorum = Math.max(this.#least, Math.floor(new Set([...waited, ...counted.map(({ member }) => member)]).size / 2) + 1)
        const all = [...waited].every((member) => heard.some((one) => one.member === member))
        const answers = counted.map(({ answer }) => answer)
        verdict = counted.length >= quorum ? question.judge(answers, quorum, all) : null
        over = verdict !== null || all
        if (verdict !== null) {
          resolve({ value: verdict.value })
          return this.#compare(question, verdict, heard, told)
        }
        if (!all) return
        if (counted.length < quorum) return resolve({ fault: this.#tooFew(failures) })
        resolve(last && this.#tear(question, counted) ? { fault: new NoQuorum(`the RPC endpoints contradict each other about ${question.what}, and too few agree`) } : null)
      }
      for (const member of this.#members)
        void Promise.resolve()
          .then(() => question.ask(member.endpoint.server))
          .then((answer) => {
            question.check(answer)
            this.#answered(member, since)
            heard.push({ member, answer })
          })
          .catch((error: unknown) => {
            this.#failed(member, error, since)
            failures.push(error)
            waited.delete(member)
          })
          .then(look)
          .catch(reject)
    })
  }

  #answered(member: Member, since: number): void {
    member.down = false
    this.#meter?.called(this.#clock.passed() - since, false)
  }

  /** A JSON-RPC error is an answer too: a server may not keep what is asked for. */
  #failed(member: Member, error: unknown, since: number): void {
    const down = rpcErrorCode(error) === undefined
    if (down && !member.down && this.#members.length > 1) this.#log.warn('rpc', 'an endpoint does not answer', { endpoint: member.endpoint.name, fault: faultOf(error) })
    member.down = down
    this.#meter?.called(this.#clock.passed() - since, down)
  }

  /** A JSON-RPC error is passed on as it came, since it tells a caller what no server has. */
  #tooFew(failures: readonly unknown[]): unknown {
    const error = failures.find((failure) => rpcErrorCode(failure) !== undefined) ?? failures[0]
    if (this.#members.length === 1 || rpcErrorCode(error) !== undefined) return error
    return new NoQuorum(`too few of ${this.#members.length} RPC endpoints answer`, { cause: error })
  }

  #compare<Answer, Value>(question: Question<Answer, Value>, verdict: Verdict<Answer, Value>, heard: readonly Heard<Answer>[], told: Set<Member>): void {
    const answers = heard.map(({ answer }) => answer)
    for (const { member, answer } of heard) {
      const agrees = told.has(member) ? null : verdict.agrees(answer, answers)
      if (agrees === null) continue
      told.add(member)
      if (agrees) this.#agreed(member)
      else this.#leaveOut(member, question.what)
    }
  }

  #agreed(member: Member): void {
    member.torn = false
    if (!member.out || ++member.agreed < READMITTED_AFTER) return
    member.out = false
    this.#log.info('rpc', 'an endpoint agrees with the others again, and counts', { endpoint: member.endpoint.name })
  }

  #leaveOut(member: Member, what: string): void {
    member.agreed = 0
    member.torn = false
    if (member.out) return
    member.out = true
    this.#log.error('rpc', 'an endpoint contradicts the others: it does not count until it agrees again', { endpoint: member.endpoint.name, about: what })
  }

  /** Whether some contradict each other. Who is right nobody can say, so all of them are named, and none is left out. */
  #tear<Answer, Value>(question: Question<Answer, Value>, counted: readonly Heard<Answer>[]): boolean {
    const torn = counted.filter(({ answer }) => counted.some((other) => question.contradicts(answer, other.answer)))
    for (const { member } of torn) {
      if (!member.torn) this.#log.error('rpc', 'endpoints contradict each other, and too few agree to say which is right', { endpoint: member.endpoint.name, about: question.what })
      member.torn = true
    }
    return torn.length > 0
  }
}

/** @throws Error where the number is none that counts ledgers */
export function checkLedger(ledger: number): void {
  if (!Number.isSafeInteger(ledger) || ledger < 0) throw new Error('the RPC gives no number of a ledger')
}

/** The value that at least `quorum` of the answers reach: with fewer liars than that, no higher than what an honest one says. */
export function reachedBy<Value extends number | bigint>(values: readonly Value[], quorum: number): Value {
  const value = values.toSorted((a, b) => (a < b ? 1 : a > b ? -1 : 0))[quorum - 1]
  if (value === undefined) throw new RangeError('fewer answers than a quorum')
  return value
}

/** The value that at least `quorum` of the answers are at or below. */
export const heldBy = (values: readonly number[], quorum: number): number => -reachedBy(values.map((value) => -value), quorum)

/** The answers of at least `quorum` that share a key; undefined where there are none. */
export const largest = <Answer>(answers: readonly Answer[], keyOf: (answer: Answer) => string, quorum: number): readonly Answer[] | undefined =>
  [...Map.groupBy(answers, keyOf).values()].filter(({ length }) => length >= quorum).sort((a, b) => b.length - a.length)[0]
