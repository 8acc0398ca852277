import { isErrorCode, textOf } from '../protocol/errors.ts'
import type { AccountId } from '../protocol/identity.ts'
import { padded, readSealHeading, SALT_BYTES, SEAL_HEADING_BYTES, sealedWith, sealForm, sealInfo, sealNonce, TAG_BYTES, writeSealHeading } from '../protocol/seal.ts'
import type { FeedKeysView, SealContext, SealHeading } from '../protocol/seal.ts'

const CIPHER = 'AES-GCM'

/** Where an account's feed keys come from: `() => client.feedKeys()`. */
export type FeedKeySource = () => Promise<FeedKeysView>

/** A message is not what the venue has sealed for this account: somebody on the way has made or changed it. Or it is sealed, and nobody gave a key. */
export class SealBroken extends Error {
  constructor(sentence = 'A sealed message is not what was sealed.') {
    super(sentence)
    this.name = 'SealBroken'
  }
}

/** Opens and seals what goes over the NATS of a venue that seals, wherever JavaScript runs. Where the venue does not seal, texts go as they are. */
export class FeedKeyring {
  readonly #venue: string
  readonly #account: AccountId
  readonly #source: FeedKeySource
  #keys: Promise<FeedKeysView> | undefined

  constructor(venue: string, account: AccountId, source: FeedKeySource) {
    this.#venue = venue
    this.#account = account
    this.#source = source
  }

  /** Whether the venue seals. */
  async sealed(): Promise<boolean> {
    return (await this.#known()).current !== null
  }

  /** A message of the account's feed. @throws SealBroken */
  async openFeed(bytes: Uint8Array): Promise<string> {
    if (!(await this.sealed())) return new TextDecoder().decode(bytes)
    const heading = readSealHeading(sealForm.feed, bytes)
    if (heading === null) throw new SealBroken('A message of a sealed feed is not sealed.')
    return this.#open(heading, { venue: this.#venue, account: this.#account }, bytes)
  }

  /** @returns what is sent, and how its answer is read */
  async sealRequest(operation: string, text: string): Promise<{ readonly bytes: Uint8Array; readonly read: (answer: Uint8Array) => Promise<string> }> {
    const { current } = await this.#known()
    if (current === null) return { bytes: new TextEncoder().encode(text), read: (answer) => Promise.resolve(new TextDecoder().decode(answer)) }
    const heading: SealHeading = { form: sealForm.request, version: current, salt: crypto.getRandomValues(new Uint8Array(SALT_BYTES)), seq: 0 }
    const context = { venue: this.#venue, account: this.#account, operation }
    const read = (answer: Uint8Array): Promise<string> => {
      const answered = readSealHeading(sealForm.answer, answer)
      if (answered === null) return Promise.reject(inTheClear(answer))
      return this.#open(answered, { ...context, asked: heading.salt }, answer)
    }
    return { bytes: await this.#seal(heading, context, text), read }
  }

  #known(): Promise<FeedKeysView> {
    this.#keys ??= this.#source().catch((error: unknown) => {
      this.#keys = undefined
      throw error
    })
    return this.#keys
  }

  /** A version that is not known may be a new one. */
  async #key(version: number): Promise<Uint8Array<ArrayBuffer>> {
    const find = async (): Promise<string | undefined> => (await this.#known()).keys.find((one) => one.version === version)?.key
    let key = await find()
    if (key === undefined) {
      this.#keys = undefined
      key = await find()
    }
    if (key === undefined) throw new SealBroken('A message is sealed with a key that is not this account’s.')
    return Uint8Array.from(atob(key), (character) => character.charCodeAt(0))
  }

  async #messageKey({ form, version, salt }: SealHeading, context: SealContext): Promise<CryptoKey> {
    const key = await crypto.subtle.importKey('raw', await this.#key(version), 'HKDF', false, ['deriveKey'])
    const derivation = { name: 'HKDF', hash: 'SHA-256', salt: copied(salt), info: copied(sealInfo(form, context)) }
    return crypto.subtle.deriveKey(derivation, key, { name: CIPHER, length: 256 }, false, ['encrypt', 'decrypt'])
  }

  async #seal(heading: SealHeading, context: SealContext, text: string): Promise<Uint8Array> {
    const head = writeSealHeading(heading)
    const key = await this.#messageKey(heading, context)
    const body = new Uint8Array(await crypto.subtle.encrypt(parameters(head, heading, context), key, copied(padded(text))))
    const bytes = new Uint8Array(head.length + body.length)
    bytes.set(head)
    bytes.set(body, head.length)
    return bytes
  }

  async #open(heading: SealHeading, context: SealContext, bytes: Uint8Array): Promise<string> {
    const key = await this.#messageKey(heading, context)
    try {
      const text = await crypto.subtle.decrypt(parameters(bytes.subarray(0, SEAL_HEADING_BYTES), heading, context), key, copied(bytes.subarray(SEAL_HEADING_BYTES)))
      return new TextDecoder().decode(text).trimEnd()
    } catch (error) {
      throw Object.assign(new SealBroken(), { cause: error })
    }
  }
}

const copied = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes)
const parameters = (head: Uint8Array, { form, seq }: SealHeading, context: SealContext): AesGcmParams => ({ name: CIPHER, iv: copied(sealNonce(seq)), tagLength: TAG_BYTES * 8, additionalData: copied(sealedWith(head, sealInfo(form, context), context)) })

/** A gateway answers in the clear where it could not open what was asked, and the server between could say so too: what became of the request is not known. */
function inTheClear(answer: Uint8Array): SealBroken {
  let code: unknown
  try {
    code = (JSON.parse(new TextDecoder().decode(answer)) as { body?: { code?: unknown } }).body?.code
  } catch {
    // No answer of a gateway, whatever it is.
  }
  const why = typeof code === 'string' && isErrorCode(code) ? `: ${textOf(code)} [${code}]` : '.'
  return new SealBroken(`An answer of a venue that seals is not sealed${why}`)
}
