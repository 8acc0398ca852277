import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../setup/command.ts'
import { Fault } from '../setup/fault.ts'
import { USER } from './application.ts'

const TIMEOUT_ms = 600_000
const TAG = 'darkpool'

/** One layer: a folder whose files it has, at the same places. */
export interface Layer {
  readonly what: string
  readonly folder: string
}

export interface PackedImage {
  /** An OCI image layout. */
  readonly layout: string
  /** Of the manifest: what a compose file names the image by. */
  readonly digest: string
}

/** Packs the layers into an OCI image layout with umoci. Owners, modes, order and dates of the files say nothing of the machine they were made on: the same files give the same digest. */
export async function pack(umoci: string, layers: readonly Layer[], into: string, epoch_s: number, note: (text: string) => void): Promise<PackedImage> {
  const layout = join(into, 'oci')
  rmSync(layout, { recursive: true, force: true })
  mkdirSync(into, { recursive: true })
  const image = `${layout}:${TAG}`
  const date = new Date(epoch_s * 1_000).toISOString()
  const run = async (command: string, args: readonly string[]): Promise<void> => {
    const { code, missing, output } = await runCommand(command, args, { timeout_ms: TIMEOUT_ms, env: { LC_ALL: 'C', TZ: 'UTC' } })
    if (missing) throw new Fault(`${command} is not installed, and packing the image takes it`)
    if (code !== 0) throw new Fault(`${command} ${args[0]} failed:\n${output.trim().slice(-2_000)}`)
  }
  await run(umoci, ['init', '--layout', layout])
  await run(umoci, ['new', '--image', image])
  for (const { what, folder } of layers) {
    note(what)
    const archive = join(into, 'layer.tar')
    const same = ['--sort=name', `--mtime=@${epoch_s}`, '--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX', '--format=gnu']
    await run('tar', ['--create', '--file', archive, ...same, '--directory', folder, '.'])
    await run(umoci, ['raw', 'add-layer', '--image', image, '--history.created', date, '--history.created_by', what, '--history.author', 'darkpool', archive])
    rmSync(archive)
  }
  const history = ['--history.created', date, '--history.created_by', 'configuration', '--history.author', 'darkpool']
  const config = ['--config.user', `${USER.id}:${USER.id}`, '--config.workingdir', '/app', '--config.entrypoint', '/usr/local/bin/node', '--config.env', 'PATH=/usr/local/bin', '--config.volume', '/data']
  await run(umoci, ['config', '--image', image, '--created', date, '--author', 'darkpool', '--architecture', 'amd64', '--os', 'linux', ...config, ...history])
  await run(umoci, ['gc', '--layout', layout])
  return { layout, digest: digestIn(layout) }
}

function digestIn(layout: string): string {
  const { manifests } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as { manifests: readonly { readonly digest: string; readonly annotations?: Readonly<Record<string, string>> }[] }
  const found = manifests.find(({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === TAG)
  if (found === undefined) throw new Error(`no image of the tag ${TAG} in ${layout}`)
  return found.digest
}
