import { join } from 'node:path'
import { NeverSent } from '../../client/errors.ts'
import { addressFaults } from '../../configuration/addressFaults.ts'
import { venueJson } from '../../configuration/venueFile.ts'
import type { Fault } from '../../protocol/shapeFaults.ts'
import { readVenue, venueFaults } from '../../protocol/venue.ts'
import type { VenueFile } from '../../protocol/venue.ts'
import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { table } from '../table.ts'

/** The file is sound, and something that it names could not be asked. */
class Unasked extends NeverSent {
  constructor(subjects: readonly string[]) {
    super(undefined)
    this.message = `could not be asked: ${subjects.join(', ')}`
    this.name = 'Unasked'
  }
}

/** `darkpool config check [--venue FILE|env:NAME] [--online]`: everything that would keep a process from starting with a venue file, at once; with `--online` whether what it speaks of is there and fits. */
export const config: Command = async ({ args, place, show }) => {
  const { options, words } = args
  if (words.length !== 1 || words[0] !== 'check') throw new UsageFault('darkpool config takes check')
  const where = options.venue ?? join(place.state, 'venue.json')
  const json = read(where)
  const first = venueFaults(json)
  const faults = first.length > 0 ? first : addressFaults(json as VenueFile)
  if (faults.length > 0) return { text: [`${where}: ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`, ...faults.map(faultText)].join('\n'), json: { file: where, sound: false, faults }, failed: true }
  const venue = readVenue(json)
  const summary = `${where}: sound. Venue ${venue.subjects.venue}, ${venue.assets.length} assets, ${venue.markets.size} ${venue.markets.size === 1 ? 'market' : 'markets'}, ${venue.actors.length} actors`
  if (options.online !== true) return { text: summary, json: { file: where, sound: true, faults: [] } }
  const { findings } = await import('../../configuration/surroundings.ts')
  const found = await findings(venue)
  const outcome = {
    text: [summary, '', table(['', 'state', 'found'], found.map(({ subject, state, found }) => [subject, state === 'contradicts' ? 'CONTRADICTS' : state, found]))].join('\n'),
    json: { file: where, sound: true, faults: [], findings: found },
    failed: found.some(({ state }) => state === 'contradicts'),
  }
  const unasked = found.filter(({ state }) => state === 'unasked').map(({ subject }) => subject)
  if (outcome.failed || unasked.length === 0) return outcome
  show(outcome)
  throw new Unasked(unasked)
}

const faultText = ({ path, wrong, right }: Fault): string => `${path || '/'}\n    ${wrong}\n    right: ${right}`

function read(where: string): unknown {
  try {
    return venueJson(where)
  } catch (error) {
    throw new UsageFault((error as Error).message, error)
  }
}
