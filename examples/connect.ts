import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Client } from '../src/client/client.ts'
import { keyAccess } from '../src/client/natsAccess.ts'
import type { NatsAccess } from '../src/client/natsAccess.ts'
import { SecretSigner } from '../src/client/secretSigner.ts'

/** The words that every example takes: where the venue is, the file with a Stellar secret key, and the account where that key is one which it has delegated; and how to be told to end. */
export interface Setting {
  readonly client: Client
  /** The same key, for the venue's NATS. */
  readonly access: NatsAccess
  /** Further words, by their names. */
  readonly given: Readonly<Record<string, string>>
  /** Aborted at Ctrl-C and SIGTERM, to be given to what should end then. */
  readonly end: AbortSignal
}

/** @param wanted further words with what they are unless given */
export async function connect(wanted: Readonly<Record<string, string>>): Promise<Setting> {
  const words = { url: 'http://127.0.0.1:8080', key: '.darkpool/keys/alice.seed', account: '', ...wanted }
  const options = Object.fromEntries(Object.entries(words).map(([name, value]) => [name, { type: 'string' as const, default: value }]))
  const given = parseArgs({ options }).values as Record<string, string>
  const end = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort())
  const secret = readFileSync(given.key!, 'utf8').trim()
  const signer = new SecretSigner(secret)
  const account = given.account! === '' ? signer.address : given.account!
  // A program that nobody watches waits for a venue that is away, however long that is.
  const client = await Client.open(given.url!, signer, { account, timeout_ms: Infinity })
  return { client, access: keyAccess(secret, account), given, end: end.signal }
}
