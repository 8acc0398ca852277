import { Keypair } from '@stellar/stellar-sdk'
import { systemClock } from '../actors/runtime/clock.ts'
import type { Clock } from '../actors/runtime/clock.ts'
import type { Log } from '../actors/runtime/log.ts'
import { engineKeyVersions } from '../enclave/engineKeys.ts'
import { engineKeyPath } from '../enclave/keys.ts'
import type { Keys } from '../enclave/keys.ts'
import type { VenueFile } from '../protocol/venue.ts'
import type { VaultGovernance } from './governance/vaultGovernance.ts'

/** About a ledger: so long it is not asked again which engine the vault obeys. What was made with the one before does not apply, and is made anew. */
const ASK_MS = 5_000

/** One version of the engine's key. */
export interface EngineKey {
  readonly version: number
  readonly key: Keypair
}

/** The version that the venue file names first. */
export async function engineKeys(keys: Keys, venue: Pick<VenueFile, 'keys'>): Promise<readonly EngineKey[]> {
  return Promise.all(engineKeyVersions(venue).map(async (version) => ({ version, key: Keypair.fromRawEd25519Seed(await keys.secret(engineKeyPath(version))) })))
}

export interface EnginesOptions {
  readonly vault: Pick<VaultGovernance, 'engine'>
  readonly channel: number
  /** The first is used where the vault obeys none of them: then it refuses, and says so. */
  readonly keys: () => Promise<readonly EngineKey[]>
  readonly log: Log
  readonly clock?: Clock
}

/**
 * The engine's keys, of which the vault contract obeys one: the chain says which, so that a change that was announced there is followed in the ledger in which it is made, whatever the
 * venue file of this process says.
 */
export class Engines {
  readonly #options: EnginesOptions
  readonly #clock: Clock
  #found: { readonly engine: EngineKey; readonly registered: string | null; readonly at_ms: number } | null = null

  constructor(options: EnginesOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** The key that the vault obeys; null where it obeys none of them. @throws Error where the chain cannot be asked */
  async obeyed(): Promise<Keypair | null> {
    const key = await this.inForce()
    return this.#found?.registered === key.publicKey() ? key : null
  }

  /** @param anew whatever was found before: something that was made with it did not apply @throws Error where the chain cannot be asked */
  async inForce(anew = false): Promise<Keypair> {
    const before = this.#found
    if (!anew && before !== null && this.#clock.passed() - before.at_ms < ASK_MS) return before.engine.key
    const { vault, channel, log } = this.#options
    const [registered, keys] = await Promise.all([vault.engine(channel), this.#options.keys()])
    const [current] = keys
    if (current === undefined) throw new Error('there is no key of the engine')
    const known = keys.find(({ key }) => key.publicKey() === registered)
    const engine = known ?? current
    if (registered !== before?.registered) {
      const ids = { channel, registered: registered ?? 'none', version: engine.version }
      if (known === undefined) log.warn('settlement.engines', 'the vault obeys none of the engine’s keys that this process has', ids)
      else log.info('settlement.engines', 'the vault obeys this version of the engine’s key', ids)
    }
    this.#found = { engine, registered, at_ms: this.#clock.passed() }
    return engine.key
  }
}
