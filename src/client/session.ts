import { assertChallenge } from './challenge.ts'
import { Refused } from './errors.ts'
import { exchange } from './http.ts'
import type { Request } from './http.ts'
import type { Binding } from './messages.ts'
import type { Signer } from './signer.ts'
import { VenueReader } from './venueReader.ts'
import type { VenueView } from './views/venue.ts'

/** One key at one venue: what the venue is, who acts for which account, and the token of the key's login. */
export class Session {
  readonly url: string
  readonly venue: VenueView
  readonly signer: Signer
  readonly binding: Binding
  #token: string | undefined

  private constructor(url: string, venue: VenueView, signer: Signer, account: string) {
    this.url = url
    this.venue = venue
    this.signer = signer
    this.binding = { network: venue.network, vault: venue.vault, account }
  }

  static async open(url: string, signer: Signer, account = signer.address): Promise<Session> {
    return new Session(url, await new VenueReader(url).markets(), signer, account)
  }

  async login(): Promise<string> {
    const address = this.signer.address
    const { account } = this.binding
    const query = account === address ? `account=${address}` : `account=${address}&on_behalf_of=${account}`
    const challenge = await exchange<{ transaction: string; network_passphrase: string }>(this.url, { method: 'GET', path: `/auth?${query}` })
    // A challenge for another network could be a real transaction there.
    if (challenge.network_passphrase !== this.venue.network) throw new Error('the login challenge is for another network than the venue')
    assertChallenge(challenge.transaction, this.venue.network, address, account)
    const transaction = await this.signer.signTransaction(challenge.transaction, this.venue.network)
    const { token } = await exchange<{ token: string }>(this.url, { method: 'POST', path: '/auth', body: { transaction } })
    this.#token = token
    return token
  }

  /** Reads what takes a token; logs in where there is none, or no valid one. */
  async read<Answer>(path: string): Promise<Answer> {
    const fresh = this.#token === undefined
    const request = (token: string): Request => ({ method: 'GET', path, token })
    const token = this.#token ?? (await this.login())
    try {
      return await exchange<Answer>(this.url, request(token))
    } catch (error) {
      if (fresh || !(error instanceof Refused) || error.code !== 'token_invalid') throw error
      return exchange<Answer>(this.url, request(await this.login()))
    }
  }
}
