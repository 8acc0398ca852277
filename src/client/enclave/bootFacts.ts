import type { RuntimeEvent } from '../../protocol/attestation.ts'
import { bootEvents, eventDigest, replayed } from '../../protocol/eventLog.ts'
import type { BootEvent, Boundary } from '../../protocol/eventLog.ts'
import { fromAnyHex, toHex } from '../../protocol/hex.ts'
import type { Bytes } from './bytes.ts'

/** What booted, by the events that say so: their payloads. */
export type BootFacts = Readonly<Record<BootEvent, Bytes>>

const boundaries = Object.keys(bootEvents) as Boundary[]
const known: ReadonlySet<string> = new Set([...boundaries, ...Object.values(bootEvents).flat()])

/** The digest of each event, computed from its name and payload: what the log says of digests counts for nothing. */
export function digestsOf(log: readonly RuntimeEvent[]): Promise<readonly Uint8Array[]> {
  return Promise.all(log.map(({ event, event_payload }) => eventDigest(event, fromAnyHex(event_payload))))
}

export async function rtmr3Of(digests: readonly Uint8Array[]): Promise<string> {
  return toHex(await replayed(digests))
}

/**
 * The events that say what booted: each once in the whole log, before its boundary, and the boundaries in order. Behind `system-ready` the application measures what it likes.
 * @throws Error
 */
export function bootFacts(log: readonly RuntimeEvent[]): BootFacts {
  const places = new Map<string, number>()
  for (const [at, { event }] of log.entries()) {
    if (!known.has(event)) continue
    if (places.has(event)) throw new Error(`${event} is there twice`)
    places.set(event, at)
  }
  const placeOf = (name: string): number => places.get(name) ?? fail(`${name} is missing`)
  let previous = -1
  const facts: Partial<Record<BootEvent, Bytes>> = {}
  for (const boundary of boundaries) {
    const end = placeOf(boundary)
    if (end < previous) throw new Error(`${boundary} is out of order`)
    previous = end
    for (const name of bootEvents[boundary]) {
      if (placeOf(name) > end) throw new Error(`${name} comes after ${boundary}`)
      facts[name] = fromAnyHex(log[placeOf(name)]!.event_payload)
    }
  }
  return facts as BootFacts
}

function fail(sentence: string): never {
  throw new Error(sentence)
}
