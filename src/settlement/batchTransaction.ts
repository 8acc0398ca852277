import { Account, rpc, TransactionBuilder, xdr } from '@stellar/stellar-sdk'
import type { Keypair, Transaction } from '@stellar/stellar-sdk'
import type { Batch } from './batch.ts'
import { exceededLimit } from './networkLimits.ts'
import type { ChainHead, StellarRpc } from './stellarRpc.ts'
import { ContractRefusal } from './contractRefusal.ts'
import type { VaultContract } from './vaultContract.ts'
import { hashOf } from './transaction.ts'

/** Inclusion fee in stroops: the network's least, and what the venue pays at most unless it is configured. */
const LEAST_FEE = 100n
export const MOST_FEE_STROOPS = 100_000n
/** Room for what other transactions change between simulation and ledger. */
const INSTRUCTION_LEEWAY = 500_000

export interface BatchTransaction {
  readonly hash: string
  readonly envelope: string
  readonly maxTime: number
}

/** Why a batch cannot be sent as it is. */
export interface BatchRefusal {
  readonly refused: string
  readonly tooLarge: boolean
  readonly latestLedger: number
}

export interface BatchTransactionInput {
  readonly server: StellarRpc
  readonly vault: VaultContract
  readonly engine: Keypair
  /** Source of the transaction: its sequence number is used, and it pays. */
  readonly payer: Keypair
  readonly batch: Batch
  readonly head: ChainHead
  /** How long the transaction may wait for its ledger, in seconds of ledger time. After it, it is dead and another one may be made. */
  readonly lifetime_s: number
  /** Transactions made for this batch before: each doubles the inclusion fee. */
  readonly attempt: number
  /** The most that is bid for a place in a ledger. */
  readonly mostFee_stroops: bigint
}

type Draft = Pick<BatchTransactionInput, 'server' | 'vault' | 'engine' | 'batch'>

const draft = ({ vault, engine, batch }: Draft, source: Account, fee: bigint, maxTime: number): Transaction =>
  new TransactionBuilder(source, { fee: fee.toString(), networkPassphrase: vault.passphrase, timebounds: { minTime: 0, maxTime } })
    .addOperation(new xdr.Operation({ sourceAccount: engine.xdrMuxedAccount(), body: vault.settleBatch(batch).body }))
    .build()

/** A simulation asks for no sequence number, and neither signature nor fee. */
const simulate = (input: Draft): Promise<rpc.Api.SimulateTransactionResponse> =>
  input.server.simulateTransaction(draft(input, new Account(input.engine.publicKey(), '0'), LEAST_FEE, 0), { cpuInstructions: INSTRUCTION_LEEWAY })

/** Whether the chain as it stands takes a batch; null where the network's limits do not let it say. @throws Error where the RPC fails */
export async function takesBatch(input: Draft): Promise<boolean | null> {
  const simulation = await simulate(input)
  if (!rpc.Api.isSimulationError(simulation)) return true
  return new ContractRefusal(simulation.error).overLimit ? null : false
}

/**
 * Simulates the batch against the chain as it stands and signs the transaction. The engine is the source of its operation, so that the contract's demand
 * for the engine's authorisation is met by the envelope's signature: no nonce entry is written, and nobody can put the authorisation into another transaction.
 * @throws Error where the RPC fails: nothing is known then
 */
export async function makeBatchTransaction(input: BatchTransactionInput): Promise<BatchTransaction | BatchRefusal> {
  const { server, engine, payer, head, lifetime_s, attempt, mostFee_stroops } = input
  const simulation = await simulate(input)
  if (rpc.Api.isSimulationError(simulation)) {
    const refusal = new ContractRefusal(simulation.error)
    return { refused: refusal.message, tooLarge: refusal.overLimit, latestLedger: simulation.latestLedger }
  }
  const [fee, { seqNum }] = await Promise.all([inclusionFee(server, attempt, mostFee_stroops), server.getAccountEntry(payer.publicKey())])
  const source = new Account(payer.publicKey(), seqNum.toString())
  // By the ledger's clock: the machine's own may be ahead of it or behind.
  const maxTime = head.closeTime + lifetime_s
  const transaction = rpc.assembleTransaction(draft(input, source, fee, maxTime), simulation).build()
  // Nobody signs twice: a signature that is not needed is refused.
  transaction.sign(payer, ...(payer.publicKey() === engine.publicKey() ? [] : [engine]))
  const envelope = transaction.toEnvelope().toXdr()
  const limit = exceededLimit(simulation.transactionData.build(), envelope.length)
  if (limit !== null) return { refused: `over the network's limit of ${limit}`, tooLarge: true, latestLedger: simulation.latestLedger }
  return { hash: hashOf(transaction), envelope: Buffer.from(envelope).toString('base64'), maxTime }
}

/** What an operation bids that most others do not outbid. */
export const surgePrice = async (server: Pick<StellarRpc, 'getFeeStats'>): Promise<bigint> => BigInt((await server.getFeeStats()).sorobanInclusionFee.p80)

async function inclusionFee(server: StellarRpc, attempt: number, most: bigint): Promise<bigint> {
  const usual = await surgePrice(server)
  const fee = (usual > LEAST_FEE ? usual : LEAST_FEE) << BigInt(Math.min(attempt, 16))
  return fee < most ? fee : most
}
