// `npm run compose -- --venue FILE --image NAME@sha256:… --out FOLDER [--node a | --nodes a=HOST:PORT,…] [--port 443]`: what a VM is made from. Writes docker-compose.yaml and
// app-compose.json, and prints the compose hash that the VM's quote will carry. Of a venue of three, --nodes writes what each VM is told as well.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { openVenue } from '../src/configuration/venueFile.ts'
import { appCompose, nodeEnvironments } from './image/compose.ts'
import { Fault, main } from './setup/fault.ts'

const USAGE = 'usage: npm run compose -- --venue FILE --image NAME@sha256:… --out FOLDER [--node a | --nodes a=HOST:PORT,b=HOST:PORT,c=HOST:PORT] [--port 443]'

await main(async () => {
  const { values } = parseArgs({
    options: { venue: { type: 'string' }, image: { type: 'string' }, out: { type: 'string' }, node: { type: 'string' }, nodes: { type: 'string' }, port: { type: 'string', default: '443' } },
  })
  const { venue: file, image, out, node, nodes, port } = values
  if (file === undefined || image === undefined || out === undefined) throw new Fault(USAGE)
  const venue = asFault(() => openVenue(file))
  const { compose, text, hash } = appCompose({ image, venue, ...(node !== undefined && { node }), port: Number(port) })
  const environments = nodes === undefined ? new Map<string, string>() : asFault(() => nodeEnvironments(nodes))
  if (environments.size > 0 && venue.file.nats.replicas !== 3) throw new Fault('--nodes: the venue file is of one VM (it has no `nats.replicas: 3`)')
  const folder = resolve(out)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'docker-compose.yaml'), compose)
  writeFileSync(join(folder, 'app-compose.json'), text)
  for (const [name, environment] of environments) writeFileSync(join(folder, `${name}.env`), environment)
  process.stdout.write(`${join(folder, 'app-compose.json')}\ncompose hash ${hash}\n`)
  return 0
})

function asFault<Value>(read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    throw new Fault((error as Error).message, { cause: error })
  }
}
