import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runCommand } from './command.ts'
import { Fault } from './fault.ts'
import { paths } from './paths.ts'

const VERSION = '2.16.2'
const folder = join(dirname(paths.natsServer), `compose-go-${VERSION}`)

/** Reads a compose file as Docker Compose does (it is that program's own reader), and prints what it understood. */
export const composeGo = join(folder, 'compose-go')

/** Puts it at .darkpool/bin. */
export async function installComposeGo(note: (text: string) => void): Promise<string> {
  if (existsSync(composeGo)) return 'kept'
  mkdirSync(folder, { recursive: true })
  const built = await runCommand('go', ['install', '-trimpath', `github.com/compose-spec/compose-go/v2/cmd@v${VERSION}`], { env: { GOBIN: folder, CGO_ENABLED: '0' }, timeout_ms: 900_000, line: note })
  if (built.missing) throw new Fault('Go is not installed, and what checks compose files is built with it: install Go 1.25 or newer (https://go.dev/dl).')
  if (built.code !== 0 || !existsSync(join(folder, 'cmd'))) throw new Fault(`compose-go ${VERSION} could not be built with Go:\n${built.output.trim().slice(-2_000)}`)
  renameSync(join(folder, 'cmd'), composeGo)
  return 'built'
}
