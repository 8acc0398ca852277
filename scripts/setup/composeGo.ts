import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildWithGo } from './goProgram.ts'
import { paths } from './paths.ts'

const VERSION = '2.16.2'

/** Reads a compose file as Docker Compose does (it is that program's own reader), and prints what it understood. */
export const composeGo = join(dirname(paths.natsServer), `compose-go-${VERSION}`)

/** Puts it at .darkpool/bin. */
export async function installComposeGo(note: (text: string) => void): Promise<string> {
  if (existsSync(composeGo)) return 'kept'
  await buildWithGo({ name: 'compose-go', version: VERSION, package: 'github.com/compose-spec/compose-go/v2/cmd', flags: ['-trimpath'], env: { CGO_ENABLED: '0' } }, composeGo, note)
  return 'built'
}
