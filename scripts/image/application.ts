import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { runCommand } from '../setup/command.ts'
import { Fault } from '../setup/fault.ts'
import { buildWithGo } from '../setup/goProgram.ts'
import { natsServerProgram } from '../setup/natsServer.ts'
import { paths } from '../setup/paths.ts'
import type { LockedFile } from './lock.ts'

const TIMEOUT_ms = 900_000
/** Who everything in the image runs as. */
export const USER = { name: 'darkpool', id: 65_532 } as const
/** Never in a production image: what stands in for hardware, and would sign evidence that only a development build accepts. */
const DEVELOPMENT = join('src', 'enclave', 'simulator')

async function must(command: string, args: readonly string[], options: { cwd?: string; env?: Record<string, string>; note: (text: string) => void }): Promise<string> {
  const { code, missing, output } = await runCommand(command, args, { ...options, timeout_ms: TIMEOUT_ms, line: options.note })
  if (missing) throw new Fault(`${command} is not installed, and building the image takes it`)
  if (code !== 0) throw new Fault(`${command} ${args.join(' ')} failed:\n${output.trim().slice(-3_000)}`)
  return output
}

/** The production npm packages at /app/node_modules, and Node.js itself, which is one of them. Gives Node's version and hash for the lock. */
export async function stagePackages(root: string, note: (text: string) => void): Promise<LockedFile> {
  const app = join(root, 'app')
  mkdirSync(app, { recursive: true })
  for (const name of ['package.json', 'package-lock.json']) cpSync(join(paths.root, name), join(app, name))
  await must('npm', ['ci', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: app, note })
  const modules = join(app, 'node_modules')
  // Built for this platform, and for a dozen others that no confidential VM is.
  for (const module of readdirSync(modules)) {
    const prebuilds = join(modules, module, 'prebuilds')
    for (const platform of foldersIn(prebuilds)) if (platform !== 'linux-x64') rmSync(join(prebuilds, platform), { recursive: true })
  }
  const binary = join(modules, 'node', 'bin', 'node')
  mkdirSync(join(root, 'usr', 'local', 'bin'), { recursive: true })
  symlinkSync('/app/node_modules/node/bin/node', join(root, 'usr', 'local', 'bin', 'node'))
  const { version } = JSON.parse(readFileSync(join(modules, 'node', 'package.json'), 'utf8')) as { version: string }
  return { name: 'node', version, sha256: createHash('sha256').update(readFileSync(binary)).digest('hex') }
}

/** nats-server at /usr/local/bin, built without a path, a date or a linker's number of this machine in it. */
export async function stageNatsServer(root: string, note: (text: string) => void): Promise<void> {
  const bin = join(root, 'usr', 'local', 'bin')
  mkdirSync(bin, { recursive: true })
  await buildWithGo({ ...natsServerProgram, flags: ['-trimpath', '-buildvcs=false', '-ldflags=-s -w -buildid='], env: { CGO_ENABLED: '0', GOFLAGS: '', GOTOOLCHAIN: 'local' } }, join(bin, 'nats-server'), note)
}

/** The module that checks signatures, where its program looks for it; built without a path of this machine in it. */
export async function stageSignatures(root: string, note: (text: string) => void): Promise<void> {
  const target = join(paths.root, '.darkpool', 'image', 'signatures')
  const cargo = process.env.CARGO_HOME ?? join(homedir(), '.cargo')
  const flags = [`--remap-path-prefix=${cargo}=/cargo`, `--remap-path-prefix=${paths.root}=/darkpool`].join(' ')
  await must('cargo', ['build', '--locked', '--release', '--target-dir', target], { cwd: paths.signatures, env: { RUSTFLAGS: flags, CARGO_INCREMENTAL: '0' }, note })
  const into = join(root, 'app', relative(paths.root, paths.signaturesModule))
  mkdirSync(dirname(into), { recursive: true })
  cpSync(join(target, 'release', basename(paths.signaturesModule)), into)
}

/** The venue's own files at /app, and what a system without an installer lacks: its users. */
export function stageApplication(root: string): void {
  const app = join(root, 'app')
  const left = [join(paths.root, DEVELOPMENT), paths.signatures]
  mkdirSync(join(app, 'deploy'), { recursive: true })
  cpSync(join(paths.root, 'src'), join(app, 'src'), { recursive: true, filter: (from) => !left.some((folder) => from.startsWith(folder)) })
  cpSync(join(paths.root, 'deploy', 'nats'), join(app, 'deploy', 'nats'), { recursive: true })
  cpSync(join(paths.root, 'package.json'), join(app, 'package.json'))
  mkdirSync(join(root, 'etc'), { recursive: true })
  writeFileSync(join(root, 'etc', 'passwd'), `root:x:0:0:root:/:/nonexistent\n${USER.name}:x:${USER.id}:${USER.id}::/data:/nonexistent\n`)
  writeFileSync(join(root, 'etc', 'group'), `root:x:0:\n${USER.name}:x:${USER.id}:\n`)
  for (const folder of ['data', 'tmp', 'run']) mkdirSync(join(root, folder), { recursive: true })
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}
