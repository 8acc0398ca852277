import { Keypair, WebAuth } from '@stellar/stellar-sdk'
import { Buffer } from 'node:buffer'

/** Longest a challenge can be answered, in seconds. Whoever replays one within that time still needs the account's signature on it. */
export const CHALLENGE_LIFETIME_S = 300

/** What challenges are made and checked with. */
export interface Terms {
  readonly seed: Uint8Array
  readonly homeDomain: string
  readonly passphrase: string
}

export type Verdict = { readonly account: string; readonly id: string } | null

/**
 * SEP-10 (version 3.4): runs in a thread of the signature pool, because the SDK takes milliseconds for each signature.
 * The gateway's own domain is both home domain and web auth domain.
 */
export function issue({ terms, account }: { terms: Terms; account: string }): string {
  return WebAuth.buildChallengeTx(gatewayKey(terms), account, terms.homeDomain, CHALLENGE_LIFETIME_S, terms.passphrase, terms.homeDomain)
}

/**
 * Checks a challenge that came back: made by this gateway, not expired, and signed by the account's own key. Other signers of a multi-signature account
 * cannot log in: the gateway would have to trust somebody's word about who they are.
 * @returns null where anything does not fit
 */
export function check({ terms, transaction }: { terms: Terms; transaction: string }): Verdict {
  const { homeDomain, passphrase } = terms
  const gateway = gatewayKey(terms).publicKey()
  try {
    const { tx, clientAccountID, memo } = WebAuth.readChallengeTx(transaction, gateway, passphrase, homeDomain, homeDomain)
    // This gateway makes neither memos nor muxed accounts nor client domains.
    if (memo !== null || tx.operations.length !== 2) return null
    // The SDK takes a challenge for five minutes beyond its end.
    if (Number(tx.timeBounds?.maxTime ?? 0) < Date.now() / 1000) return null
    WebAuth.verifyChallengeTxSigners(transaction, gateway, passphrase, [clientAccountID], homeDomain, homeDomain)
    return { account: clientAccountID, id: Buffer.from(tx.hash()).toString('hex') }
  } catch {
    // The SDK has a reason for each fault; the client's is the same: this challenge does not verify.
    return null
  }
}

function gatewayKey({ seed }: Terms): Keypair {
  return Keypair.fromRawEd25519Seed(Buffer.from(seed))
}
