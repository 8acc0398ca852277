import { availableParallelism } from 'node:os'
import { runCommand } from '../setup/command.ts'
import { paths } from '../setup/paths.ts'
import { seconds } from '../setup/steps.ts'
import { Tally } from './tally.ts'
import { TapReader } from './tapReader.ts'
import { testFiles } from './testFiles.ts'

/** One more than there are cores: a file waits for ledgers, elections and deadlines a quarter of its time. No more than memory has room for: a venue or two each. */
const AT_ONCE = Math.min(availableParallelism() + 1, 4)
const FILE_TIMEOUT_s = 600
/** A file that is out of time first says itself what it was at. */
const GRACE_s = 30

/**
 * TypeScript tests: of everything, or of the files and folders named. Each file is a program of its own, started as anybody may start it:
 * tap's own runner has it and every process of a venue under test note each file that it loads, which is a third of all the work.
 * One line per file as it ends; a file that failed is printed in full.
 */
export async function tapTests(named: readonly string[]): Promise<Tally> {
  const tally = new Tally()
  const waiting = [...testFiles(named)]
  if (waiting.length === 0) {
    process.stdout.write(`✗ no test files in ${named.join(', ')}\n`)
    tally.failed += 1
  }
  const inTurn = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) tally.add(await testFile(file))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, inTurn))
  return tally
}

async function testFile(file: string): Promise<Tally> {
  const reader = new TapReader()
  const started = performance.now()
  const { code, timedOut } = await runCommand(process.execPath, [file], {
    cwd: paths.root,
    env: { TAP_TIMEOUT: String(FILE_TIMEOUT_s) },
    timeout_ms: (FILE_TIMEOUT_s + GRACE_s) * 1_000,
    line: (text) => reader.line(text),
  })
  const why = reader.end(timedOut ? `ended after ${FILE_TIMEOUT_s + GRACE_s} s` : code === 0 ? null : code === null ? 'killed' : `exit code ${code}`)
  const { tally } = reader
  process.stdout.write([...why, `${why.length === 0 ? '✓' : '✗'} ${file}  ${tally.line}  ${seconds(performance.now() - started)}`].map((line) => `${line}\n`).join(''))
  return tally
}
