import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../setup/fault.ts'
import { paths } from '../setup/paths.ts'
import type { Progress } from '../setup/steps.ts'
import { installUmoci, umoci } from '../setup/umoci.ts'
import { stageApplication, stageNatsServer, stagePackages, stageSignatures } from './application.ts'
import { DebianPackages } from './debian.ts'
import { pack } from './layout.ts'
import type { PackedImage } from './layout.ts'
import { readLock } from './lock.ts'
import type { ImageLock } from './lock.ts'
import { billOfMaterials } from './sbom.ts'

/** Where downloads are kept: what is there is checked against the lock each time. */
export const downloads = join(paths.root, '.darkpool', 'image', 'downloads')

/** The whole of the image as folders, one a layer. */
export interface StagedImage {
  readonly base: string
  readonly packages: string
  readonly application: string
}

/** Builds the image of a shard in `into` and gives its digest: the same source, lock and SOURCE_DATE_EPOCH give the same one, wherever and whenever. */
export async function buildImage(into: string, progress: Progress, lock = readLock()): Promise<PackedImage & StagedImage> {
  const epoch_s = sourceDate()
  const staged: StagedImage = { base: join(into, 'base'), packages: join(into, 'packages'), application: join(into, 'application') }
  for (const folder of Object.values(staged) as string[]) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
  }
  await progress.run('umoci', installUmoci, (how) => how)
  await progress.run('Debian packages', (note) => new DebianPackages(downloads, note).unpack(lock.debian, staged.base), () => `${lock.debian.length}`)
  await progress.run('nats-server', (note) => stageNatsServer(staged.base, note))
  await progress.run('signature module', (note) => stageSignatures(staged.base, note))
  await progress.run('npm packages', (note) => stagePackages(staged.packages, note).then((node) => checkNode(node, lock)), () => `Node.js ${lock.node.version}`)
  await progress.run('application', async () => {
    stageApplication(staged.application)
    mkdirSync(join(staged.application, 'usr', 'share', 'darkpool'), { recursive: true })
    writeFileSync(join(staged.application, 'usr', 'share', 'darkpool', 'sbom.cdx.json'), billOfMaterials({ base: staged.base, packages: staged.packages }, lock))
  })
  const layers = [
    { what: 'Debian packages, nats-server and signature module', folder: staged.base },
    { what: 'Node.js and npm packages', folder: staged.packages },
    { what: 'darkpool', folder: staged.application },
  ]
  const packed = await progress.run('image', (note) => pack(umoci, layers, into, epoch_s, note), ({ digest }) => digest)
  return { ...packed, ...staged }
}

/** What the mirrors and npm have now of what the lock names. */
export async function currentLock(progress: Progress): Promise<ImageLock> {
  const names = readLock().debian.map(({ name }) => name)
  const debian = await progress.run('Debian packages', (note) => new DebianPackages(downloads, note).current(names))
  const scratch = join(paths.root, '.darkpool', 'image', 'lock')
  rmSync(scratch, { recursive: true, force: true })
  const node = await progress.run('npm packages', (note) => stagePackages(scratch, note), ({ version }) => `Node.js ${version}`)
  rmSync(scratch, { recursive: true, force: true })
  return { debian, node }
}

function checkNode(node: ImageLock['node'], lock: ImageLock): void {
  if (node.version !== lock.node.version || node.sha256 !== lock.node.sha256) throw new Fault(`Node.js ${node.version} with the SHA-256 ${node.sha256} was installed, and deploy/image/lock.json names ${lock.node.version} with ${lock.node.sha256}.`)
}

/** Seconds since 1970 that every file in the image bears: SOURCE_DATE_EPOCH, or the time of the last commit. */
function sourceDate(): number {
  const given = process.env.SOURCE_DATE_EPOCH ?? execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: paths.root, encoding: 'utf8' }).trim()
  if (!/^(0|[1-9][0-9]{0,10})$/.test(given)) throw new Fault(`SOURCE_DATE_EPOCH ${given} is no number of seconds`)
  return Number(given)
}
