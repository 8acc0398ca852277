import { createRole } from '../../actors/roles.ts'
import { systemClock } from '../../actors/runtime/clock.ts'
import { JetStreamJournal } from '../../actors/runtime/jetstreamJournal.ts'
import { JetStreamSnapshots } from '../../actors/runtime/jetstreamSnapshots.ts'
import type { Log } from '../../actors/runtime/log.ts'
import { systemRandom } from '../../actors/runtime/random.ts'
import { replicaOf } from '../../actors/runtime/replica.ts'
import { SealedEnvelope } from '../../actors/runtime/sealedEnvelope.ts'
import { connectNats } from '../../actors/runtime/transport.ts'
import { verify } from '../../actors/runtime/verify.ts'
import type { Verified } from '../../actors/runtime/verify.ts'
import { journalKeys } from '../../enclave/journalKeys.ts'
import { venueNatsAccess } from '../../enclave/natsAccess.ts'
import type { ActorName } from '../../protocol/identity.ts'
import { isoTime } from '../../protocol/view.ts'
import type { Arguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { table } from '../table.ts'

type Found = { readonly actor: ActorName } & Verified

/** `darkpool journal verify [ACTOR…]`: replays actors from snapshot and journal beside the running ones, and says whether all of it agrees. */
export const journal: Command = async ({ args, place, say }) => {
  const venue = place.venue('--state')
  const actors = chosen(args, venue.actors)
  const keys = await place.keys()
  const journals = await journalKeys(keys, venue.file)
  const { subjects } = venue
  const quiet: Log = { info: () => undefined, warn: (_, message) => say(message), error: (_, message) => say(message) }
  const settlementModule = new URL('../../settlement/host.ts', import.meta.url).href
  const connection = await connectNats(await venueNatsAccess(keys, venue.file), 'journal verify')
  const found: Found[] = []
  try {
    for (const actor of actors) {
      say(`${actor} …`)
      const { machine } = await createRole(actor, { venue, keys, log: quiet, settlementModule })
      const envelope = (kind: 'record' | 'snapshot') => new SealedEnvelope({ keys: journals, venue: subjects.venue, actor, kind, random: systemRandom })
      const verified = await verify({
        replica: replicaOf(actor, machine, envelope('record'), subjects, systemClock, quiet),
        journal: () => new JetStreamJournal(connection, subjects.journalStream, subjects.journal(actor), quiet),
        shelf: { store: new JetStreamSnapshots(connection, subjects, actor), envelope: envelope('snapshot') },
      })
      found.push({ actor, ...verified })
    }
  } finally {
    await connection.close()
  }
  return { text: text(found), json: found, failed: found.some(({ faults }) => faults.length > 0) }
}

function chosen({ words }: Arguments, all: readonly ActorName[]): readonly ActorName[] {
  const [what, ...names] = words
  if (what !== 'verify') throw new UsageFault('darkpool journal takes verify, and the names of actors where not all are meant')
  const unknown = names.find((name) => !all.includes(name as ActorName))
  if (unknown !== undefined) throw new UsageFault(`the venue has no actor ${unknown}; it has ${all.join(', ')}`)
  return names.length === 0 ? all : (names as ActorName[])
}

function text(found: readonly Found[]): string {
  const rows = found.map(({ actor, from, records, epoch, firstTime, lastTime, digest, snapshots, faults }) => {
    const range = firstTime === null || lastTime === null ? ['—', '—'] : [isoTime(firstTime), isoTime(lastTime)]
    return [actor, String(from + 1), String(records), String(epoch), ...range, digest.slice(0, 16), String(snapshots), faults.length === 0 ? 'agrees' : 'DOES NOT AGREE']
  })
  const faults = found.flatMap(({ actor, faults }) => faults.map(({ snapshot, message }) => `${actor}${snapshot === null ? '' : `, snapshot ${snapshot}`}: ${message}`))
  return [table(['actor', 'from', 'to record', 'epoch', 'since', 'until', 'digest', 'snapshots', ''], rows), ...faults].join('\n')
}
