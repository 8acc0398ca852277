import { Asset, StrKey } from '@stellar/stellar-sdk'
import type { ContractId } from '../../protocol/identity.ts'
import type { Surroundings } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { venueOf } from './ground.ts'

/** A classic asset as people write it: `native`, or CODE:ISSUER. null where it is none. */
export function classicAsset(text: string): Asset | null {
  if (text === 'native') return Asset.native()
  const [code = '', issuer = '', ...rest] = text.split(':')
  return rest.length === 0 && /^[A-Za-z0-9]{1,12}$/.test(code) && StrKey.isValidEd25519PublicKey(issuer) ? new Asset(code, issuer) : null
}

/** A token by its contract, or by its code in the venue file. @throws UsageFault */
export function tokenOf(text: string, { args, place }: Surroundings): ContractId {
  if (StrKey.isValidContract(text)) return text as ContractId
  const { assets } = venueOf(args.options, place)
  const found = assets.find(({ code }) => code === text)
  if (found === undefined) throw new UsageFault(`there is no asset ${text} in the venue; there is ${assets.map(({ code }) => code).join(', ')}, or a contract (C…)`)
  return found.contract
}
