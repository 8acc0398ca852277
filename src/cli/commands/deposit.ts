import { VaultOnChain } from '../../client/chain.ts'
import { VenueReader } from '../../client/venueReader.ts'
import { parseDecimal } from '../../protocol/decimal.ts'
import { decimal, words } from '../arguments.ts'
import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'

/** `darkpool deposit ASSET AMOUNT`: the account's own transaction pays into the vault; the venue sees it when its ledger has closed. */
export const deposit: Command = async ({ args, place, say }) => {
  const [code, text] = words(args, ['ASSET', 'AMOUNT'])
  const amount = decimal('amount', text)
  const signer = place.signer()
  const rpc = place.rpc
  const venue = await new VenueReader(place.url).markets()
  const asset = venue.assets.find((one) => one.code === code)
  if (asset === undefined) throw new UsageFault(`there is no asset ${code}; there is ${venue.assets.map((one) => one.code).join(', ')}`)
  const units = parseDecimal(amount, asset.decimals)
  if (units === undefined || units === 0n) throw new UsageFault(`${text} ${code}: more than zero, and at most ${asset.decimals} digits after the point`)
  say('waiting for a ledger')
  const applied = await new VaultOnChain(rpc, venue.network, venue.vault, signer).deposit(asset.contract, units)
  return { text: `deposited ${amount} ${code} in transaction ${applied.transaction}, ledger ${applied.ledger}`, json: { asset: code, amount, ...applied } }
}
