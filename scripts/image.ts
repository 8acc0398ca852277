// `npm run image`: the OCI image that every container of a shard runs, as an image layout, with the digest that a compose file names it by.
//   --out FOLDER   where (default .darkpool/image); the layout is FOLDER/oci
//   --lock         instead writes what the Debian mirrors and npm have now into deploy/image/lock.json
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { buildImage, currentLock } from './image/build.ts'
import { writeLock } from './image/lock.ts'
import { main } from './setup/fault.ts'
import { paths } from './setup/paths.ts'
import { Steps } from './setup/steps.ts'

await main(async () => {
  const { values } = parseArgs({ options: { out: { type: 'string', default: join(paths.root, '.darkpool', 'image') }, lock: { type: 'boolean', default: false } } })
  const steps = new Steps()
  if (values.lock) {
    writeLock(await currentLock(steps))
    return 0
  }
  const { layout, digest } = await buildImage(resolve(values.out), steps)
  steps.say(`${layout}\n${digest}`)
  return 0
})
