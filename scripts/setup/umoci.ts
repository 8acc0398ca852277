import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildWithGo } from './goProgram.ts'
import { paths } from './paths.ts'

const VERSION = '0.4.7'

/** Packs OCI images. */
export const umoci = join(dirname(paths.natsServer), `umoci-${VERSION}`)

/** Puts umoci at .darkpool/bin, built from source: what a distribution packages may differ from machine to machine, and with it an image's bytes. */
export async function installUmoci(note: (text: string) => void): Promise<string> {
  if (existsSync(umoci)) return 'kept'
  await buildWithGo({ name: 'umoci', version: VERSION, package: 'github.com/opencontainers/umoci/cmd/umoci', flags: ['-trimpath'], env: { CGO_ENABLED: '0' } }, umoci, note)
  return 'built'
}
