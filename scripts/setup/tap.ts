import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from './command.ts'
import { Fault } from './fault.ts'
import { paths } from './paths.ts'

/**
 * Tap generates its test class from the plugins that .taprc names, inside node_modules: to be done again after every installation of
 * packages and every change of the plugins, and noticed only as an odd failure where it was not.
 */
export async function buildTap(note: (text: string) => void): Promise<string> {
  const stamp = join(paths.root, 'node_modules', '.tap-built')
  const wanted = readFileSync(join(paths.root, '.taprc'), 'utf8')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return 'kept'
  const built = await runCommand(join(paths.bin, 'tap'), ['build'], { cwd: paths.root, timeout_ms: 300_000, line: note })
  if (built.code !== 0) throw new Fault(`tap build failed:\n${built.output.trim().slice(-2_000)}`)
  writeFileSync(stamp, wanted)
  return 'built'
}
