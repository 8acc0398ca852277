import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { AccountId } from '../protocol/identity.ts'
import { padded, readSealHeading, SALT_BYTES, SEAL_HEADING_BYTES, sealedWith, sealForm, sealInfo, sealNonce, TAG_BYTES, writeSealHeading } from '../protocol/seal.ts'
import type { SealContext, SealForm, SealHeading } from '../protocol/seal.ts'
import type { FeedKeys } from './feedKeys.ts'
import { ReadyKeys } from './readyKeys.ts'

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32

/** Not what was sealed for that account and number, or with a key that is not known. */
export class SealBroken extends Error {
  constructor() {
    super('a sealed message is not what was sealed')
    this.name = 'SealBroken'
  }
}

/** Seals and opens what is for accounts. One object is one writer of feeds: with its salt no number stands for two texts. */
export class FeedSeal {
  readonly #keys: FeedKeys
  readonly #salt = randomBytes(SALT_BYTES)
  /** By writer and account: messages of one feed follow each other. */
  readonly #ready = new ReadyKeys<KeyObject>()

  constructor(keys: FeedKeys) {
    this.#keys = keys
  }

  /** A message of an account's feed. The same number has the same text for as long as this object lives: storing it again gives the same bytes. */
  sealFeed(account: AccountId, seq: number, text: string): Uint8Array {
    const heading = { form: sealForm.feed, version: this.#keys.current, salt: this.#salt, seq }
    const context = { venue: this.#keys.venue, account }
    return seal(this.#feedKey(heading, context), heading, context, text)
  }

  /** @throws SealBroken also where it is not sealed: whoever can write to the store may have made it */
  openFeed(account: AccountId, bytes: Uint8Array): string {
    const heading = readSealHeading(sealForm.feed, bytes)
    if (heading === null) throw new SealBroken()
    const context = { venue: this.#keys.venue, account }
    return open(this.#feedKey(heading, context), heading, context, bytes)
  }

  /** @returns the text, and the salt that its answer names @throws SealBroken */
  openRequest(account: AccountId, operation: string, bytes: Uint8Array): { readonly text: string; readonly salt: Uint8Array } {
    const heading = readSealHeading(sealForm.request, bytes)
    if (heading === null) throw new SealBroken()
    const context = { venue: this.#keys.venue, account, operation }
    return { text: open(this.#once(heading, context), heading, context, bytes), salt: heading.salt }
  }

  /** A salt of its own: the server could hand one request to two gateways, whose answers differ. */
  sealAnswer(account: AccountId, operation: string, asked: Uint8Array, text: string): Uint8Array {
    const heading = { form: sealForm.answer, version: this.#keys.current, salt: randomBytes(SALT_BYTES), seq: 0 }
    const context = { venue: this.#keys.venue, account, operation, asked }
    return seal(this.#once(heading, context), heading, context, text)
  }

  #feedKey(heading: SealHeading, context: SealContext): KeyObject {
    return this.#ready.get(`${heading.version} ${context.account} ${Buffer.from(heading.salt).toString('latin1')}`, () => this.#once(heading, context))
  }

  #once({ form, version, salt }: SealHeading, context: SealContext): KeyObject {
    const key = this.#keys.of(context.account, version)
    if (key === undefined) throw new SealBroken()
    return messageKey(key, form, salt, context)
  }
}

/** The key of one writer's messages, or of one request; as an object, since one made from bytes anew for each message costs more than sealing it. @param key the account's feed key */
const messageKey = (key: Uint8Array, form: SealForm, salt: Uint8Array, context: SealContext): KeyObject =>
  createSecretKey(new Uint8Array(hkdfSync('sha256', key, salt, sealInfo(form, context), KEY_BYTES)))

function seal(key: KeyObject, heading: SealHeading, context: SealContext, text: string): Uint8Array {
  const head = writeSealHeading(heading)
  const cipher = createCipheriv(CIPHER, key, sealNonce(heading.seq))
  cipher.setAAD(sealedWith(head, sealInfo(heading.form, context), context))
  const body = cipher.update(padded(text))
  cipher.final()
  return Buffer.concat([head, body, cipher.getAuthTag()])
}

function open(key: KeyObject, heading: SealHeading, context: SealContext, bytes: Uint8Array): string {
  const end = bytes.length - TAG_BYTES
  const decipher = createDecipheriv(CIPHER, key, sealNonce(heading.seq), { authTagLength: TAG_BYTES })
  decipher.setAAD(sealedWith(bytes.subarray(0, SEAL_HEADING_BYTES), sealInfo(heading.form, context), context))
  decipher.setAuthTag(bytes.subarray(end))
  const text = decipher.update(bytes.subarray(SEAL_HEADING_BYTES, end))
  try {
    decipher.final()
  } catch {
    throw new SealBroken()
  }
  return text.toString().trimEnd()
}
