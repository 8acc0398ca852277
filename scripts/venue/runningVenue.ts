import { existsSync, readFileSync } from 'node:fs'
import { resolve, join } from 'node:path'
import { NeverSent } from '../../src/client/errors.ts'
import { VenueReader } from '../../src/client/venueReader.ts'
import { rpcEndpoints } from '../../src/protocol/venue.ts'
import type { VenueFile } from '../../src/protocol/venue.ts'
import { Fault } from '../setup/fault.ts'
import { Chain } from './chain.ts'
import type { Side } from './demonstration.ts'
import { readDeployment } from './deployment.ts'
import { FeedReader } from './feedReader.ts'
import { keyFile } from './keyFiles.ts'
import { LOOPBACK } from './ports.ts'
import { LocalTrader } from './trader.ts'

/**
 * Traders of a local venue that another process runs, with their feeds.
 * @throws Fault where none runs in that folder
 */
export async function joinVenue(folder: string, names: readonly string[]): Promise<Side[]> {
  const state = resolve(folder)
  const deployment = readDeployment(join(state, 'deployment.json'))
  if (!deployment || !existsSync(join(state, 'venue.json'))) throw new Fault(`There is no venue in ${state}: start one with npm start.`)
  const venue = JSON.parse(readFileSync(join(state, 'venue.json'), 'utf8')) as VenueFile
  const gateway = `http://${LOOPBACK}:${venue.gateway.port}`
  let trust: string | undefined
  try {
    trust = (await new VenueReader(gateway).markets()).nats?.authorities ?? undefined
  } catch (error) {
    throw error instanceof NeverSent ? new Fault(`The venue of ${state} is not running: start it with npm start.`, { cause: error }) : error
  }
  const chain = new Chain(rpcEndpoints(venue.network)[0] as string)
  return Promise.all(
    names.map(async (name) => {
      const trader = new LocalTrader(name, keyFile(join(state, 'keys', `${name}.seed`)), chain, deployment, gateway)
      return { trader, feed: await FeedReader.open(venue.nats.servers, venue.venue, trader.key, trust) }
    }),
  )
}
