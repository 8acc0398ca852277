import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { explained } from '../vault/explained.ts'
import type { Errand } from '../vault/errand.ts'

const errands: Readonly<Record<string, () => Promise<Errand>>> = {
  show: async () => (await import('./vault/show.ts')).show,
  deploy: async () => (await import('./vault/deploy.ts')).deploy,
  upload: async () => (await import('./vault/deploy.ts')).upload,
  'add-asset': async () => (await import('./vault/addAsset.ts')).addAsset,
  'register-engine': async () => (await import('./vault/registerEngine.ts')).registerEngine,
  'remove-engine': async () => (await import('./vault/registerEngine.ts')).removeEngine,
  market: async () => (await import('./vault/market.ts')).market,
  announce: async () => (await import('./vault/change.ts')).announce,
  apply: async () => (await import('./vault/change.ts')).apply,
  cancel: async () => (await import('./vault/change.ts')).cancel,
  pause: async () => (await import('./vault/pause.ts')).pause,
  resume: async () => (await import('./vault/pause.ts')).resume,
  'collect-fees': async () => (await import('./vault/collectFees.ts')).collectFees,
  sign: async () => (await import('./vault/submit.ts')).sign,
  submit: async () => (await import('./vault/submit.ts')).submit,
}

/** `darkpool vault …`: what its administrator, pauser and treasury do to the contract (docs/operations/vault.md). */
export const vault: Command = async (surroundings) => {
  const [what, ...words] = surroundings.args.words
  const load = what !== undefined && Object.hasOwn(errands, what) ? errands[what] : undefined
  if (load === undefined) throw new UsageFault(`darkpool vault takes ${Object.keys(errands).join(', ')}`)
  const errand = await load()
  try {
    return await errand(surroundings, words)
  } catch (error) {
    throw explained(error)
  }
}
