import { rpc, scValToNative, xdr } from '@stellar/stellar-sdk'
import type { SimulatedRpc } from './simulatedRpc.ts'

/** Far in the future: the time of every transaction is over then. */
const MUCH_LATER = String(2 ** 40)
const REFUSED = 'HostError: Error(Contract, #23)'

/** An RPC server that says what is not so, as often as `lies` says: of balances, events, transactions, refusals and sequence numbers. What it is sent it passes on. */
export function lying(server: SimulatedRpc, lies: () => boolean): SimulatedRpc {
  const told = async <Answer>(answer: Promise<Answer>, lie: (truth: Answer) => object): Promise<Answer> => {
    const truth = await answer
    return lies() ? ({ ...truth, ...lie(truth) }) : truth
  }
  return {
    ...server,
    getAccountEntry: (address) => told(server.getAccountEntry(address), ({ seqNum }) => ({ seqNum: seqNum + 7n })),
    // A deposit that never was is as good as one that is left out: either way somebody's money is not what is said.
    getEvents: (request) => told(server.getEvents(request), ({ events }) => ({ events: events.slice(1) })),
    getTransaction: (hash) => told(server.getTransaction(hash), ({ status, latestLedger }) => (status === rpc.Api.GetTransactionStatus.NOT_FOUND ? { status: rpc.Api.GetTransactionStatus.SUCCESS, ledger: latestLedger, createdAt: 1, resultXdr: { result: { type: 'txSuccess' } } } : { status: rpc.Api.GetTransactionStatus.NOT_FOUND, latestLedgerCloseTime: MUCH_LATER })),
    simulateTransaction: (transaction) => told(server.simulateTransaction(transaction), ({ latestLedger }) => ({ error: REFUSED, latestLedger, transactionData: undefined, result: undefined })),
    getLedgerEntries: (...keys) => told(server.getLedgerEntries(...keys), ({ entries }) => ({ entries: entries.map((entry) => ({ ...entry, val: more(entry.val) })) })),
  }
}

/** The same page with one unit more of the first balance. */
function more(entry: xdr.LedgerEntryData): xdr.LedgerEntryData {
  if (entry.type !== 'contractData' || entry.contractData.val.type !== 'scvBytes') return entry
  const { ext, contract, key, durability, val } = entry.contractData
  const page = Buffer.from(scValToNative(val) as Uint8Array)
  page.writeBigUInt64BE(BigInt.asUintN(64, page.readBigUInt64BE(8) + 1n), 8)
  return xdr.LedgerEntryData.contractData(new xdr.ContractDataEntry({ ext, contract, key, durability, val: xdr.ScVal.scvBytes(page) }))
}
