import { crypto_scalarmult_base, crypto_sign_detached, crypto_sign_seed_keypair } from 'sodium-native'
import { encodeNkey } from '../protocol/nkey.ts'
import { keyPaths } from './keys.ts'
import type { Keys } from './keys.ts'

const KEY_BYTES = 32
const SECRET_BYTES = 64
const SIGNATURE_BYTES = 64

/** An ed25519 key as NATS knows it. With sodium: the NATS library's own signing takes milliseconds. */
export class NatsSigningKey {
  /** A… for an account, U… for a user. */
  readonly address: string
  readonly #secret = Buffer.alloc(SECRET_BYTES)

  constructor(kind: 'account' | 'user', seed: Uint8Array) {
    const key = Buffer.alloc(KEY_BYTES)
    crypto_sign_seed_keypair(key, this.#secret, Buffer.from(seed))
    this.address = encodeNkey(kind, key)
  }

  sign(text: string): Uint8Array {
    const signature = Buffer.alloc(SIGNATURE_BYTES)
    crypto_sign_detached(signature, Buffer.from(text), this.#secret)
    return signature
  }

  /** What the NATS library asks for when it connects with this key. */
  readonly authenticate = (nonce?: string): { nkey: string; sig: string } => ({ nkey: this.address, sig: Buffer.from(this.sign(nonce ?? '')).toString('base64url') })
}

/** An X25519 key: what nats-server asks about connections is encrypted for it. */
export interface NatsExchangeKey {
  /** X… */
  readonly address: string
  readonly secret: Uint8Array
}

/** Who the venue is at its nats-server. Each process takes what it needs. */
export interface NatsKeys {
  /** Of the user with which all of the venue's processes connect. */
  readonly password: string
  /** Signs who may connect from outside, and what they may. */
  readonly issuer: NatsSigningKey
  readonly exchange: NatsExchangeKey
  /** The gateways' user among the traders. */
  readonly traders: NatsSigningKey
  /** The gateways' user in the server's system account: sees connections, and ends them. */
  readonly system: NatsSigningKey
}

export async function natsKeys(keys: Keys): Promise<NatsKeys> {
  const [password, issuer, exchange, traders, system] = await Promise.all(
    [keyPaths.nats, keyPaths.natsIssuer, keyPaths.natsExchange, keyPaths.natsTraders, keyPaths.natsSystem].map((path) => keys.secret(path)),
  )
  const exchanged = Buffer.alloc(KEY_BYTES)
  crypto_scalarmult_base(exchanged, Buffer.from(exchange!))
  return {
    password: Buffer.from(password!).toString('hex'),
    issuer: new NatsSigningKey('account', issuer!),
    exchange: { address: encodeNkey('exchange', exchanged), secret: exchange! },
    traders: new NatsSigningKey('user', traders!),
    system: new NatsSigningKey('user', system!),
  }
}
