import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { JOURNAL_KEY_ID_BYTES } from '../../enclave/journalKeys.ts'
import type { JournalKey, JournalKeys } from '../../enclave/journalKeys.ts'
import type { ActorName } from '../../protocol/identity.ts'
import { form, HEADING_BYTES, readHeading, writeHeading } from './envelope.ts'
import type { Envelope } from './envelope.ts'
import { JournalFault } from './journalFault.ts'
import type { Random } from './random.ts'

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const SALT_BYTES = 16
const COUNTER_BYTES = 8
const CHECKSUM_BYTES = 4
const TAG_BYTES = 16
/** heading · key id · writer's salt · counter u64 · crc32 of all before it. */
const PREFIX_BYTES = HEADING_BYTES + JOURNAL_KEY_ID_BYTES + SALT_BYTES + COUNTER_BYTES + CHECKSUM_BYTES
const keyIdAt = HEADING_BYTES
const saltAt = keyIdAt + JOURNAL_KEY_ID_BYTES
const counterAt = saltAt + SALT_BYTES
const checksumAt = counterAt + COUNTER_BYTES

/** Whose envelope it is. Part of the key and of what is authenticated: nothing of it can be passed off as another's. */
export interface SealOptions {
  readonly keys: JournalKeys
  readonly venue: string
  readonly actor: ActorName
  readonly kind: 'record' | 'snapshot'
  readonly random: Random
}

interface Writer {
  readonly of: JournalKey
  /** The key's id. */
  readonly id: Buffer
  readonly salt: Buffer
  readonly key: KeyObject
}

/**
 * AES-256-GCM. Each writer, that is each object of this class that wraps anything, draws a salt of 16 random bytes, derives a key of its own from
 * it and counts what it wraps: a nonce could repeat only if two writers drew the same salt, whatever owners race or old disks come back.
 * Number, epoch and everything else in front is authenticated with it.
 */
export class SealedEnvelope implements Envelope {
  readonly overhead = PREFIX_BYTES + TAG_BYTES
  readonly #options: SealOptions
  readonly #identity: Uint8Array
  #writer: Writer | null = null
  #wrapped = 0
  /** The writer that was read last: records of one writer follow each other. */
  #reading: Writer | null = null

  constructor(options: SealOptions) {
    this.#options = options
    this.#identity = Buffer.from(`${options.venue}\0${options.actor}\0${options.kind}`)
  }

  wrap: Envelope['wrap'] = (heading, body) => {
    const { sealing } = this.#options.keys
    if (this.#writer?.of !== sealing) this.#writer = this.#newWriter(sealing)
    const { id, salt, key } = this.#writer
    const bytes = Buffer.alloc(PREFIX_BYTES + body.length + TAG_BYTES)
    writeHeading(bytes, form.sealed, heading)
    bytes.set(id, keyIdAt)
    bytes.set(salt, saltAt)
    bytes.writeBigUInt64BE(BigInt(++this.#wrapped), counterAt)
    bytes.writeUInt32BE(crc32(bytes.subarray(0, checksumAt)), checksumAt)
    const cipher = createCipheriv(CIPHER, key, nonce(bytes))
    cipher.setAAD(this.#authenticated(bytes))
    bytes.set(cipher.update(body), PREFIX_BYTES)
    cipher.final()
    bytes.set(cipher.getAuthTag(), PREFIX_BYTES + body.length)
    return bytes
  }

  unwrap: Envelope['unwrap'] = (stored) => {
    const { form: found, heading } = readHeading(stored)
    if (found === form.clear) throw new JournalFault('unsealed', null, 'it is not sealed, and a key is given: whoever can write to the store may have made it')
    if (found !== form.sealed) throw new JournalFault('unknown_version', null, `written in the unknown form ${found}`)
    if (stored.length < PREFIX_BYTES + TAG_BYTES) throw new JournalFault('torn', null, `${stored.length} bytes are too few`)
    const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length)
    if (crc32(bytes.subarray(0, checksumAt)) !== bytes.readUInt32BE(checksumAt)) throw new JournalFault('damaged', null, 'the checksum of its heading does not fit')
    const decipher = createDecipheriv(CIPHER, this.#readerOf(bytes).key, nonce(bytes))
    decipher.setAAD(this.#authenticated(bytes))
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
    const body = decipher.update(bytes.subarray(PREFIX_BYTES, bytes.length - TAG_BYTES))
    try {
      decipher.final()
    } catch (error) {
      throw new JournalFault('damaged', null, 'its seal is broken: it is not what was written here, or not for this place', error)
    }
    return { heading, body }
  }

  #newWriter(of: JournalKey): Writer {
    const salt = this.#options.random(SALT_BYTES)
    if (salt.length !== SALT_BYTES) throw new Error(`asked for ${SALT_BYTES} random bytes, got ${salt.length}`)
    return this.#derive(of, salt)
  }

  /** @throws JournalFault where the key is none of those given */
  #readerOf(bytes: Buffer): Writer {
    const [id, salt] = [bytes.subarray(keyIdAt, saltAt), bytes.subarray(saltAt, counterAt)]
    if (this.#reading?.id.equals(id) === true && this.#reading.salt.equals(salt)) return this.#reading
    const { keys } = this.#options
    const key = keys.opening(id.toString('hex'))
    if (key === undefined) {
      const given = keys.all.map((one) => `version ${one.version} (${one.id})`).join(', ')
      throw new JournalFault('wrong_key', null, `it is sealed with the key ${id.toString('hex')}, those given are ${given}`)
    }
    return (this.#reading = this.#derive(key, salt))
  }

  /** As a key object: made from bytes anew for each record, a key costs several times what sealing a small one does. */
  #derive(of: JournalKey, salt: Uint8Array): Writer {
    const key = createSecretKey(new Uint8Array(hkdfSync('sha256', of.secret, salt, this.#identity, KEY_BYTES)))
    return { of, id: Buffer.from(of.id, 'hex'), salt: Buffer.from(salt), key }
  }

  #authenticated(bytes: Buffer): Uint8Array {
    return Buffer.concat([bytes.subarray(0, PREFIX_BYTES), this.#identity])
  }
}

/** Four zero bytes and the writer's counter. */
function nonce(bytes: Buffer): Uint8Array {
  const nonce = Buffer.alloc(12)
  bytes.copy(nonce, 4, counterAt, checksumAt)
  return nonce
}

/** The id of the key that something stored says it is sealed with, in hexadecimal; null where it says none. Nothing vouches for it until it is opened. */
export function keyIdOf(stored: Uint8Array): string | null {
  return stored.length < PREFIX_BYTES || stored[1] !== form.sealed ? null : Buffer.from(stored.subarray(keyIdAt, saltAt)).toString('hex')
}
