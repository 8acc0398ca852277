import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runCommand } from './command.ts'
import { Fault } from './fault.ts'
import { paths } from './paths.ts'

const VERSION = '0.4.7'

/** Packs OCI images. */
export const umoci = join(dirname(paths.natsServer), 'umoci')

/** Puts umoci at .darkpool/bin, built from source with Go: what a distribution packages may differ from machine to machine, and with it an image's bytes. */
export async function installUmoci(note: (text: string) => void): Promise<string> {
  if (existsSync(umoci)) return 'kept'
  mkdirSync(dirname(umoci), { recursive: true })
  const built = await runCommand('go', ['install', '-trimpath', `github.com/opencontainers/umoci/cmd/umoci@v${VERSION}`], { env: { GOBIN: dirname(umoci), CGO_ENABLED: '0' }, timeout_ms: 900_000, line: note })
  if (built.missing) throw new Fault('Go is not installed, and umoci, which packs the image, is built with it: install Go 1.25 or newer (https://go.dev/dl).')
  if (built.code !== 0 || !existsSync(umoci)) throw new Fault(`umoci ${VERSION} could not be built with Go:\n${built.output.trim().slice(-2_000)}`)
  return 'built'
}
