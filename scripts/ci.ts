// `.ci/run`: formats, lints, types and the contract build, then every test. All of it runs, whatever fails on the way.
import { dirname, join } from 'node:path'
import { Proof } from './proof/proof.ts'
import { runCommand } from './setup/command.ts'
import { main } from './setup/fault.ts'
import { paths } from './setup/paths.ts'

const CHECK_TIMEOUT_ms = 1_200_000

const tool = (name: string): string => join(paths.bin, name)

await main(async () => {
  const proof = new Proof()
  const command = (title: string, cwd: string, program: string, args: readonly string[]): Promise<void> =>
    proof.check(title, async (note) => {
      const result = await runCommand(program, args, { cwd, timeout_ms: CHECK_TIMEOUT_ms, line: note })
      if (result.code === 0) return null
      const why = result.missing ? `${program} is not installed` : result.timedOut ? 'out of time' : `exit code ${result.code}`
      return `${result.output}\n${title}: ${why}`
    })

  await proof.setUp()
  const typescript = async (): Promise<void> => {
    await command('types', paths.root, tool('tsc'), ['--noEmit', '-p', '.'])
    await command('lint', paths.root, tool('eslint'), ['.', '--max-warnings', '0'])
  }
  const rust = async (): Promise<void> => {
    await command('cargo fmt', paths.contract, 'cargo', ['fmt', '--all', '--check'])
    await command('clippy', paths.contract, 'cargo', ['clippy', '--locked', '--workspace', '--all-targets', '--', '-D', 'warnings'])
    await command('cargo fmt, signatures', paths.signatures, 'cargo', ['fmt', '--check'])
    await command('clippy, signatures', paths.signatures, 'cargo', ['clippy', '--locked', '--release', '--target-dir', dirname(dirname(paths.signaturesModule)), '--', '-D', 'warnings'])
    await proof.rust()
  }
  // One core each: neither compiler of TypeScript uses more than one, and cargo often waits for a single crate.
  await Promise.all([typescript(), rust()])
  await proof.typescript()
  return proof.end()
})
