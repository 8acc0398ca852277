import { StrKey } from '@stellar/stellar-sdk'
import type { SecretSigner } from '../../client/secretSigner.ts'
import type { VaultGovernance } from '../../settlement/governance/vaultGovernance.ts'
import type { Outcome, Surroundings } from '../command.ts'
import { Declined, UsageFault } from '../fault.ts'
import type { Manner } from './act.ts'
import { Ground } from './ground.ts'
import { handOf } from './hand.ts'

/** One of the commands under `darkpool vault`. */
export type Errand = (surroundings: Surroundings, words: readonly string[]) => Promise<Outcome | null>

/** What an errand to a vault that exists begins with. @param who the address that the contract asks for, of those that the key may be: whose transaction it is, unless `--source` says */
export async function errand(surroundings: Surroundings, who: (vault: VaultGovernance, hand: SecretSigner | null) => Promise<string>): Promise<{ readonly vault: VaultGovernance; readonly ground: Ground; readonly manner: Manner }> {
  const { args, place, say } = surroundings
  const { options } = args
  const hand = await handOf(options, place)
  const ground = await Ground.open(surroundings)
  const vault = ground.theVault
  return { vault, ground, manner: { network: ground.network, source: options.source === undefined ? classic(await who(vault, hand)) : classic(options.source), hand, options, say } }
}

/** A transaction is an account's. @throws Declined where a contract would have to make it */
export function classic(address: string): string {
  if (StrKey.isValidContract(address)) throw new Declined(`that is for the contract ${address} to call, by its own rules: nothing here can sign for it`)
  if (!StrKey.isValidEd25519PublicKey(address)) throw new UsageFault(`${address} is no Stellar account (G…)`)
  return address
}

/** @throws UsageFault where there are other words than the named ones; a name in brackets may be missing */
export function exactly(words: readonly string[], command: string, ...names: readonly string[]): readonly string[] {
  const least = names.filter((name) => !name.startsWith('[')).length
  if (words.length < least || words.length > names.length) throw new UsageFault(`darkpool vault ${command} takes ${names.length === 0 ? 'no further words' : names.join(' ')}`)
  return words
}
