import type { VaultChange } from '../../../settlement/vaultChange.ts'
import { changeText } from '../../../settlement/vaultChange.ts'
import { announced, announceStep, applyStep, isMade } from '../../../settlement/governance/changing.ts'
import { isoTime } from '../../../protocol/view.ts'
import { chainHead } from '../../../settlement/stellarRpc.ts'
import { whole } from '../../arguments.ts'
import { Declined, UsageFault } from '../../fault.ts'
import { act } from '../../vault/act.ts'
import { address } from '../../vault/changeWords.ts'
import { errand, exactly } from '../../vault/errand.ts'
import type { Errand } from '../../vault/errand.ts'

/** `darkpool vault register-engine G…`: the next thing that is missing. At once while nobody has an account; afterwards the announcement, and when that is due, the change. */
export const registerEngine: Errand = async (surroundings, words) => {
  const { options } = surroundings.args
  const [engine = ''] = exactly(words, 'register-engine', 'G…')
  const change: VaultChange = { engine: address(engine), channel: whole('channel', options.channel ?? '0') }
  const { vault, ground, manner } = await errand(surroundings, (vault) => vault.admin())
  const [made, accounts, announcement] = await Promise.all([isMade(vault, change), vault.accounts(), announced(vault, change)])
  const what = changeText(change)
  if (made) return { text: `${what}: it is so already`, json: { sent: false, engine, channel: change.channel, registered: true, due: null, steps: [] } }
  if (accounts > 0 && announcement !== null) {
    const { closeTime } = await chainHead(ground.network.server)
    if (closeTime < announcement.due) throw new Declined(`${what}: announced, and due at ${isoTime(announcement.due * 1_000)}: the same command again from then on`)
  }
  if (accounts === 0 || announcement !== null) {
    return act(manner, [() => Promise.resolve(applyStep(vault, change))], () => ({ text: `${what}: registered`, json: { engine, channel: change.channel, registered: true, due: null } }))
  }
  return act(manner, [() => Promise.resolve(announceStep(vault, change))], async () => {
    const due = (await announced(vault, change))?.due ?? null
    return { text: `${what}: announced${due === null ? '' : `, due at ${isoTime(due * 1_000)}: the same command again from then on`}`, json: { engine, channel: change.channel, registered: false, due } }
  })
}

/** `darkpool vault remove-engine CHANNEL`: at once, nothing settles there any more. */
export const removeEngine: Errand = async (surroundings, words) => {
  const [text = ''] = exactly(words, 'remove-engine', 'CHANNEL')
  if (!/^[0-9]{1,2}$/.test(text)) throw new UsageFault(`${text} is no channel: 0 to 31`)
  const channel = Number(text)
  const { vault, manner } = await errand(surroundings, (vault) => vault.admin())
  const plan = async () => ({ what: `take the engine of channel ${channel} away`, operation: (await vault.engine(channel)) === null ? null : vault.removeMatchingEngine(channel), result: () => channel })
  return act(manner, [plan], () => ({ text: `channel ${channel} has no engine: nothing settles there`, json: { channel, engine: null } }))
}
