import { scValToNative } from '@stellar/stellar-sdk'
import type { xdr } from '@stellar/stellar-sdk'
import { whole } from '../../arguments.ts'
import { Declined } from '../../fault.ts'
import { act } from '../../vault/act.ts'
import { errand, exactly } from '../../vault/errand.ts'
import type { Errand } from '../../vault/errand.ts'
import { tokenOf } from '../../vault/token.ts'

/** `darkpool vault collect-fees ASSET [--channel N]`: pays the treasury, by its own key, what a channel's batches took of an asset. */
export const collectFees: Errand = async (surroundings, words) => {
  const [asset = ''] = exactly(words, 'collect-fees', 'ASSET')
  const token = tokenOf(asset, surroundings)
  const channel = whole('channel', surroundings.args.options.channel ?? '0')
  const { vault, manner } = await errand(surroundings, async (vault) => {
    const treasury = await vault.treasury()
    if (treasury === null) throw new Declined('the vault has no treasury: nobody may collect fees')
    return treasury
  })
  const result = (returned: xdr.ScVal | undefined): string => (returned === undefined ? '0' : String(scValToNative(returned)))
  const plan = async () => ({ what: `collect the fees of channel ${channel} in ${token}`, operation: (await vault.fees(channel, token)) === 0n ? null : vault.collectFees(channel, token), result })
  return act(manner, [plan], ([amount]) => ({ text: amount === '0' ? 'there are no fees to collect' : `${amount as string} smallest units of ${asset} collected`, json: { token, channel, amount } }))
}
