import type { AccountId, MarketName } from '../protocol/identity.ts'
import type { Trade } from '../protocol/pair.ts'
import { encodeDeltas } from './deltas.ts'
import type { Delta } from './deltas.ts'
import { feesOf, net } from './netting.ts'
import type { MarketAssets, NettedAccount } from './netting.ts'
import { stateRoot } from './stateRoot.ts'

/** Trades of one channel, netted: what `settle_batch` gets, and what is reported once it is final. */
export interface Batch {
  readonly channel: number
  readonly epoch: number
  /** The channel's last sequence + 1. */
  readonly sequence: number
  readonly trades: readonly Trade[]
  /** By rising account index. */
  readonly accounts: readonly NettedAccount[]
  readonly tradesRoot: Uint8Array
  readonly stateRoot: Uint8Array
  /** What accounts gain and lose, and the fees. Empty where all trades cancel out: the contract takes such a batch, since its trades are trades all the same. */
  readonly deltas: Uint8Array
}

/** What a batch is made from. */
export interface BatchInput {
  readonly channel: number
  readonly epoch: number
  readonly sequence: number
  readonly previousRoot: Uint8Array
  readonly trades: readonly Trade[]
  /** Of their receipts (receiptTree.ts). */
  readonly tradesRoot: Uint8Array
  readonly assetsOf: (market: MarketName) => MarketAssets
  /** The contract's index of an account; every account of the trades must have one. */
  readonly indexOf: (account: AccountId) => number | undefined
}

/** Nets the trades and encodes what the chain is told. The same input gives the same bytes, on every machine. */
export function makeBatch({ channel, epoch, sequence, previousRoot, trades, tradesRoot, assetsOf, indexOf }: BatchInput): Batch {
  if (trades.length === 0) throw new Error('a batch has at least one trade')
  const index = (account: AccountId): number => {
    const found = indexOf(account)
    if (found === undefined) throw new Error('an account of the batch has no index')
    return found
  }
  const accounts = net(trades, assetsOf).sort((a, b) => index(a.account) - index(b.account))
  const deltas = encodeDeltas(
    accounts.flatMap(({ account, moves }): Delta[] => moves.map((move) => ({ account: index(account), asset: move.asset.index, delta: move.in - move.out }))),
    feesOf(trades, assetsOf).map(({ asset, amount, turnover }) => ({ asset: asset.index, amount, turnover })),
  )
  return { channel, epoch, sequence, trades, accounts, tradesRoot, stateRoot: stateRoot(previousRoot, sequence, tradesRoot, deltas), deltas }
}
