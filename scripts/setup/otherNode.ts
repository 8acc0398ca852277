import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from './command.ts'
import { Fault } from './fault.ts'
import { paths } from './paths.ts'

/** Another line of V8 than the one everything runs on: what must be the same on any machine is computed by both. */
const VERSION = '22.23.3'
const folder = join(paths.root, '.darkpool', 'node-22')
const name = `node-${process.platform}-${process.arch}`

export const otherNode = join(folder, 'node_modules', name, 'bin', 'node')

/** Puts a second build of Node at .darkpool/node-22, from npm's own packages of it. */
export async function installOtherNode(note: (text: string) => void): Promise<string> {
  if (existsSync(otherNode)) return 'kept'
  const installed = await runCommand('npm', ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${VERSION}`], { timeout_ms: 300_000, line: note })
  if (installed.code !== 0 || !existsSync(otherNode)) throw new Fault(`Node ${VERSION} could not be installed from npm (${name}), which a test compares with:\n${installed.output.trim().slice(-2_000)}`)
  return VERSION
}
