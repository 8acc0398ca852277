import { Keypair, StrKey } from '@stellar/stellar-sdk/base'
import type { AccountId } from '../protocol/identity.ts'
import type { KeyScope } from '../protocol/vault.ts'
import { nkeyOf } from '../protocol/nkey.ts'
import { OPERATOR_USER, traderInbox } from '../protocol/subjects.ts'
import type { Binding } from './messages.ts'
import { sessionMessage, signRequest } from './messages.ts'
import type { Signer } from './signer.ts'

/** How a trader, or an operator, is let in to a venue's NATS: hand `options` to the `connect` of a NATS library, with the servers. */
export interface NatsAccess {
  readonly account: AccountId
  /** The key that connects. */
  readonly key: AccountId
  readonly options: NatsAccessOptions
}

export interface NatsAccessOptions {
  readonly authenticator: (nonce?: string) => { nkey: string; sig: string; user?: string; auth_token?: string }
  /** Answers are heard nowhere else. */
  readonly inboxPrefix: string
  /** A server, or its gateway, that is away for a while turns everybody away for a while. */
  readonly ignoreAuthErrorAbort: true
  readonly maxReconnectAttempts: -1
  readonly reconnectTimeWait: number
}

const DEFAULT_LIFETIME_S = 3_600
/** What nats-server asks to sign: text, and shorter than the 32 bytes that a transaction or a message would be signed by. */
const noncePattern = /^[A-Za-z0-9_-]{8,31}$/

/** By the account's own secret key (S…), or by one that the account has delegated. @param account whose, for a delegated key */
export function keyAccess(secret: string, account?: string): NatsAccess {
  const keypair = keypairOf(secret)
  return access(keypair, account, account === undefined || account === keypair.publicKey() ? {} : { user: account })
}

/** As an operator of the venue, whose key its venue file names, by its secret (S…). What such a connection may say is in docs/operations/commands.md. */
export const operatorAccess = (secret: string): NatsAccess => access(keypairOf(secret), undefined, { user: OPERATOR_USER })

/**
 * By a statement that a wallet signs, once: it names a key which is made here and forgotten with the program. The connection ends when the statement does.
 * @param binding the venue and the account, as Client has it
 */
export async function statementAccess(binding: Binding, signer: Signer, { scope = 'read', lifetime_s = DEFAULT_LIFETIME_S }: { readonly scope?: KeyScope; readonly lifetime_s?: number } = {}): Promise<NatsAccess> {
  const temporary = Keypair.random()
  const message = sessionMessage(binding, temporary.publicKey(), scope, { expires: Math.floor(Date.now() / 1_000) + lifetime_s })
  return access(temporary, binding.account, { auth_token: JSON.stringify(await signRequest(message, signer)) })
}

function keypairOf(secret: string): Keypair {
  if (!StrKey.isValidEd25519SecretSeed(secret)) throw new Error('that is no Stellar secret key (S…, 56 characters)')
  return Keypair.fromSecret(secret)
}

/** @param shown beside the key: by what right it comes, where that is not its own account's */
function access(keypair: Keypair, account: string | undefined, shown: { readonly user?: string; readonly auth_token?: string }): NatsAccess {
  const key = keypair.publicKey() as AccountId
  const authenticator = (nonce = ''): ReturnType<NatsAccessOptions['authenticator']> => {
    // The very key that signs orders and payments signs what a server sends: it must be nothing that could be one.
    if (!noncePattern.test(nonce)) throw new Error('the server asks to sign something that is no nonce')
    const sig = base64url(keypair.sign(new TextEncoder().encode(nonce)))
    return { nkey: nkeyOf(key), sig, ...shown }
  }
  return {
    account: (account ?? key) as AccountId,
    key,
    options: { authenticator, inboxPrefix: traderInbox(key), ignoreAuthErrorAbort: true, maxReconnectAttempts: -1, reconnectTimeWait: 250 },
  }
}

const base64url = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
