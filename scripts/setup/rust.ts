import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runCommand } from './command.ts'
import { Fault } from './fault.ts'
import { paths } from './paths.ts'

const BUILD_TIMEOUT_ms = 2_400_000

/** The vault contract's wasm. Cargo knows what is up to date; a second build takes well under a second. */
export async function buildContract(note: (text: string) => void): Promise<string> {
  const built = await runCommand('bash', [join(paths.root, 'scripts', 'build-contract.sh')], { cwd: paths.root, timeout_ms: BUILD_TIMEOUT_ms, line: note })
  if (built.code !== 0 || !existsSync(paths.wasm)) throw new Fault(`The contract could not be built:\n${built.output.trim().slice(-4_000)}`)
  return ''
}

/** The local Stellar network. */
export async function buildLocalnet(note: (text: string) => void): Promise<string> {
  const built = await runCommand('cargo', ['build', '--locked', '--profile', 'localnet', '-p', 'localnet'], {
    cwd: paths.contract,
    timeout_ms: BUILD_TIMEOUT_ms,
    line: note,
  })
  if (built.missing) throw notInstalled()
  if (built.code !== 0 || !existsSync(paths.localnet)) throw new Fault(`The local Stellar network could not be built (Rust 1.91 or newer is needed):\n${built.output.trim().slice(-4_000)}`)
  return ''
}

/** The module with which the gateway checks signatures. */
export async function buildSignatures(note: (text: string) => void): Promise<string> {
  const built = await runCommand('cargo', ['build', '--locked', '--release', '--target-dir', dirname(dirname(paths.signaturesModule))], { cwd: paths.signatures, timeout_ms: BUILD_TIMEOUT_ms, line: note })
  if (built.missing) throw notInstalled()
  if (built.code !== 0 || !existsSync(paths.signaturesModule)) throw new Fault(`The module that checks signatures could not be built (Rust 1.91 or newer is needed):\n${built.output.trim().slice(-4_000)}`)
  return ''
}

const notInstalled = (): Fault => new Fault('Rust is not installed: install it with rustup (https://rustup.rs), version 1.91 or newer, then run this again.')
