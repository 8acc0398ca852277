import { Refusal } from '../protocol/errors.ts'
import type { Seconds } from '../protocol/identity.ts'
import type { Market } from '../protocol/market.ts'
import type { Message } from '../protocol/messages/message.ts'
import type { Venue } from '../protocol/venue.ts'

/**
 * Checks that a message was signed for this network and vault, and that it is neither expired nor valid for too long. The vault actor
 * decides about time for good, by the clock of its journal; this refuses early what it would refuse.
 */
export class Binding {
  readonly #network: string
  readonly #vault: string
  /** For messages that belong to no market: the longest that any market allows. */
  readonly #maxLifetime_s: number

  constructor(venue: Venue) {
    this.#network = venue.file.network.passphrase
    this.#vault = venue.file.vault.contract
    this.#maxLifetime_s = Math.max(...venue.file.markets.map((market) => market.maxLifetime_s))
  }

  /**
   * @param now_ms the gateway's clock
   * @returns the message's expiry
   * @throws Refusal network_mismatch, vault_mismatch, message_expired, expiry_too_far
   */
  check(message: Message, market: Market | null, now_ms: number): Seconds {
    if (message.network !== this.#network) throw new Refusal('network_mismatch')
    if (message.vault !== this.#vault) throw new Refusal('vault_mismatch')
    const expires = Number(message.expires)
    const now = Math.floor(now_ms / 1000)
    if (expires <= now) throw new Refusal('message_expired')
    if (expires > now + (market?.rules.maxLifetime_s ?? this.#maxLifetime_s)) throw new Refusal('expiry_too_far')
    return expires as Seconds
  }
}
