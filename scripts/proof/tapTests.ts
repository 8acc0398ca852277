import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../setup/command.ts'
import { paths } from '../setup/paths.ts'
import { seconds } from '../setup/steps.ts'
import { Tally } from './tally.ts'

const TIMEOUT_ms = 2_400_000

/** TypeScript tests: of everything, or of the files and folders named. One line per file as it ends; a file that failed is printed in full. */
export async function tapTests(files: readonly string[]): Promise<Tally> {
  const reader = new TapReader((line) => process.stdout.write(`${line}\n`))
  const result = await runCommand(join(paths.bin, 'tap'), ['--reporter=tap', ...files.flatMap(inFolder)], {
    cwd: paths.root,
    timeout_ms: TIMEOUT_ms,
    line: (text) => reader.line(text),
  })
  const { tally } = reader
  if (result.timedOut) process.stdout.write(`✗ tap was still running after ${TIMEOUT_ms / 60_000} minutes and was ended\n`)
  if (result.code !== 0 && tally.failed === 0) {
    process.stdout.write(`${result.output.slice(-20_000)}\n✗ tap ended with code ${result.code}\n`)
    tally.failed += 1
  }
  return tally
}

function inFolder(path: string): string[] {
  if (!statSync(join(paths.root, path), { throwIfNoEntry: false })?.isDirectory()) return [path]
  return globSync(`${path}/**/*.test.ts`, { cwd: paths.root }).sort()
}

const POINT = /^( *)(not )?ok \d+(?: - (.*?))?(?: # (.*))?$/

/**
 * Reads TAP 14 line by line. A file is a point at the outermost level, and what stands one level within it are its tests: they are what
 * is counted. A file that fails beside its tests (it crashed, or ran out of time) counts as one failure.
 */
export class TapReader {
  readonly tally = new Tally()
  readonly #print: (line: string) => void
  #file = new Tally()
  #lines: string[] = []
  #failedFile = false
  #diagnosticIndent = -1

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  line(text: string): void {
    const indent = text.length - text.trimStart().length
    // A diagnostic block may hold anything, also what looks like a point.
    if (this.#diagnosticIndent >= 0) {
      this.#keep(text)
      if (indent === this.#diagnosticIndent && text.trim() === '...') this.#diagnosticIndent = -1
      return
    }
    if (text.trim() === '---') {
      this.#diagnosticIndent = indent
      this.#keep(text)
      return
    }
    const point = POINT.exec(text)
    if (indent === 0 && point) {
      this.#endFile(point[2] === undefined, point[3] ?? '', point[4] ?? '')
      return
    }
    // What passed is of no use to the person who reads why a file failed.
    if (!point || point[2] !== undefined) this.#keep(text)
    if (point?.[1]?.length !== 4 || /^(SKIP|TODO)/i.test(point[4] ?? '')) return
    if (point[2] === undefined) this.#file.passed += 1
    else this.#file.failed += 1
  }

  #keep(text: string): void {
    // What follows a failed file's point is its own diagnostics.
    if (this.#failedFile && text.startsWith('  ') && !text.startsWith('    #')) this.#print(text)
    else this.#lines.push(text)
    if (text === '  ...') this.#failedFile = false
  }

  #endFile(passed: boolean, name: string, directive: string): void {
    const skipped = /^SKIP/i.test(directive)
    if (!passed && this.#file.failed === 0) this.#file.failed = 1
    const time = /time=([\d.]+)ms/.exec(directive)?.[1]
    if (!passed) for (const line of this.#lines) this.#print(line)
    this.#print(`${passed ? '✓' : '✗'} ${name}  ${skipped ? 'skipped' : this.#file.line}${time === undefined ? '' : `  ${seconds(Number(time))}`}`)
    this.tally.add(this.#file)
    this.#file = new Tally()
    this.#lines = []
    this.#failedFile = !passed
  }
}
