import type { FastifyReply } from 'fastify'
import { StrKey } from '@stellar/stellar-sdk/base'
import { Refusal } from '../protocol/errors.ts'
import type { AccountId, ActorName, MessageId } from '../protocol/identity.ts'
import { messageId } from '../protocol/messages/canonical.ts'
import type { SignedMembers } from '../protocol/messages/canonical.ts'
import type { VaultCommand } from '../protocol/vault.ts'
import type { Admission } from './admission.ts'
import { failure } from './log.ts'
import type { Log } from './log.ts'
import { sendProblem } from './problem.ts'
import type { KeyCache } from './signatures/keyCache.ts'
import type { SignaturePool } from './signatures/pool.ts'
import type { Vaults } from './vaults/vaults.ts'

/** The body of every request that carries a signed message, as its schema lets it through. */
export interface SignedBody {
  readonly message: SignedMembers
  readonly signature: string
  readonly signer?: string
}

/** What a signed message asks for, once its id and its signer are known. @throws Refusal */
export type MakeCommand = (id: MessageId, signer: AccountId) => VaultCommand

/** Shows the thing that a refusal is about, as it stands. */
export type Explain = (found: unknown, from: ActorName) => object

/** Sends the answer to a command. @param from the actor that answered */
export type Respond = (reply: FastifyReply, value: unknown, from: ActorName) => void

/**
 * The way of every signed message: admitted, its signature checked on a thread, given to the vault actor of its account, answered. By
 * callbacks rather than promises: this is the path of every order.
 */
export class Submission {
  readonly #admission: Admission
  readonly #keys: KeyCache
  readonly #signatures: SignaturePool
  readonly #vaults: Vaults
  readonly #log: Log

  constructor(admission: Admission, keys: KeyCache, signatures: SignaturePool, vaults: Vaults, log: Log) {
    this.#admission = admission
    this.#keys = keys
    this.#signatures = signatures
    this.#vaults = vaults
    this.#log = log
  }

  /** @throws Refusal before anything was started; afterwards refusals go to `reply` */
  submit(body: SignedBody, make: MakeCommand, reply: FastifyReply, respond: Respond, explain?: Explain): void {
    const account = body.message.account as AccountId
    const { signer, key } = this.#signer(account, body.signer)
    const id = messageId(body.message)
    const command = make(id, signer)
    this.#admission.enter()
    this.#signatures.verify(key, body.signature, id, (valid, broken) => {
      if (broken !== null) return this.#finish(reply, () => raise(broken))
      if (!valid) return this.#finish(reply, () => raise(new Refusal('signature_invalid')))
      try {
        this.#vaults.command(account, command, (answer, from) => {
          this.#finish(reply, () => {
            if ('refused' in answer) {
              const shown = answer.found !== undefined && from !== null ? explain?.(answer.found, from) : undefined
              return sendProblem(reply, new Refusal(answer.refused, answer.detail), shown)
            }
            if (from === null) throw new Error('an answer came from nobody')
            respond(reply, answer.ok, from)
          })
        })
      } catch (error) {
        this.#finish(reply, () => raise(error))
      }
    })
  }

  /** The key that must have signed: the named one, or the account's own. A contract account has none of its own. */
  #signer(account: AccountId, named: string | undefined): { signer: AccountId; key: Uint8Array } {
    const own = account.startsWith('G')
    if (!own && !StrKey.isValidContract(account)) throw new Refusal('message_malformed', 'account')
    if (own && named !== undefined && this.#keys.publicKey(account) === undefined) throw new Refusal('message_malformed', 'account')
    if (!own && named === undefined) throw new Refusal('signature_invalid', 'a contract account needs a signer')
    const signer = (named ?? account) as AccountId
    const key = this.#keys.publicKey(signer)
    if (key === undefined) throw named === undefined ? new Refusal('message_malformed', 'account') : new Refusal('signature_invalid')
    return { signer, key }
  }

  /** Ends a request that was admitted, whatever happens. Never throws: it is called for many requests in a row. */
  #finish(reply: FastifyReply, answer: () => void): void {
    try {
      answer()
    } catch (error) {
      if (!(error instanceof Refusal)) this.#log.error({ at: 'submission#finish', requestId: reply.request.id, ...failure(error) }, 'a request failed')
      sendProblem(reply, error instanceof Refusal ? error : new Refusal('internal_error'))
    } finally {
      this.#admission.leave()
    }
  }
}

function raise(error: unknown): never {
  throw error
}
