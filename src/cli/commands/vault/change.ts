import { isoTime } from '../../../protocol/view.ts'
import { announced, announceStep, applyStep } from '../../../settlement/governance/changing.ts'
import { hasCode } from '../../../settlement/governance/founding.ts'
import { changeText } from '../../../settlement/vaultChange.ts'
import { Declined } from '../../fault.ts'
import { act } from '../../vault/act.ts'
import { changeOf } from '../../vault/changeWords.ts'
import { errand } from '../../vault/errand.ts'
import type { Errand } from '../../vault/errand.ts'

/** `darkpool vault announce KIND VALUE`: says that a change is to come. */
export const announce: Errand = async (surroundings, words) => {
  const change = changeOf(words, surroundings.args.options)
  const { vault, ground, manner } = await errand(surroundings, (vault) => vault.admin())
  // The contract would only notice when it is applied, days later.
  if ('code' in change && !(await hasCode(ground.network, change.code))) throw new Declined(`the network has no code ${change.code}: \`darkpool vault upload --wasm FILE\` first`)
  const plan = async () => ((await announced(vault, change)) === null ? announceStep(vault, change) : { ...announceStep(vault, change), operation: null })
  return act(manner, [plan], async () => {
    const due = (await announced(vault, change))?.due ?? null
    return { text: `${changeText(change)}: announced${due === null ? '' : `, due at ${isoTime(due * 1_000)}`}`, json: { change, due } }
  })
}

/** `darkpool vault apply KIND VALUE`: makes a change that is due, or any while nobody has an account. A new administrator applies by its own key. */
export const apply: Errand = async (surroundings, words) => {
  const change = changeOf(words, surroundings.args.options)
  const { vault, manner } = await errand(surroundings, (vault) => ('admin' in change ? Promise.resolve(change.admin) : vault.admin()))
  return act(manner, [() => Promise.resolve(applyStep(vault, change))], () => ({ text: `${changeText(change)}: applied`, json: { change } }))
}

/** `darkpool vault cancel KIND VALUE`: takes an announcement back, as administrator or pauser. */
export const cancel: Errand = async (surroundings, words) => {
  const change = changeOf(words, surroundings.args.options)
  const { vault, manner } = await errand(surroundings, async (vault, hand) => {
    const [admin, pauser] = await Promise.all([vault.admin(), vault.pauser()])
    // Whoever has the pauser's key is taken for the pauser; with none, or another, it is the administrator's.
    return hand?.address === pauser ? pauser : admin
  })
  const plan = async () => ({ what: `cancel: ${changeText(change)}`, operation: (await announced(vault, change)) === null ? null : vault.cancelChange(manner.source, change), result: () => change })
  return act(manner, [plan], () => ({ text: `${changeText(change)}: not announced any more`, json: { change } }))
}
