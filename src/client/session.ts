import { assertChallenge } from './challenge.ts'
import { VenueClock } from './clock.ts'
import type { Courier } from './courier.ts'
import { Refused } from './errors.ts'
import type { Binding, Validity } from './messages.ts'
import type { CallOptions } from './patience.ts'
import type { Signer } from './signer.ts'
import { courierTo, VenueReader } from './venueReader.ts'
import type { ReaderOptions } from './venueReader.ts'
import type { Transport } from './transport.ts'
import type { VenueView } from './views/venue.ts'

export interface OpenOptions extends ReaderOptions {
  /** Where the signer is a delegated key: the account it acts for. */
  readonly account?: string
}

const DEFAULT_VALIDITY_S = 3_600

/** How a key has shown who it is: its token, and a login that is under way. */
interface Proof {
  token?: string | undefined
  login?: Promise<string> | undefined
}

/** One key at one venue: what the venue is, who acts for which account, the venue's clock, and the token of the key's login. */
export class Session {
  readonly courier: Courier
  readonly venue: VenueView
  readonly signer: Signer
  readonly binding: Binding
  readonly #clock: VenueClock
  readonly #proof: Proof

  private constructor(courier: Courier, venue: VenueView, clock: VenueClock, signer: Signer, account: string, proof: Proof = {}) {
    this.courier = courier
    this.venue = venue
    this.signer = signer
    this.binding = { network: venue.network, vault: venue.vault, account }
    this.#clock = clock
    this.#proof = proof
  }

  static async open(url: string, signer: Signer, { account = signer.address, ...options }: OpenOptions): Promise<Session> {
    const courier = courierTo(url, options)
    const clock = new VenueClock()
    const [venue] = await Promise.all([new VenueReader(courier).markets(), compared(clock, courier)])
    return new Session(courier, venue, clock, signer, account)
  }

  /** The same key at the same venue, another way: what one has logged in to, the other need not. */
  over(transport: Transport): Session {
    return new Session(this.courier.over(transport), this.venue, this.#clock, this.signer, this.binding.account, this.#proof)
  }

  /** What a message is given that does not say: an hour by the venue's clock, or as long as the market allows. */
  async validity({ expires, nonce }: Partial<Validity> = {}, longest_s = DEFAULT_VALIDITY_S): Promise<Validity> {
    if (expires === undefined && !this.#clock.known) await compared(this.#clock, this.courier)
    const until = expires ?? Math.floor(this.#clock.now_ms / 1000) + Math.min(DEFAULT_VALIDITY_S, longest_s)
    return nonce === undefined ? { expires: until } : { expires: until, nonce }
  }

  /** How long a message is of use yet, in milliseconds. @param expires Unix seconds */
  left_ms(expires: number): number {
    return expires * 1000 - this.#clock.now_ms
  }

  /** Hears what the venue says of messages' times. */
  heed(failure: unknown): void {
    if (failure instanceof Refused && (failure.code === 'message_expired' || failure.code === 'expiry_too_far')) this.#clock.doubt()
  }

  /** Those who ask at a time share one login: a wallet asks its owner once. */
  login(options?: CallOptions): Promise<string> {
    return (this.#proof.login ??= this.#prove(options).finally(() => (this.#proof.login = undefined)))
  }

  /** Reads what takes a token; logs in where there is none, or no valid one. */
  async read<Answer>(path: string, options?: CallOptions): Promise<Answer> {
    const fresh = this.#proof.token === undefined
    const read = (token: string): Promise<Answer> => this.courier.ask({ method: 'GET', path, token }, options)
    const token = await this.token(undefined, options)
    try {
      return await read(token)
    } catch (error) {
      if (fresh || !(error instanceof Refused) || error.code !== 'token_invalid') throw error
      return read(await this.token(token, options))
    }
  }

  /** @param spent a token that is no longer good: whoever was refused first has another by now */
  async token(spent?: string, options?: CallOptions): Promise<string> {
    const { token } = this.#proof
    return token !== undefined && token !== spent ? token : this.login(options)
  }

  get url(): string {
    return this.courier.url
  }

  async #prove(options?: CallOptions): Promise<string> {
    const { address } = this.signer
    const { account } = this.binding
    const query = account === address ? `account=${address}` : `account=${address}&on_behalf_of=${account}`
    const challenge = await this.courier.ask<{ transaction: string; network_passphrase: string }>({ method: 'GET', path: `/auth?${query}` }, options)
    // A challenge for another network could be a real transaction there.
    if (challenge.network_passphrase !== this.venue.network) throw new Error('the login challenge is for another network than the venue')
    assertChallenge(challenge.transaction, this.venue.network, address, account)
    const transaction = await this.signer.signTransaction(challenge.transaction, this.venue.network)
    const { token } = await this.courier.ask<{ token: string }>({ method: 'POST', path: '/auth', body: { transaction } }, options)
    this.#proof.token = token
    return token
  }
}

/** Within one attempt: what was waited between two says nothing of clocks. */
function compared(clock: VenueClock, courier: Courier): Promise<void> {
  return courier.repeat((signal) => clock.compare(() => new VenueReader(courier).time({ signal, retry: false })))
}
