import { rpc } from '@stellar/stellar-sdk'

/** The part of a Stellar RPC server that settlement and watcher use, so that tests can stand between. */
export type StellarRpc = Pick<
  rpc.Server,
  'getAccountEntry' | 'getEvents' | 'getFeeStats' | 'getTransaction' | 'sendTransaction' | 'simulateTransaction'
>

/** Where entries of a ledger are read as they are. */
export type LedgerReader = Pick<rpc.Server, 'getLedgerEntries'>

/** What making a transaction and following it takes. */
export type TransactionServer = Pick<rpc.Server, 'getTransaction' | 'sendTransaction' | 'simulateTransaction'> & LedgerReader

/** An RPC that does not answer in this time counts as down. */
const REQUEST_TIMEOUT_MS = 15_000

/** Plain HTTP is for a network on this machine only: elsewhere anybody on the way could lie about the chain. */
export function openRpc(url: string): rpc.Server {
  const { protocol, hostname } = new URL(url)
  const loopback = hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname)
  if (protocol === 'http:' && !loopback) throw new Error(`the Stellar RPC at ${hostname} must be reached by https`)
  return new rpc.Server(url, { allowHttp: loopback, timeout: REQUEST_TIMEOUT_MS })
}

/** Endpoints that contradict the others, by name: for alarms. */
export interface Disagreement {
  readonly disagreeing: readonly string[]
}

export interface ChainHead {
  readonly ledger: number
  /** The oldest ledger whose transactions and events the RPC still has. */
  readonly oldestLedger: number
  /** Unix seconds. */
  readonly closeTime: number
}

const NO_TRANSACTION = '0'.repeat(64)

/**
 * The latest ledger and its close time. Asked by way of a transaction that cannot exist: getLatestLedger answers with the whole ledger,
 * megabytes on the public network, and the SDK parses all of it.
 */
export async function chainHead(server: Pick<StellarRpc, 'getTransaction'>): Promise<ChainHead> {
  const answer = await server.getTransaction(NO_TRANSACTION)
  return { ledger: answer.latestLedger, oldestLedger: answer.oldestLedger, closeTime: closeTimeOf(answer) }
}

/** The RPC sends this number as text. */
export function closeTimeOf({ latestLedgerCloseTime }: { latestLedgerCloseTime: number | string }): number {
  const closeTime = Number(latestLedgerCloseTime)
  if (!Number.isSafeInteger(closeTime) || closeTime <= 0) throw new Error('the RPC gives no close time of its latest ledger')
  return closeTime
}

/** The code of a JSON-RPC error: the SDK throws the answer's `error` object as it came. */
export function rpcErrorCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || error instanceof Error) return undefined
  return 'code' in error && typeof error.code === 'number' ? error.code : undefined
}

/** One sentence of whatever was thrown. */
export function faultOf(error: unknown): string {
  if (error instanceof Error) return `${error.name}: ${error.message}`
  if (typeof error === 'object' && error !== null && 'message' in error) return `RPC error ${rpcErrorCode(error) ?? ''}: ${String(error.message)}`
  return String(error)
}
