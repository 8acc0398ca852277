import { parseArgs } from 'node:util'
import { openVenue } from '../configuration/venueFile.ts'
import { KeyLink } from '../enclave/holder/keyLink.ts'
import type { Keys } from '../enclave/keys.ts'
import { openKeys } from '../enclave/openKeys.ts'
import { readMetricsAddress } from '../monitoring/listener.ts'
import type { MetricsAddress } from '../monitoring/listener.ts'
import type { Venue } from '../protocol/venue.ts'
import type { EvidenceSource } from './evidence.ts'

export const USAGE = 'usage: node src/gateway/main.ts --venue FILE --keys KEYS [--port N] [--metrics [ADDRESS:]PORT]'

export interface Configuration {
  readonly venue: Venue
  readonly keys: Keys
  /** null where nothing vouches for the keys. */
  readonly evidence: EvidenceSource | null
  readonly port: number
  /** Where operators read /metrics; null: nowhere. */
  readonly metrics: MetricsAddress | null
}

/** Reads the command line and what it names. @throws Error with one clear sentence */
export async function readConfiguration(args: string[]): Promise<Configuration> {
  const { values } = parseArgs({ args, options: { venue: { type: 'string' }, keys: { type: 'string' }, port: { type: 'string' }, metrics: { type: 'string' } } })
  if (values.venue === undefined || values.keys === undefined) throw new Error(USAGE)
  const venue = openVenue(values.venue)
  const port = values.port === undefined ? venue.file.gateway.port : Number(values.port)
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) throw new Error(`--port ${values.port} is no port number`)
  const metrics = values.metrics === undefined ? null : readMetricsAddress(values.metrics)
  const keys = await openKeys(values.keys, venue.file)
  return { venue, keys, evidence: keys instanceof KeyLink ? keys : null, port, metrics }
}
