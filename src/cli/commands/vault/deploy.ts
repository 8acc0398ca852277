import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContractId } from '../../../protocol/identity.ts'
import { codeId, codeStep, vaultStep } from '../../../settlement/governance/founding.ts'
import type { Arguments } from '../../arguments.ts'
import { UsageFault } from '../../fault.ts'
import { act } from '../../vault/act.ts'
import type { Manner } from '../../vault/act.ts'
import { address } from '../../vault/changeWords.ts'
import { classic, exactly } from '../../vault/errand.ts'
import type { Errand } from '../../vault/errand.ts'
import { Ground } from '../../vault/ground.ts'
import { handOf } from '../../vault/hand.ts'
import type { Surroundings } from '../../command.ts'

/** Where scripts/build-contract.sh leaves the contract. */
const BUILT = join(import.meta.dirname, '../../../../contract/target/wasm32v1-none/release/vault.wasm')
const NAME = 'darkpool'

/** `darkpool vault deploy`: uploads the contract's code, and makes a vault of it. Repeated, it finds the vault that it made under that name, and says where. */
export const deploy: Errand = async (surroundings, words) => {
  exactly(words, 'deploy')
  const { options } = surroundings.args
  const wasm = wasmOf(options)
  const manner = await founding(surroundings)
  const { network, source } = manner
  const admin = options.admin === undefined ? source : address(options.admin)
  const salt = createHash('sha256').update(options.name ?? NAME).digest()
  return act(manner, [() => codeStep(network, wasm), () => vaultStep(network, { deployer: source, admin, code: codeId(wasm), salt })], ([code, vault], ledger) => ({
    text: `vault ${vault as ContractId}${ledger === null ? ', made before' : `, made in ledger ${ledger}`}\ncode ${code as string}`,
    json: { vault, code, admin, fromLedger: ledger },
  }))
}

/** `darkpool vault upload`: the code alone, which a change of code wants there before it is announced. */
export const upload: Errand = async (surroundings, words) => {
  exactly(words, 'upload')
  const wasm = wasmOf(surroundings.args.options)
  const manner = await founding(surroundings)
  return act(manner, [() => codeStep(manner.network, wasm)], ([code]) => ({ text: `code ${code as string}`, json: { code } }))
}

/** Nobody has to be anything yet: whoever pays. */
async function founding(surroundings: Surroundings): Promise<Manner> {
  const { args, place, say } = surroundings
  const { options } = args
  const hand = await handOf(options, place)
  const { network } = await Ground.open(surroundings)
  const source = options.source ?? hand?.address
  if (source === undefined) throw new UsageFault('say whose transaction it is: --key FILE or --prompt, or --source G… to look at it or to hand it out')
  return { network, source: classic(source), hand, options, say }
}

function wasmOf({ wasm = BUILT }: Arguments['options']): Uint8Array {
  try {
    return readFileSync(wasm)
  } catch (error) {
    throw new UsageFault(`--wasm ${wasm} cannot be read (${(error as NodeJS.ErrnoException).code}): scripts/build-contract.sh builds it`, error)
  }
}
