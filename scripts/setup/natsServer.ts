import { existsSync, mkdirSync } from 'node:fs'
import { copyFile, rename } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { runCommand } from './command.ts'
import { Fault } from './fault.ts'
import { paths } from './paths.ts'

export const NATS_VERSION = '2.14.5'

const instead = `or put a nats-server ${NATS_VERSION} binary at .darkpool/bin/nats-server`

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
  const built = await runCommand('go', ['install', `github.com/nats-io/nats-server/v2@v${NATS_VERSION}`], {
    env: { GOBIN: dirname(paths.natsServer) },
    timeout_ms: 900_000,
    line: note,
  })
  if (built.missing) throw new Fault(`nats-server ${NATS_VERSION} has to be built and Go is not installed: install Go 1.25 or newer (https://go.dev/dl), ${instead}.`)
  if (built.code !== 0 || !(await isRightVersion(paths.natsServer))) {
    throw new Fault(`nats-server ${NATS_VERSION} could not be built with Go (Go 1.25 or newer and a network connection are needed), ${instead}:\n${built.output.trim().slice(-2_000)}`)
  }
  return 'built'
}

async function isRightVersion(binary: string): Promise<boolean> {
  if (!existsSync(binary)) return false
  const { code, output } = await runCommand(binary, ['--version'], { timeout_ms: 10_000 })
  return code === 0 && output.includes(`v${NATS_VERSION}`)
}
