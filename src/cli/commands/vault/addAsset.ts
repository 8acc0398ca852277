import { Contract, StrKey } from '@stellar/stellar-sdk'
import type { ContractId } from '../../../protocol/identity.ts'
import { contractView } from '../../../settlement/contractView.ts'
import { assetStep, issuerStep } from '../../../settlement/governance/assets.ts'
import { assetContractStep } from '../../../settlement/governance/founding.ts'
import { checkIssuer, ISSUER_POWERS, issuerFlags } from '../../../settlement/issuer.ts'
import type { IssuerPower } from '../../../settlement/issuer.ts'
import type { Network } from '../../../settlement/transaction.ts'
import { UsageFault } from '../../fault.ts'
import { act } from '../../vault/act.ts'
import type { Planned } from '../../vault/act.ts'
import { errand, exactly } from '../../vault/errand.ts'
import type { Errand } from '../../vault/errand.ts'
import { classicAsset } from '../../vault/token.ts'
import { VenueDraft } from '../../vault/venueDraft.ts'

/** `darkpool vault add-asset native|CODE:ISSUER|C…`: admits an asset, after a look at what its issuer may do, and puts that on record. */
export const addAsset: Errand = async (surroundings, words) => {
  const { options } = surroundings.args
  const [text = ''] = exactly(words, 'add-asset', 'native|CODE:ISSUER|C…')
  const asset = classicAsset(text)
  if (asset === null && !StrKey.isValidContract(text)) throw new UsageFault(`${text} is no asset: native, CODE:ISSUER, or the contract (C…) of another token`)
  const accepted = acceptedPowers(options.accept)
  const draft = options.list === true ? VenueDraft.open(options, surroundings.place) : null
  const { vault, manner } = await errand(surroundings, (vault) => vault.admin())
  const { network } = manner
  const token = (asset?.contractId(network.passphrase) ?? text) as ContractId
  if (asset !== null) checkIssuer(asset, await issuerFlags(network.server, asset), accepted)
  const plans: Planned[] = asset === null ? [() => assetStep(vault, token)] : [() => assetContractStep(network, asset), () => assetStep(vault, token), () => issuerStep(network, vault, asset, accepted)]
  return act(manner, plans, async (results) => {
    const index = results[asset === null ? 0 : 1] as number
    const { symbol, decimals } = await described(network, token)
    const listing = { code: asset === null ? symbol : asset.getCode(), contract: token, index, decimals }
    const written = draft?.addAsset(listing)
    return { text: [`${listing.code} is admitted, index ${index}; in a venue file:`, JSON.stringify(listing), ...(written === undefined ? [] : [written])].join('\n'), json: { asset: listing } }
  })
}

/** What a token says of itself (SEP-41). */
async function described({ server, passphrase }: Network, token: ContractId): Promise<{ readonly symbol: string; readonly decimals: number }> {
  const contract = new Contract(token)
  const [symbol, decimals] = await Promise.all([contractView(server, passphrase, contract, 'symbol'), contractView(server, passphrase, contract, 'decimals')])
  return { symbol: String(symbol.value), decimals: Number(decimals.value) }
}

function acceptedPowers(text: string | undefined): readonly IssuerPower[] {
  const powers = text === undefined ? [] : text.split(',')
  const unknown = powers.find((power) => !Object.hasOwn(ISSUER_POWERS, power))
  if (unknown !== undefined) throw new UsageFault(`--accept ${unknown}: what an issuer may do is ${Object.keys(ISSUER_POWERS).join(', ')}`)
  return powers as IssuerPower[]
}
