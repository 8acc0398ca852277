import { existsSync, mkdirSync } from 'node:fs'
import { copyFile, rename } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { runCommand } from './command.ts'
import { Fault } from './fault.ts'
import { buildWithGo } from './goProgram.ts'
import type { GoProgram } from './goProgram.ts'
import { paths } from './paths.ts'

export const NATS_VERSION = '2.14.5'

export const natsServerProgram: GoProgram = { name: 'nats-server', version: NATS_VERSION, package: 'github.com/nats-io/nats-server/v2', instead: `, or put a nats-server ${NATS_VERSION} binary at .darkpool/bin/nats-server` }

/** Puts nats-server at .darkpool/bin: the one on PATH where it has the right version, otherwise built from source with Go. */
export async function installNatsServer(note: (text: string) => void): Promise<string> {
  if (await isRightVersion(paths.natsServer)) return 'kept'
  mkdirSync(dirname(paths.natsServer), { recursive: true })
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const candidate = join(folder, 'nats-server')
    if (folder === '' || !existsSync(candidate) || !(await isRightVersion(candidate))) continue
    await copyFile(candidate, `${paths.natsServer}.new`)
    await rename(`${paths.natsServer}.new`, paths.natsServer)
    return `from ${candidate}`
  }
  await buildWithGo(natsServerProgram, paths.natsServer, note)
  if (!(await isRightVersion(paths.natsServer))) throw new Fault(`The nats-server that was built does not run, or is not version ${NATS_VERSION}.`)
  return 'built'
}

async function isRightVersion(binary: string): Promise<boolean> {
  if (!existsSync(binary)) return false
  const { code, output } = await runCommand(binary, ['--version'], { timeout_ms: 10_000 })
  return code === 0 && output.includes(`v${NATS_VERSION}`)
}
