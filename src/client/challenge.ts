import { TransactionBuilder } from '@stellar/stellar-sdk/base'
import type { Transaction } from '@stellar/stellar-sdk/base'

/**
 * What a client must see in a SEP-10 challenge before it signs: a transaction that can never be valid on the network (sequence number 0)
 * and that does nothing but name data. A dishonest gateway could hand out a payment instead. Where a delegated key logs in for an account, the challenge names that account
 * and no other.
 * @throws Error where it is anything else
 */
export function assertChallenge(transaction: string, passphrase: string, signer: string, account = signer): void {
  const parsed = TransactionBuilder.fromXDR(transaction, passphrase)
  const harmless =
    'sequence' in parsed &&
    parsed.sequence === '0' &&
    parsed.operations.length > 0 &&
    parsed.operations[0]!.source === signer &&
    parsed.operations.every((operation) => operation.type === 'manageData') &&
    accountNamed(parsed.operations) === (account === signer ? undefined : account)
  if (!harmless) throw new Error('the gateway asks to sign something that is no login challenge')
}

function accountNamed(operations: Transaction['operations']): string | undefined {
  for (const operation of operations) if (operation.type === 'manageData' && operation.name === 'on_behalf_of') return new TextDecoder().decode(operation.value)
  return undefined
}
