import { setTimeout as delay } from 'node:timers/promises'
import { leaseKey, readHolder, readNodes } from '../../actors/placement/keys.ts'
import type { ActorName } from '../../protocol/identity.ts'
import { words } from '../arguments.ts'
import type { Command } from '../command.ts'
import { Declined } from '../fault.ts'
import { openOperation } from '../openOperation.ts'

const drained_ms = 120_000
const look_ms = 250

/** `darkpool drain NODE`: every actor leaves it in order and runs elsewhere, and none goes there until `drain NODE --undo`. */
export const drain: Command = async ({ args, place, say }) => {
  const [node] = words(args, ['NODE'])
  const operation = await openOperation({ args, place, say })
  try {
    const { venue } = operation
    if (args.options.undo === true) {
      await operation.drain(node, false)
      return { text: `${node} takes actors again`, json: { node, drained: false } }
    }
    const held = async (): Promise<ActorName[]> => {
      const entries = await operation.placement()
      return venue.actors.filter((actor) => readHolder(entries.get(leaseKey(actor)))?.node === node)
    }
    const others = readNodes(await operation.placement()).filter((other) => other.node !== node && !other.leaving)
    const before = await held()
    const stranded = before.filter((actor) => !others.some(({ actors }) => actors.includes(actor)))
    if (stranded.length > 0) throw new Declined(`no other node may run ${stranded.join(', ')}: nobody would`)
    await operation.drain(node, true)
    const end = performance.now() + drained_ms
    let left = before
    while (left.length > 0 && performance.now() < end) {
      await delay(look_ms)
      const now = await held()
      for (const actor of left) if (!now.includes(actor)) say(`${actor} has left ${node}`)
      left = now
    }
    if (left.length > 0) throw new Error(`${left.join(', ')} still ${left.length === 1 ? 'is' : 'are'} on ${node} after ${drained_ms / 1_000} s: it stays drained, and \`darkpool status\` shows when they have left`)
    let waiting = before
    while (waiting.length > 0 && performance.now() < end) {
      await delay(look_ms)
      const heard = await operation.statuses()
      waiting = before.filter((actor) => heard.get(actor)?.state !== 'running' || heard.get(actor)?.node === node)
    }
    if (waiting.length > 0) throw new Error(`${waiting.join(', ')} left ${node}, and ${waiting.length === 1 ? 'does' : 'do'} not run elsewhere after ${drained_ms / 1_000} s; \`darkpool status\` shows who has them`)
    return { text: `${node} runs nothing any more, and takes nothing until \`darkpool drain ${node} --undo\``, json: { node, drained: true, left: before } }
  } finally {
    await operation.close()
  }
}
