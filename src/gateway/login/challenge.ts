import { Keypair, Operation, Transaction, TransactionBuilder, WebAuth } from '@stellar/stellar-sdk'
import { Buffer } from 'node:buffer'

/** Longest a challenge can be answered, in seconds. Whoever replays one within that time still needs the account's signature on it. */
export const CHALLENGE_LIFETIME_S = 300

/** What challenges are made and checked with. */
export interface Terms {
  readonly seed: Uint8Array
  readonly homeDomain: string
  readonly passphrase: string
}

/** Who proved a key: the account's own, or, with `key`, one that says to act for the account. */
export type Verdict = { readonly account: string; readonly key: string | null; readonly id: string } | null

/** The name under which a challenge holds the account for which its key is to act. */
const ON_BEHALF_OF = 'on_behalf_of'

/**
 * SEP-10 (version 3.4): runs in a thread of the signature pool, because the SDK takes milliseconds for each signature.
 * The gateway's own domain is both home domain and web auth domain. Where a key is to act for another account, that account stands in one operation more, whose source
 * is the gateway, as SEP-10 wants of all operations after the first: whoever signs the challenge signs that too.
 */
export function issue({ terms, account, onBehalfOf }: { terms: Terms; account: string; onBehalfOf: string | null }): string {
  const gateway = gatewayKey(terms)
  const challenge = WebAuth.buildChallengeTx(gateway, account, terms.homeDomain, CHALLENGE_LIFETIME_S, terms.passphrase, terms.homeDomain)
  if (onBehalfOf === null) return challenge
  const named = Operation.manageData({ name: ON_BEHALF_OF, value: onBehalfOf, source: gateway.publicKey() })
  const transaction = TransactionBuilder.cloneFrom(new Transaction(challenge, terms.passphrase)).addOperation(named).build()
  transaction.sign(gateway)
  return transaction.toXDR()
}

/**
 * Checks a challenge that came back: made by this gateway, not expired, and signed by the key itself. Other signers of a multi-signature account
 * cannot log in: the gateway would have to trust somebody's word about who they are.
 * @returns null where anything does not fit
 */
export function check({ terms, transaction }: { terms: Terms; transaction: string }): Verdict {
  const { homeDomain, passphrase } = terms
  const gateway = gatewayKey(terms).publicKey()
  try {
    const { tx, clientAccountID, memo } = WebAuth.readChallengeTx(transaction, gateway, passphrase, homeDomain, homeDomain)
    // This gateway makes neither memos nor muxed accounts nor client domains.
    if (memo !== null || tx.operations.length < 2 || tx.operations.length > 3) return null
    const named = tx.operations[2]
    const onBehalfOf = named === undefined ? null : accountIn(named)
    if (onBehalfOf === undefined) return null
    // The SDK takes a challenge for five minutes beyond its end.
    if (Number(tx.timeBounds?.maxTime ?? 0) < Date.now() / 1000) return null
    WebAuth.verifyChallengeTxSigners(transaction, gateway, passphrase, [clientAccountID], homeDomain, homeDomain)
    const id = Buffer.from(tx.hash()).toString('hex')
    return onBehalfOf === null ? { account: clientAccountID, key: null, id } : { account: onBehalfOf, key: clientAccountID, id }
  } catch {
    // The SDK has a reason for each fault; the client's is the same: this challenge does not verify.
    return null
  }
}

/** The account that the operation names, which the gateway has signed; undefined where it is another operation. */
function accountIn(operation: Transaction['operations'][number]): string | undefined {
  return operation.type === 'manageData' && operation.name === ON_BEHALF_OF && operation.value !== undefined ? Buffer.from(operation.value).toString() : undefined
}

function gatewayKey({ seed }: Terms): Keypair {
  return Keypair.fromRawEd25519Seed(Buffer.from(seed))
}
