import { hash } from 'node:crypto'
import { Address, Contract, nativeToScVal, xdr } from '@stellar/stellar-sdk'
import type { Trade } from '../../src/protocol/pair.ts'
import { chainHead } from '../../src/settlement/stellarRpc.ts'
import { execute } from '../../src/settlement/transaction.ts'
import type { MarketAssets } from '../../src/settlement/netting.ts'
import { chargedFeesOf } from './fees.ts'
import type { ChargedFees } from './fees.ts'
import type { BenchVault } from './vault.ts'

/** The other way: each trade in a transaction of its own, by the contract's `settle_trade`. Gives what the chain charged for all of them. */
export async function settleTradeByTrade(vault: BenchVault, trades: readonly Trade[], assetsOf: (market: Trade['market']) => MarketAssets): Promise<ChargedFees> {
  const { chain, contract, engine } = vault
  const signer = await chain.signer(engine)
  const hashes: string[] = []
  for (const trade of trades) {
    const { closeTime } = await chainHead(chain.server)
    const call = new Contract(contract.id).call('settle_trade', instruction(trade, assetsOf(trade.market), closeTime))
    hashes.push((await execute(signer, call)).hash)
  }
  return chargedFeesOf(chain.server, hashes)
}

function instruction({ id, buyer, seller, base, quote }: Trade, assets: MarketAssets, timestamp: number): xdr.ScVal {
  const i128 = (value: bigint): xdr.ScVal => nativeToScVal(value, { type: 'i128' })
  const address = (value: string): xdr.ScVal => new Address(value).toScVal()
  const fields: Record<string, xdr.ScVal> = {
    base_amount: i128(base),
    base_asset: address(assets.base.contract),
    buyer: address(buyer),
    quote_amount: i128(quote),
    quote_asset: address(assets.quote.contract),
    seller: address(seller),
    timestamp: xdr.ScVal.scvU64(BigInt(timestamp)),
    trade_id: xdr.ScVal.scvBytes(new Uint8Array(hash('sha256', id, 'buffer'))),
  }
  // A contract struct is a map with its keys in order.
  return xdr.ScVal.scvMap(Object.entries(fields).map(([key, val]) => new xdr.ScMapEntry({ key: xdr.ScVal.scvSymbol(key), val })))
}
