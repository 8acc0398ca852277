import { Address, scValToNative, Transaction, TransactionBuilder } from '@stellar/stellar-sdk'
import type { xdr } from '@stellar/stellar-sdk'
import { hashOf } from '../transaction.ts'

/** @throws Error in one sentence where the text is no transaction in base64 */
export function readEnvelope(text: string, passphrase: string): Transaction {
  let read
  try {
    read = TransactionBuilder.fromXDR(text.trim(), passphrase)
  } catch (error) {
    throw new Error('that is no transaction in XDR, base64', { cause: error })
  }
  if (!(read instanceof Transaction)) throw new Error('that is a fee bump: what is inside it is wanted')
  return read
}

/** One transaction with the signatures of all copies. @throws Error where they are not copies of one */
export function joined(copies: readonly Transaction[]): Transaction {
  const [first, ...others] = copies
  if (first === undefined) throw new Error('no transaction')
  const hash = hashOf(first)
  const known = new Set(first.signatures.map((signature) => signature.toXdr('base64')))
  for (const copy of others) {
    if (hashOf(copy) !== hash) throw new Error(`transaction ${hashOf(copy)} is not ${hash}: only copies of one are joined`)
    for (const signature of copy.signatures) {
      const text = signature.toXdr('base64')
      if (known.has(text)) continue
      known.add(text)
      first.addDecoratedSignature(signature)
    }
  }
  return first
}

/** What a transaction does, read from the transaction itself: for whoever signs what somebody else has made. */
export function deedsOf(transaction: Transaction): readonly string[] {
  const envelope = transaction.toEnvelope()
  if (envelope.type !== 'envelopeTypeTx') throw new Error('a transaction of a form that nobody makes any more')
  return envelope.value.tx.operations.map(({ sourceAccount, body }) => {
    const whose = sourceAccount === null ? '' : ' for another account than the source'
    if (body.type !== 'invokeHostFunction') return `${body.type}${whose}: nothing that is done to a vault`
    const more = body.value.auth.some(({ credentials, rootInvocation }) => credentials.type !== 'sorobanCredentialsSourceAccount' || rootInvocation.subInvocations.length > 0) ? ', with more authority than its own' : ''
    return `${functionText(body.value.hostFunction)}${whose}${more}`
  })
}

function functionText(func: xdr.HostFunction): string {
  switch (func.type) {
    case 'hostFunctionTypeInvokeContract': {
      const { contractAddress, functionName, args } = func.value
      return `${functionName.toString()}(${args.map((value) => plainText(scValToNative(value))).join(', ')}) of ${Address.fromScAddress(contractAddress).toString()}`
    }
    case 'hostFunctionTypeUploadContractWasm':
      return `upload code, ${func.value.length} bytes`
    case 'hostFunctionTypeCreateContractV2':
      return `create a contract from uploaded code, with ${func.value.constructorArgs.map((value) => plainText(scValToNative(value))).join(', ')}`
    default:
      return 'create the contract of an asset'
  }
}

/** A contract's value as text: bytes in hex, and whole numbers whatever their size. */
export function plainText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(plain(value))
}

export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
  return value ?? null
}
