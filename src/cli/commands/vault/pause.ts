import type { ContractId } from '../../../protocol/identity.ts'
import type { VaultGovernance } from '../../../settlement/governance/vaultGovernance.ts'
import type { Outcome, Surroundings } from '../../command.ts'
import { act } from '../../vault/act.ts'
import { errand, exactly } from '../../vault/errand.ts'
import type { Errand } from '../../vault/errand.ts'
import { tokenOf } from '../../vault/token.ts'

/** `darkpool vault pause [ASSET]`: stops deposits and settlement, of one asset or of all, at once. Whatever pays money out goes on. */
export const pause: Errand = (surroundings, words) => set(surroundings, words, true)

/** `darkpool vault resume [ASSET]`: ends a pause. What was paused by itself is resumed by itself. */
export const resume: Errand = (surroundings, words) => set(surroundings, words, false)

async function set(surroundings: Surroundings, words: readonly string[], paused: boolean): Promise<Outcome> {
  const [asset] = exactly(words, paused ? 'pause' : 'resume', '[ASSET]')
  const token = asset === undefined ? null : tokenOf(asset, surroundings)
  const { vault, manner } = await errand(surroundings, (vault) => (paused ? vault.pauser() : vault.admin()))
  const what = `${paused ? 'pause' : 'resume'} deposits and settlement of ${token ?? 'all assets'}`
  const plan = async () => ({ what, operation: (await isSo(vault, token, paused)) ? null : paused ? vault.pause(token) : vault.unpause(token), result: () => null })
  return act(manner, [plan], async () => {
    // An asset whose own pause is over may still be stopped with all.
    const still = await vault.paused(token)
    return { text: `${token ?? 'all assets'}: ${still ? 'paused' : 'not paused'}${still && !paused ? ': everything is' : ''}`, json: { token, paused: still }, failed: still !== paused }
  })
}

/** The contract says of an asset whether it is stopped, and not whether by itself: where everything is, its own pause can't be seen, and is set again. */
async function isSo(vault: VaultGovernance, token: ContractId | null, paused: boolean): Promise<boolean> {
  const [now, all] = await Promise.all([vault.paused(token), vault.paused(null)])
  return now === paused && (token === null || !all)
}
