import { scValToNative, xdr } from '@stellar/stellar-sdk'
import type { AccountId, ContractId } from '../../src/protocol/identity.ts'

/** What the engine authorised: one withdrawal, once, up to a ledger. */
export interface Authorization {
  readonly account: AccountId
  readonly asset: ContractId
  readonly amount: bigint
  readonly nonce: bigint
  readonly validUntil: number
}

/** Reads an authorisation as the network does. @throws Error where it is not one of a withdrawal by address */
export function readAuthorization(base64: string): Authorization {
  const { credentials, rootInvocation } = xdr.SorobanAuthorizationEntry.fromXdr(base64, 'base64')
  if (credentials.type !== 'sorobanCredentialsAddressV2' || rootInvocation.function.type !== 'sorobanAuthorizedFunctionTypeContractFn') throw new Error('an authorisation of another kind')
  const { functionName, args } = rootInvocation.function.contractFn
  if (functionName.toString() !== 'withdraw') throw new Error('an authorisation of something else')
  const [account, asset, amount] = args.map((value) => scValToNative(value) as unknown)
  const { nonce, signatureExpirationLedger } = credentials.addressV2
  return { account: account as AccountId, asset: asset as ContractId, amount: amount as bigint, nonce, validUntil: signatureExpirationLedger }
}
