import { runCommand } from '../setup/command.ts'
import { paths } from '../setup/paths.ts'
import { Tally } from './tally.ts'

const TIMEOUT_ms = 2_400_000
const SUMMARY = /^test result: \S+ (\d+) passed; (\d+) failed;/

/** Every Rust test of the workspace; what failed is printed in full. */
export async function rustTests(note: (text: string) => void): Promise<Tally> {
  const tally = new Tally()
  let crashed = 0
  const result = await runCommand('cargo', ['test', '--locked', '--workspace', '--no-fail-fast', '--color', 'never'], {
    cwd: paths.contract,
    timeout_ms: TIMEOUT_ms,
    line: (text) => {
      const summary = SUMMARY.exec(text)
      if (summary) tally.add({ passed: Number(summary[1]), failed: Number(summary[2]) })
      note(`${tally.line}  ${text.trim()}`)
    },
  })
  // A test program that aborts, hangs or does not compile leaves no summary, only cargo's exit code.
  if (result.code !== 0 && tally.failed === 0) crashed = 1
  tally.add({ passed: 0, failed: crashed })
  if (result.code !== 0) {
    const why = result.missing ? 'cargo is not installed' : result.timedOut ? `still running after ${TIMEOUT_ms / 60_000} minutes` : `exit code ${result.code}`
    process.stdout.write(`\n${result.output}\ncargo test: ${why}\n`)
  }
  return tally
}
