import { Refusal } from '../protocol/errors.ts'
import type { AccountId, ActorName, MessageId } from '../protocol/identity.ts'
import { limits } from '../protocol/limits.ts'
import { messageId } from '../protocol/messages/messageId.ts'
import type { SignedMembers } from '../protocol/messages/canonical.ts'
import type { VaultCommand } from '../protocol/vault.ts'
import type { Admission } from './admission.ts'
import type { AnsweredCaller, Caller } from './caller.ts'
import { isCancel } from './limits/rates.ts'
import type { Rates } from './limits/rates.ts'
import { failure } from './log.ts'
import type { Log } from './log.ts'
import type { GatewayMeters } from './meters.ts'
import type { Outcome, Shown } from './outcome.ts'
import type { KeyCache } from './signatures/keyCache.ts'
import type { SignaturePool } from './signatures/pool.ts'
import { signerOf } from './signer.ts'
import type { Vaults } from './vaults/vaults.ts'

/** The body of every request that carries a signed message, as its schema lets it through. */
export interface SignedBody {
  readonly message: SignedMembers
  readonly signature: string
  readonly signer?: string
}

/** What a signed message asks for, once its id and its signer are known. @throws Refusal */
export type MakeCommand = (id: MessageId, signer: AccountId) => VaultCommand

/** What a signed message asks for, and how what comes of it is shown. */
export interface Prepared {
  readonly make: MakeCommand
  /** @param from the actor that answered */
  readonly show: (value: unknown, from: ActorName) => Shown
  /** Shows the thing that a refusal is about, as it stands. */
  readonly explain?: (found: unknown, from: ActorName) => object
}

type Done = (outcome: Outcome) => void

/** One message of several that are sent together. */
export interface Item {
  readonly body: SignedBody
  /** @throws Refusal */
  readonly prepare: (body: SignedBody) => Prepared
}

/** A message that was admitted and has its signature on the way. */
interface Entered {
  readonly caller: Caller
  readonly account: AccountId
  readonly command: VaultCommand
  readonly prepared: Prepared
  readonly done: Done
  refused: Refusal | null
  readonly since_ms: number
}

/**
 * The way of every signed message: admitted, its signature checked on a thread, given to the vault actor of its account, answered. By
 * callbacks rather than promises: this is the path of every order.
 */
export class Submission {
  readonly #admission: Admission
  readonly #rates: Rates
  readonly #keys: KeyCache
  readonly #signatures: SignaturePool
  readonly #vaults: Vaults
  readonly #meters: GatewayMeters
  readonly #log: Log

  constructor(admission: Admission, rates: Rates, keys: KeyCache, signatures: SignaturePool, vaults: Vaults, meters: GatewayMeters, log: Log) {
    this.#admission = admission
    this.#rates = rates
    this.#keys = keys
    this.#signatures = signatures
    this.#vaults = vaults
    this.#meters = meters
    this.#log = log
  }

  /** @throws Refusal before anything was started; afterwards refusals go to the caller */
  submit(body: SignedBody, prepared: Prepared, caller: AnsweredCaller): void {
    this.#enter(body, prepared, caller, (outcome) => caller.answer(outcome), (entered) => this.#send(entered))
  }

  /**
   * Several messages, each with an outcome of its own. They are handed to the venue in their order, once the last signature is checked: what stands first in a
   * list comes first in its market.
   * @param done called once, with as many outcomes as there are items
   */
  submitAll(items: readonly Item[], caller: Caller, done: (outcomes: readonly Outcome[]) => void): void {
    const outcomes = new Array<Outcome>(items.length)
    const checked = new Array<Entered | undefined>(items.length)
    let [unchecked, unanswered] = [items.length, items.length]
    const conclude = (n: number, outcome: Outcome): void => {
      outcomes[n] = outcome
      if (--unanswered === 0) done(outcomes)
    }
    const arrive = (): void => {
      if (--unchecked === 0) for (const entered of checked) if (entered !== undefined) this.#send(entered)
    }
    for (const [n, { body, prepare }] of items.entries()) {
      try {
        this.#enter(body, prepare(body), caller, (outcome) => conclude(n, outcome), (entered) => {
          checked[n] = entered
          arrive()
        })
      } catch (error) {
        conclude(n, { refused: this.#refusalOf(error, caller) })
        arrive()
      }
    }
  }

  /** Admits a message and has its signature checked. @throws Refusal before anything was started */
  #enter(body: SignedBody, prepared: Prepared, caller: Caller, done: Done, checked: (entered: Entered) => void): void {
    const account = body.message.account as AccountId
    const { signer, key } = signerOf(this.#keys, account, body.signer)
    const id = messageId(body.message)
    const command = prepared.make(id, signer)
    const rate = this.#rates.ofCommand(command.kind)
    rate.peek(signer, caller)
    const urgent = isCancel(command.kind)
    if (this.#vaults.diverged && !urgent) throw new Refusal('chain_diverged')
    const behind = this.#signatures.waiting >= limits.signatureQueue || this.#vaults.backlog(account) >= limits.vaultBacklog
    if (behind && !urgent) throw new Refusal('venue_overloaded')
    const entered: Entered = { caller, account, command, prepared, done, refused: null, since_ms: performance.now() }
    this.#admission.enter(urgent)
    this.#signatures.verify(key, body.signature, id, (valid, broken) => {
      try {
        if (broken !== null) throw broken
        if (!valid) throw new Refusal('signature_invalid')
        // Only who has signed is counted: nobody uses up what is another's.
        rate.take(signer, caller)
      } catch (error) {
        entered.refused = this.#refusalOf(error, caller)
      }
      checked(entered)
    })
  }

  #send(entered: Entered): void {
    const { account, command, prepared, refused } = entered
    if (refused !== null) return this.#leave(entered, () => ({ refused }))
    try {
      this.#vaults.command(account, command, (answer, from) => {
        this.#leave(entered, () => {
          if ('refused' in answer) {
            const found = answer.found !== undefined && from !== null ? prepared.explain?.(answer.found, from) : undefined
            return { refused: new Refusal(answer.refused, answer.detail), ...(found !== undefined && { found }) }
          }
          if (from === null) throw new Error('an answer came from nobody')
          return prepared.show(answer.ok, from)
        })
      })
    } catch (error) {
      this.#leave(entered, () => ({ refused: this.#refusalOf(error, entered.caller) }))
    }
  }

  /** Ends a message that was admitted, whatever happens. Never throws: it is called for many messages in a row. */
  #leave({ caller, command, done, since_ms }: Entered, conclude: () => Outcome): void {
    let outcome: Outcome
    try {
      outcome = conclude()
    } catch (error) {
      outcome = { refused: this.#refusalOf(error, caller) }
    }
    this.#meters.answered(command, 'refused' in outcome, performance.now() - since_ms)
    try {
      done(outcome)
    } catch (error) {
      this.#log.error({ at: 'submission#leave', requestId: caller.requestId, ...failure(error) }, 'an answer could not be written')
    } finally {
      this.#admission.leave()
    }
  }

  #refusalOf(error: unknown, caller: Caller): Refusal {
    if (error instanceof Refusal) return error
    this.#log.error({ at: 'submission#refusalOf', requestId: caller.requestId, ...failure(error) }, 'a request failed')
    return new Refusal('internal_error')
  }
}
