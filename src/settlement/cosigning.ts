import type { AccountId, Amount, ContractId, MessageId } from '../protocol/identity.ts'
import type { SettlementMessage } from '../protocol/settlement.ts'

/** Withdrawals whose outcome is remembered for a vault actor that asks twice. */
const REMEMBERED = 10_000

export type CosignRequest = Extract<SettlementMessage, { kind: 'cosign' }>
export type CosignOutcome = { readonly authorization: string; readonly validUntil: number } | 'refused'

/** A withdrawal the engine is to authorise. */
export interface Cosign {
  readonly withdrawal: MessageId
  readonly account: AccountId
  readonly asset: ContractId
  readonly amount: Amount
}

/** How far a request has come: `before` others are answered before it where it waits. */
export type CosignStanding = { readonly state: 'waiting'; readonly before: number } | { readonly state: 'decided' } | { readonly state: 'unknown' }

/** All that is known of requests, each list in its order. */
export interface CosigningState {
  readonly waiting: readonly Cosign[]
  readonly decided: readonly (readonly [MessageId, CosignOutcome])[]
}

/** Requests for the engine's authorisation: each is answered with one authorisation, however often it is asked for. */
export class Cosigning {
  readonly #waiting: Map<MessageId, Cosign>
  /** In order of decision; the oldest go. A vault actor asks once, so this only covers its repeats. */
  readonly #decided: Map<MessageId, CosignOutcome>

  constructor(state: CosigningState = { waiting: [], decided: [] }) {
    this.#waiting = new Map(state.waiting.map((cosign) => [cosign.withdrawal, cosign]))
    this.#decided = new Map(state.decided)
  }

  get state(): CosigningState {
    return { waiting: [...this.#waiting.values()], decided: [...this.#decided] }
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** The oldest request without an answer. */
  get next(): Cosign | undefined {
    return this.#waiting.values().next().value
  }

  /** How far each of some requests has come, in their order. */
  standing(withdrawals: readonly MessageId[]): CosignStanding[] {
    const places = new Map([...this.#waiting.keys()].map((id, before) => [id, before]))
    return withdrawals.map((id) => {
      const before = places.get(id)
      if (before !== undefined) return { state: 'waiting', before }
      return { state: this.#decided.has(id) ? 'decided' : 'unknown' }
    })
  }

  /** Requests of an account without an answer. */
  of(account: AccountId): MessageId[] {
    return [...this.#waiting.values()].filter((cosign) => cosign.account === account).map(({ withdrawal }) => withdrawal)
  }

  /** Queues the request, or gives what was decided before. */
  ask(request: CosignRequest): CosignOutcome | undefined {
    const decided = this.#decided.get(request.withdrawal)
    if (decided !== undefined) return decided
    const { withdrawal, account, asset, amount } = request
    if (!this.#waiting.has(withdrawal)) this.#waiting.set(withdrawal, { withdrawal, account, asset, amount })
    return undefined
  }

  /**
   * Takes the driver's answer; gives the request where it is the first one. Two authorisations of one withdrawal must never leave: with
   * both its owner could withdraw twice.
   */
  decide(withdrawal: MessageId, outcome: CosignOutcome): Cosign | undefined {
    const request = this.#waiting.get(withdrawal)
    if (!request) return undefined
    this.#waiting.delete(withdrawal)
    this.#decided.set(withdrawal, outcome)
    if (this.#decided.size > REMEMBERED) {
      const oldest = this.#decided.keys().next().value
      if (oldest !== undefined) this.#decided.delete(oldest)
    }
    return request
  }
}
