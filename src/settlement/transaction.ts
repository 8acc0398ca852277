import { setTimeout } from 'node:timers/promises'
import { Account, rpc, TransactionBuilder } from '@stellar/stellar-sdk'
import type { Keypair, Transaction, xdr } from '@stellar/stellar-sdk'
import { accountEntry } from './accountEntry.ts'
import { chainHead, closeTimeOf } from './stellarRpc.ts'
import type { TransactionServer } from './stellarRpc.ts'
import { ContractRefusal } from './contractRefusal.ts'

const LIFETIME_S = 60
const FEE_STROOPS = '1000'
/** Soon at first, for a network of one's own; then as often as a network of many likes to be asked. */
const POLLS_MS = [25, 50, 100, 250] as const

/** A transaction that did not apply, with the network's result code. */
export class TransactionFailed extends Error {
  readonly hash: string
  readonly code: string

  constructor(hash: string, code: string) {
    super(`transaction ${hash} did not apply: ${code}`)
    this.name = 'TransactionFailed'
    this.hash = hash
    this.code = code
  }
}

export interface Applied {
  readonly hash: string
  readonly ledger: number
  /** What the contract function gave; undefined where the operation is none. */
  readonly returnValue: xdr.ScVal | undefined
}

/** A network, and where it is reached. */
export interface Network {
  readonly server: TransactionServer
  readonly passphrase: string
}

/** One operation on one network, paid and signed by one key: enough for setting things up and for traders' own transactions. */
export interface Signer extends Network {
  readonly key: Keypair
}

/** What a transaction is sent with. */
export interface Terms {
  /** Bid for its place in a ledger, beyond what its resources cost. */
  readonly bid_stroops: string
  /** How long it may wait for its ledger, in seconds of ledger time: after it, it is dead. */
  readonly lifetime_s: number
  /** Added to what the simulation wants for resources: paid back where it is not used. None unless given. */
  readonly reserve_stroops?: bigint
}

const usual: Terms = { bid_stroops: FEE_STROOPS, lifetime_s: LIFETIME_S }

const CONTRACT_OPERATIONS = new Set(['invokeHostFunction', 'extendFootprintTtl', 'restoreFootprint'])

/** What a contract call fails with when others changed what it touches between its simulation and its ledger. */
const OVERTAKEN = new Set(['invokeHostFunction invokeHostFunctionResourceLimitExceeded', 'invokeHostFunction invokeHostFunctionTrapped'])
const ATTEMPTS = 3

/**
 * Builds, simulates where it is a contract operation, signs, sends and follows one operation to its end. A call that was overtaken (two
 * first deposits in one ledger grow the same page) has failed for good, and is simulated and sent anew.
 * @throws ContractRefusal where the simulation is refused, TransactionFailed where the network does not apply it
 */
export async function execute(signer: Signer, operation: xdr.Operation): Promise<Applied> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await executeOnce(signer, operation)
    } catch (error) {
      if (!(error instanceof TransactionFailed) || !OVERTAKEN.has(error.code) || attempt === ATTEMPTS) throw error
    }
  }
}

async function executeOnce(signer: Signer, operation: xdr.Operation): Promise<Applied> {
  const { server, key } = signer
  const { transaction } = await prepare(signer, operation, key.publicKey(), usual)
  transaction.sign(key)
  return submit(server, transaction)
}

/** A transaction that only wants signatures, and what it would do as the chain stands. */
export interface Prepared {
  readonly transaction: Transaction
  /** What the contract's call gives; undefined where the operation is none, or gives nothing. */
  readonly returned: xdr.ScVal | undefined
}

/**
 * Builds a transaction of one operation with the account's next sequence number, and simulates it where it is a contract's.
 * @throws ContractRefusal where the simulation is refused
 */
export async function prepare({ server, passphrase }: Network, operation: xdr.Operation, account: string, { bid_stroops, lifetime_s, reserve_stroops = 0n }: Terms): Promise<Prepared> {
  const source = new Account(account, (await accountEntry(server, account)).seqNum.toString())
  const { closeTime } = await chainHead(server)
  const draft = new TransactionBuilder(source, { fee: bid_stroops, networkPassphrase: passphrase, timebounds: { minTime: 0, maxTime: closeTime + lifetime_s } }).addOperation(operation).build()
  if (!draft.operations.some(({ type }) => CONTRACT_OPERATIONS.has(type))) return { transaction: draft, returned: undefined }
  const simulation = await server.simulateTransaction(draft)
  if (rpc.Api.isSimulationError(simulation)) throw new ContractRefusal(simulation.error)
  simulation.transactionData.setResourceFee(BigInt(simulation.minResourceFee) + reserve_stroops)
  return { transaction: rpc.assembleTransaction(draft, simulation).build(), returned: simulation.result?.retval }
}

/**
 * Sends a signed transaction and follows it until it has applied, failed, or can no longer apply.
 * @throws TransactionFailed
 */
export async function submit(server: Pick<TransactionServer, 'getTransaction' | 'sendTransaction'>, transaction: Transaction): Promise<Applied> {
  const hash = hashOf(transaction)
  const maxTime = Number(transaction.timeBounds?.maxTime ?? 0)
  if (maxTime === 0) throw new Error('a transaction without an upper time bound could be in doubt for ever')
  let sent = false
  for (let poll = 0; ; poll++) {
    if (!sent) {
      const answer = await server.sendTransaction(transaction)
      if (answer.status === 'ERROR') throw new TransactionFailed(hash, answer.errorResult?.result.type ?? 'refused')
      sent = answer.status !== 'TRY_AGAIN_LATER'
    }
    const answer = await server.getTransaction(hash)
    if (answer.status === rpc.Api.GetTransactionStatus.SUCCESS) return { hash, ledger: answer.ledger, returnValue: answer.returnValue }
    if (answer.status === rpc.Api.GetTransactionStatus.FAILED) throw new TransactionFailed(hash, failureOf(answer.resultXdr))
    if (closeTimeOf(answer) > maxTime) throw new TransactionFailed(hash, 'expired')
    await setTimeout(POLLS_MS[poll] ?? POLLS_MS.at(-1))
  }
}

/** By which the network knows it: 64 hex digits. */
export const hashOf = (transaction: Transaction): string => Buffer.from(transaction.hash()).toString('hex')

/** The transaction's code, and the operation's where that is what failed. */
function failureOf({ result }: xdr.TransactionResult): string {
  if (result.type !== 'txFailed') return result.type
  const [operation] = result.value
  if (operation === undefined) return result.type
  return operation.type === 'opInner' ? `${operation.value.type} ${operation.value.value.type}` : operation.type
}
