// `npm run compose -- --venue FILE --image NAME@sha256:… --out FOLDER [--node a] [--port 443]`: what one shard's VM is made from. Writes docker-compose.yaml
// and app-compose.json, and prints the compose hash that the VM's quote will carry.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { openVenue } from '../src/configuration/venueFile.ts'
import type { Venue } from '../src/protocol/venue.ts'
import { appCompose } from './image/compose.ts'
import { Fault, main } from './setup/fault.ts'

const USAGE = 'usage: npm run compose -- --venue FILE --image NAME@sha256:… --out FOLDER [--node a] [--port 443]'

await main(async () => {
  const { values } = parseArgs({
    options: { venue: { type: 'string' }, image: { type: 'string' }, out: { type: 'string' }, node: { type: 'string', default: 'a' }, port: { type: 'string', default: '443' } },
  })
  const { venue, image, out, node, port } = values
  if (venue === undefined || image === undefined || out === undefined) throw new Fault(USAGE)
  const { compose, text, hash } = appCompose({ image, venue: opened(venue), node, port: Number(port) })
  const folder = resolve(out)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'docker-compose.yaml'), compose)
  writeFileSync(join(folder, 'app-compose.json'), text)
  process.stdout.write(`${join(folder, 'app-compose.json')}\ncompose hash ${hash}\n`)
  return 0
})

function opened(where: string): Venue {
  try {
    return openVenue(where)
  } catch (error) {
    throw new Fault((error as Error).message, { cause: error })
  }
}
