import { formatAmount } from '../protocol/market.ts'
import type { BalanceState } from '../protocol/vault.ts'
import type { Venue } from '../protocol/venue.ts'

/** An account's balances as it is shown them, each in its asset's decimals. */
export function balancesView(balances: readonly BalanceState[], venue: Venue) {
  return balances.map(({ asset: contract, settled, pending, reserved, available }) => {
    const asset = venue.assetByContract.get(contract)
    if (asset === undefined) throw new Error('a vault actor knows an asset that the venue does not have')
    const shown = { settled: formatAmount(settled, asset), pending: formatAmount(pending, asset), reserved: formatAmount(reserved, asset), available: formatAmount(available, asset) }
    return { asset: asset.code, contract, ...shown }
  })
}
