import { VenueReader } from '../../client/venueReader.ts'
import { words } from '../arguments.ts'
import type { Command } from '../command.ts'
import { table } from '../table.ts'

/** `darkpool info`: what runs, as the venue says itself. */
export const info: Command = async ({ args, place }) => {
  words(args, [])
  const said = await new VenueReader(place.url).info()
  const { version, node, venue, network, vault, enclave } = said
  const rows = [['version', version], ['node', node], ['venue', venue], ['network', network], ['vault', vault], ['enclave', enclave?.kind ?? 'none']]
  if (enclave !== null) {
    const { appId, instanceId, composeHash, osImageHash, measurements } = enclave
    rows.push(['app id', appId], ['instance', instanceId], ['compose hash', composeHash], ['OS image', osImageHash ?? '—'], ...Object.entries(measurements))
  }
  return { text: table(['', ''], rows), json: said }
}
