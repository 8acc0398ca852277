import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from './command.ts'
import { Fault } from './fault.ts'
import { paths } from './paths.ts'

const folder = join(paths.root, '.darkpool', 'python')
const requirements = join(import.meta.dirname, 'python', 'requirements.txt')
const INSTALL_TIMEOUT_ms = 900_000

/** A program that the Python tools installed: `python` itself, `schemathesis`. */
export const pythonTool = (name: string): string => join(folder, 'bin', name)

/**
 * Puts what tests run in Python into an environment of its own at .darkpool/python: the exact files whose hashes requirements.txt has.
 * `nkeys` is published as source only, everything else comes built.
 */
export async function installPythonTools(note: (text: string) => void): Promise<string> {
  const stamp = join(folder, '.installed')
  const wanted = readFileSync(requirements, 'utf8')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && (await isRecent(pythonTool('python')))) return 'kept'
  const python = await recentPython()
  rmSync(folder, { recursive: true, force: true })
  note('environment')
  const made = await runCommand(python, ['-m', 'venv', folder], { timeout_ms: INSTALL_TIMEOUT_ms, line: note })
  if (made.code !== 0) throw new Fault(`${python} could not make an environment (on Debian and Ubuntu that takes the package python3-venv):\n${made.output.trim().slice(-2_000)}`)
  const installed = await runCommand(
    pythonTool('python'),
    ['-m', 'pip', 'install', '--disable-pip-version-check', '--require-hashes', '--only-binary=:all:', '--no-binary=nkeys', '--requirement', requirements],
    { timeout_ms: INSTALL_TIMEOUT_ms, line: note },
  )
  if (installed.code !== 0) throw new Fault(`The Python packages that tests use could not be installed (a network connection to PyPI is needed once):\n${installed.output.trim().slice(-2_000)}`)
  // Last, so that an installation that was cut short is done again.
  writeFileSync(stamp, wanted)
  return 'installed'
}

/** The system's own first; a machine whose `python3` is old often has a newer one by its full name. */
async function recentPython(): Promise<string> {
  for (const name of ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11']) if (await isRecent(name)) return name
  throw new Fault('Some tests run in Python, and no Python 3.11 or newer was found: install it (https://www.python.org/downloads), then run this again.')
}

async function isRecent(python: string): Promise<boolean> {
  return (await runCommand(python, ['-c', 'import sys; sys.exit(sys.version_info < (3, 11))'], { timeout_ms: 10_000 })).code === 0
}
