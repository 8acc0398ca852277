import { Refusal } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity.ts'
import type { KeyState, VaultQuery } from '../../protocol/vault.ts'

/** How long a gateway believes what an account's keeper last said of a key: after a revocation, no token of it reads for longer. */
const BELIEVED_MS = 1_000
/** Keys whose answers are kept; beyond it those asked about first are asked about anew. */
const KEPT = 16_384

interface Known {
  readonly asked_ms: number
  readonly grant: Promise<KeyState>
}

/** Whether a key may read for an account that is not its own. The account's vault actor knows; what it said is believed for a moment, so that reading costs one question instead of two. */
export class KeyAccess {
  readonly #read: (query: VaultQuery) => Promise<KeyState>
  readonly #known = new Map<string, Known>()

  constructor(read: (query: VaultQuery) => Promise<KeyState>) {
    this.#read = read
  }

  /**
   * What the key may do, as it was known a moment ago.
   * @throws Refusal signer_not_allowed, and what keeps the keeper from being asked
   */
  check(account: AccountId, key: AccountId): Promise<KeyState> {
    const known = this.#known.get(nameOf(account, key))
    return this.#current(known !== undefined && performance.now() - known.asked_ms < BELIEVED_MS ? known.grant : this.#ask(account, key))
  }

  /** What the key may do now. @throws Refusal as above */
  checkNow(account: AccountId, key: AccountId): Promise<KeyState> {
    return this.#current(this.#ask(account, key))
  }

  /** Several that ask at once share one question. */
  #ask(account: AccountId, key: AccountId): Promise<KeyState> {
    const name = nameOf(account, key)
    const grant = this.#read({ kind: 'key', account, key })
    const known: Known = { asked_ms: performance.now(), grant }
    this.#known.delete(name)
    this.#known.set(name, known)
    if (this.#known.size > KEPT) this.#known.delete(this.#known.keys().next().value!)
    // A keeper that cannot answer is asked again; that there is no such key is an answer.
    grant.catch((error: unknown) => {
      if (!isUnknown(error) && this.#known.get(name) === known) this.#known.delete(name)
    })
    return grant
  }

  async #current(asked: Promise<KeyState>): Promise<KeyState> {
    let grant: KeyState
    try {
      grant = await asked
    } catch (error) {
      throw isUnknown(error) ? new Refusal('signer_not_allowed') : error
    }
    if (Date.now() >= grant.until * 1000) throw new Refusal('signer_not_allowed')
    return grant
  }
}

const nameOf = (account: AccountId, key: AccountId): string => `${account} ${key}`
const isUnknown = (error: unknown): boolean => error instanceof Refusal && error.code === 'key_unknown'
