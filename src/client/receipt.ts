import { hash, scValToNative, xdr } from '@stellar/stellar-sdk'
import type { rpc } from '@stellar/stellar-sdk'
import { Value } from 'typebox/value'
import { fromHex, toHex } from '../protocol/hex.ts'
import { rootOfPath } from '../protocol/merkleTree.ts'
import { receiptLeaf, sideOf } from '../protocol/receipt.ts'
import { ReceiptShape } from '../protocol/receiptShape.ts'
import type { Receipt } from '../protocol/receiptShape.ts'
import { serverAt } from './chain.ts'
import { ChainAway } from './errors.ts'

/** What the chain says of a batch that has settled. */
export interface SettledBatch {
  /** Passphrase. */
  readonly network: string
  readonly vault: string
  readonly channel: number
  readonly sequence: number
  /** How many: each has two leaves under the root. */
  readonly trades: number
  /** 64 hex digits. */
  readonly root: string
  readonly transaction: string
  readonly ledger: number
}

/**
 * A receipt proves nothing. `malformed`: it is no receipt, or not spelt as one. `root`: what it says is not under the root. `batch`: what it says of its batch is not what the chain says.
 * `unsettled`: the chain knows no such batch, or keeps it no longer.
 */
export class ReceiptInvalid extends Error {
  readonly fault: 'malformed' | 'root' | 'batch' | 'unsettled'

  constructor(fault: ReceiptInvalid['fault'], sentence: string) {
    super(sentence)
    this.name = 'ReceiptInvalid'
    this.fault = fault
  }
}

/** @throws ReceiptInvalid `malformed` where it is not of the documented shape */
export function readReceipt(value: unknown): Receipt {
  if (!Value.Check(ReceiptShape, value)) throw new ReceiptInvalid('malformed', 'This is no receipt: a member is missing, unknown or not spelt as it should be.')
  return value
}

/**
 * Checks a receipt without asking anybody: that its trade, as it says it, is under a root. Given all that the chain says of the batch (`readBatch`), also that the receipt names the batch as
 * it is; a root alone leaves `network`, `vault`, `transaction` and `ledger` unproved: they say where the root is to be found.
 * @param settled 64 hex digits of a root, or a batch
 * @throws ReceiptInvalid
 */
export function verifyReceipt(value: unknown, settled: SettledBatch | string): Receipt {
  const receipt = readReceipt(value)
  const side = sideOf(receipt)
  if (side === null) throw new ReceiptInvalid('malformed', 'Price, quantity, amounts, time or names of the receipt do not belong together.')
  const root = rootOfPath(hash, receiptLeaf(hash, side, fromHex(receipt.salt)), receipt.index, receipt.size, receipt.path.map(fromHex))
  const [known, batch] = typeof settled === 'string' ? [settled, null] : [settled.root, settled]
  if (root === null || toHex(root) !== known) throw new ReceiptInvalid('root', 'What the receipt says is not under the root.')
  if (batch !== null) {
    for (const member of ['network', 'vault', 'channel', 'sequence', 'transaction', 'ledger'] as const) {
      if (receipt[member] !== batch[member]) throw new ReceiptInvalid('batch', `The chain says another ${member} of the batch.`)
    }
    if (receipt.size !== 2 * batch.trades) throw new ReceiptInvalid('batch', 'The chain says another number of trades of the batch.')
  }
  return receipt
}

const EVENTS = 100

/** Where a receipt says that its batch is. */
export type BatchNames = Pick<Receipt, 'network' | 'channel' | 'transaction' | 'ledger'>

/**
 * Reads from the chain what it says of the batch that a receipt names. An RPC keeps events for a week or so; the root of a batch that is older is in the archives of the network.
 * @param url Stellar RPC endpoint: what it says is believed @param vault the contract that the batch has to be of
 * @throws ReceiptInvalid `unsettled`, `batch` where it is of another network; ChainAway where the RPC does not answer as it should
 */
export async function readBatch(url: string, receipt: BatchNames, vault: string): Promise<SettledBatch> {
  const server = serverAt(url)
  try {
    return await batchIn(server, receipt, vault)
  } catch (error) {
    throw error instanceof ReceiptInvalid ? error : new ChainAway(error)
  }
}

async function batchIn(server: rpc.Server, receipt: BatchNames, vault: string): Promise<SettledBatch> {
  const { passphrase: network } = await server.getNetwork()
  if (network !== receipt.network) throw new ReceiptInvalid('batch', 'The receipt is of another network.')
  const { channel, transaction, ledger } = receipt
  const topics = [[xdr.ScVal.scvSymbol('settle_batch').toXdr('base64'), xdr.ScVal.scvU32(channel).toXdr('base64')]]
  const filters: rpc.Api.EventFilter[] = [{ type: 'contract', contractIds: [vault], topics }]
  const health = await server.getHealth()
  if (ledger > health.latestLedger) throw new ReceiptInvalid('unsettled', 'The chain has not come to the ledger that the receipt names.')
  if (ledger < health.oldestLedger) throw new ReceiptInvalid('unsettled', 'This RPC no longer keeps the ledger that the receipt names: take the root from an archive.')
  const { events } = await server.getEvents({ filters, startLedger: ledger, endLedger: ledger + 1, limit: EVENTS })
  const event = events.find(({ txHash }) => txHash === transaction)
  if (event === undefined) throw new ReceiptInvalid('unsettled', 'The chain knows no such batch: the transaction that the receipt names settled nothing there.')
  const [, sequence, trades, root] = scValToNative(event.value) as [bigint, bigint, number, Uint8Array]
  return { network, vault, channel, sequence: Number(sequence), trades, root: toHex(root), transaction: event.txHash, ledger: event.ledger }
}
