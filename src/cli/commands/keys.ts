import { StrKey } from '@stellar/stellar-sdk/base'
import type { Delegation } from '../../client/messages.ts'
import { duration_s } from '../arguments.ts'
import type { Arguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { keyTable, keyText } from '../text.ts'
import { expiry } from './order.ts'

const DEFAULT_UNTIL = '30d'

/** `darkpool keys`: those that may act for the account. `keys add KEY` lets one, `keys revoke KEY` ends it at once. `show`, `rotate` and `retire` are for the venue's own keys. */
export const keys: Command = async (surroundings) => {
  const { args, place } = surroundings
  const [what = 'list', key] = args.words
  if (what === 'show' || what === 'rotate' || what === 'retire') return (await import('./venueKeys.ts')).venueKeys(surroundings)
  if (args.words.length > (what === 'list' ? 1 : 2)) throw new UsageFault('darkpool keys takes list, add KEY or revoke KEY')
  if (what === 'list') {
    const listed = await (await place.client()).keys()
    return { text: keyTable(listed), json: listed }
  }
  if (what !== 'add' && what !== 'revoke') throw new UsageFault(`darkpool keys ${what}: list, add or revoke; of the venue's own keys show, rotate or retire`)
  if (key === undefined || !StrKey.isValidEd25519PublicKey(key)) throw new UsageFault(`${key ?? 'nothing'} is no Stellar public key (G…, 56 characters)`)
  const validity = expiry(args.options.expires)
  const delegation = what === 'add' ? delegationOf(args.options) : null
  const client = await place.client()
  const view = delegation === null ? await client.sendRevocation(await client.signRevocation(key, validity)) : await client.sendDelegation(await client.signDelegation(key, delegation, validity))
  return { text: keyText(view), json: view }
}

function delegationOf({ scope = 'trade', market, until = DEFAULT_UNTIL }: Arguments['options']): Delegation {
  if (scope !== 'trade' && scope !== 'read') throw new UsageFault(`--scope ${scope}: trade or read`)
  if (scope === 'read' && market !== undefined) throw new UsageFault('--market belongs to --scope trade: a key that reads, reads everything')
  return { scope, until: Math.floor(Date.now() / 1000) + duration_s('until', until), ...(market === undefined ? {} : { market }) }
}
