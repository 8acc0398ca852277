import type { ActorName } from '../../protocol/identity.ts'
import type { TakenSnapshot } from '../../protocol/shard.ts'
import { isoTime } from '../../protocol/view.ts'
import { words } from '../arguments.ts'
import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { openOperation } from '../openOperation.ts'
import { ownerOf } from '../operation.ts'
import { age_s, ageText } from '../text.ts'

/** It replays what has happened since the one before. */
const taken_ms = 300_000

/** `darkpool snapshot ACTOR`: has the shard that runs an actor take a snapshot of it now, beside it. */
export const snapshot: Command = async ({ args, place, say }) => {
  const [actor] = words(args, ['ACTOR'])
  const operation = await openOperation({ args, place, say })
  try {
    const { actors } = operation.venue
    if (!actors.includes(actor as ActorName)) throw new UsageFault(`the venue has no actor ${actor}; it has ${actors.join(', ')}`)
    const node = await ownerOf(operation, actor as ActorName)
    say(`${actor} on ${node} …`)
    const began = performance.now()
    const { record, bytes, former } = await operation.askShard<TakenSnapshot>(node, { kind: 'snapshot', actor: actor as ActorName }, taken_ms)
    const took_ms = Math.round(performance.now() - began)
    const written = record !== former?.record
    const old_s = former === null ? 0 : age_s(former.time, Date.now())
    const before = former === null ? 'it is the first' : `the one before is of record ${former.record}, ${ageText(old_s)} old`
    return {
      text: written ? `${actor}: a snapshot after record ${record} is stored, ${bytes} bytes; ${before}` : `${actor}: nothing has happened since the snapshot after record ${record}, ${bytes} bytes, ${ageText(old_s)} old`,
      json: { actor, node, record, bytes, written, former: former && { record: former.record, time: isoTime(former.time), age_s: old_s }, took_ms },
    }
  } finally {
    await operation.close()
  }
}
