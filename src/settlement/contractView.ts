import { Account, rpc, scValToNative, StrKey, TransactionBuilder } from '@stellar/stellar-sdk'
import type { Contract, xdr } from '@stellar/stellar-sdk'
import { ContractRefusal } from './contractRefusal.ts'
import type { StellarRpc } from './stellarRpc.ts'

/** Source of simulated views: nobody, since a simulation is neither signed nor paid for. */
const NOBODY = StrKey.encodeEd25519PublicKey(new Uint8Array(32))

/** Where a contract can be looked at. */
export type Viewer = Pick<StellarRpc, 'simulateTransaction'>

/** What a function of a contract gives, as the chain stands at `latestLedger`. @throws ContractRefusal */
export async function contractView(server: Viewer, passphrase: string, contract: Contract, name: string, ...args: xdr.ScVal[]): Promise<{ value: unknown; latestLedger: number }> {
  const answer = await simulatedView(server, passphrase, contract.call(name, ...args))
  if (answer.result === undefined) throw new Error(`simulating ${name} gave no value`)
  return { value: scValToNative(answer.result.retval), latestLedger: answer.latestLedger }
}

/** A call that changes nothing, simulated. @throws ContractRefusal */
export async function simulatedView(server: Viewer, passphrase: string, call: xdr.Operation): Promise<rpc.Api.SimulateTransactionSuccessResponse> {
  const answer = await server.simulateTransaction(new TransactionBuilder(new Account(NOBODY, '0'), { fee: '100', networkPassphrase: passphrase }).addOperation(call).setTimeout(0).build())
  if (rpc.Api.isSimulationError(answer)) throw new ContractRefusal(answer.error)
  return answer
}

/** The entries that a simulated call reads and that are archived, as XDR in base64: sent, it would bring them back (CAP-0066). */
export function restoredBy({ transactionData }: rpc.Api.SimulateTransactionSuccessResponse): readonly (string | undefined)[] {
  const { ext, resources } = transactionData.build()
  return ext.type === 'resourceExt' ? ext.value.archivedSorobanEntries.map((at) => resources.footprint.readWrite[at]?.toXdr('base64')) : []
}

export const restores = (simulation: rpc.Api.SimulateTransactionSuccessResponse, key: xdr.LedgerKey): boolean => restoredBy(simulation).includes(key.toXdr('base64'))
