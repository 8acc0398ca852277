import { leaseKey, readHolder, readNodes, readPin } from '../../actors/placement/keys.ts'
import { words } from '../arguments.ts'
import type { Command } from '../command.ts'
import { openOperation } from '../openOperation.ts'
import { table } from '../table.ts'

/** `darkpool status`: the nodes of the venue, and each actor with its owner and how it is. */
export const status: Command = async ({ args, place, say }) => {
  words(args, [])
  const operation = await openOperation({ args, place, say })
  try {
    const heard = await operation.statuses()
    const entries = await operation.placement()
    const nodes = readNodes(entries).map(({ node, leaving }) => ({ node, state: leaving ? 'leaving' : 'up' }))
    const actors = operation.venue.actors.map((actor) => {
      const said = heard.get(actor)
      const owner = readHolder(entries.get(leaseKey(actor)))?.node ?? null
      const { state = 'silent', epoch = null, records = null, backlog = null, alarms = [] } = said ?? {}
      return { actor, owner, pin: readPin(entries, actor) ?? null, state, epoch, records, backlog, alarms: alarms.map((alarm) => ('peer' in alarm ? `${alarm.kind} ${alarm.peer}` : alarm.kind)) }
    })
    const cell = (value: number | string | null): string => (value === null ? '—' : String(value))
    const text = [
      table(['node', 'state'], nodes.map(({ node, state }) => [node, state])),
      '',
      table(
        ['actor', 'owner', 'pin', 'state', 'epoch', 'records', 'backlog', 'alarms'],
        actors.map(({ actor, owner, pin, state, epoch, records, backlog, alarms }) => [actor, cell(owner), cell(pin), state, cell(epoch), cell(records), cell(backlog), alarms.join(', ')]),
      ),
    ].join('\n')
    return { text, json: { nodes, actors }, failed: actors.some(({ state, alarms }) => state !== 'running' || alarms.length > 0) }
  } finally {
    await operation.close()
  }
}
