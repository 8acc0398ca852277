import { TransactionBuilder } from '@stellar/stellar-sdk/base'

/**
 * What a client must see in a SEP-10 challenge before it signs: a transaction that can never be valid on the network (sequence number 0)
 * and that does nothing but name data. A dishonest gateway could hand out a payment instead.
 * @throws Error where it is anything else
 */
export function assertChallenge(transaction: string, passphrase: string, account: string): void {
  const parsed = TransactionBuilder.fromXDR(transaction, passphrase)
  const harmless =
    'sequence' in parsed &&
    parsed.sequence === '0' &&
    parsed.operations.length > 0 &&
    parsed.operations[0]!.source === account &&
    parsed.operations.every((operation) => operation.type === 'manageData')
  if (!harmless) throw new Error('the gateway asks to sign something that is no login challenge')
}
