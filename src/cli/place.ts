import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Keys } from '../enclave/keys.ts'
import { fileKeys } from '../enclave/openKeys.ts'
import { isAddress } from '../protocol/address.ts'
import { readVenue, rpcEndpoints } from '../protocol/venue.ts'
import type { Venue } from '../protocol/venue.ts'
import { Client } from '../client/client.ts'
import { keyAccess, operatorAccess } from '../client/natsAccess.ts'
import type { NatsAccess } from '../client/natsAccess.ts'
import { SecretSigner } from '../client/secretSigner.ts'
import type { Arguments } from './arguments.ts'
import { UsageFault } from './fault.ts'

const DEFAULT_STATE = '.darkpool'

/** Where the command finds the venue, and the key of who gives it. */
export class Place {
  readonly #options: Arguments['options']
  readonly state: string

  constructor({ options }: Arguments) {
    this.#options = options
    this.state = options.state ?? DEFAULT_STATE
  }

  get url(): string {
    const { url } = this.#options
    if (url !== undefined) {
      if (!URL.canParse(url)) throw new UsageFault(`--url ${url} is no URL`)
      return url
    }
    const { host, port } = this.venue('--url').file.gateway
    return `http://${host}:${port}`
  }

  get rpc(): string {
    return this.#options.rpc ?? (rpcEndpoints(this.venue('--rpc').file.network)[0] as string)
  }

  /** The local venue's own configuration. @param instead the option that would do without it */
  venue(instead: string): Venue {
    const file = join(this.state, 'venue.json')
    if (!existsSync(file)) throw new UsageFault(`there is no local venue in ${this.state}: start one with \`npm start\`, or give ${instead}`)
    try {
      return readVenue(JSON.parse(readFileSync(file, 'utf8')))
    } catch (error) {
      throw new UsageFault(`${file} cannot be read: ${(error as Error).message}`, error)
    }
  }

  /** Whether the venue's own secrets are there. */
  get hasRootKey(): boolean {
    return existsSync(this.#rootKey)
  }

  /** The venue's own secrets: for its operator, on its machine. */
  async keys(): Promise<Keys> {
    const file = this.#rootKey
    if (!existsSync(file)) throw new UsageFault(`there are no venue keys in ${file}`)
    return fileKeys(file)
  }

  get #rootKey(): string {
    return join(this.state, 'keys', 'root')
  }

  /** How an operator is let in to NATS whose key the venue file names; null where none is given. */
  operatorAccess(): NatsAccess | null {
    const { operator } = this.#options
    return operator === undefined ? null : operatorAccess(this.#secretIn(operator).secret)
  }

  /** The trader's key, and the text it was read from. */
  #key(): { signer: SecretSigner; secret: string } {
    return this.#secretIn(this.#keyFile(), this.#known())
  }

  #secretIn(file: string, instead = ''): { signer: SecretSigner; secret: string } {
    let text: string
    try {
      text = readFileSync(file, 'utf8').trim()
    } catch (error) {
      throw new UsageFault(`the key file ${file} cannot be read (${(error as NodeJS.ErrnoException).code})${instead}`, error)
    }
    try {
      return { signer: new SecretSigner(text), secret: text }
    } catch (error) {
      throw new UsageFault(`${file} holds no Stellar secret key (S…)`, error)
    }
  }

  signer(): SecretSigner {
    return this.#key().signer
  }

  /** How the trader is let in to NATS. */
  natsAccess(): NatsAccess {
    const { signer, secret } = this.#key()
    return keyAccess(secret, this.#accountOf(signer))
  }

  client(): Promise<Client> {
    const signer = this.signer()
    return Client.open(this.url, signer, { account: this.#accountOf(signer) })
  }

  /** Whose account the key acts for. */
  #accountOf({ address }: SecretSigner): string {
    const account = this.#options.for ?? address
    if (!isAddress(account)) throw new UsageFault(`--for ${account}: the Stellar account (G…, or a wallet's C…) that the key acts for`)
    return account
  }

  #keyFile(): string {
    const { as: name, key } = this.#options
    if (name !== undefined && key !== undefined) throw new UsageFault('either --as or --key, not both')
    if (key !== undefined) return key
    if (name === undefined) throw new UsageFault(`say who trades: --as NAME or --key FILE${this.#known()}`)
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) throw new UsageFault(`--as ${name}: a name has letters, digits, _ and - only`)
    return join(this.state, 'keys', `${name}.seed`)
  }

  /** The traders there are, to choose from. */
  #known(): string {
    const folder = join(this.state, 'keys')
    const names = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.seed')).map((file) => file.slice(0, -'.seed'.length)) : []
    return names.length === 0 ? '' : `; there is ${names.sort().join(', ')}`
  }
}
