import { Tally } from './tally.ts'

const POINT = /^( *)(not )?ok \d+(?: - (.*?))?(?: # (.*))?$/
const PLAN = /^1\.\.(\d+)/

/** Reads what one test file says, TAP 14, line by line. Its points at the outermost level are its tests: they are what is counted. */
export class TapReader {
  readonly tally = new Tally()
  /** All but what passed, which is of no use to the person who reads why a file failed. */
  readonly #kept: string[] = []
  #diagnosticIndent = -1
  #points = 0
  #planned: number | null = null

  line(text: string): void {
    const indent = text.length - text.trimStart().length
    // A diagnostic block may hold anything, also what looks like a point.
    if (this.#diagnosticIndent >= 0) {
      this.#kept.push(text)
      if (indent === this.#diagnosticIndent && text.trim() === '...') this.#diagnosticIndent = -1
      return
    }
    if (text.trim() === '---') this.#diagnosticIndent = indent
    const point = POINT.exec(text)
    const failed = point?.[2] !== undefined
    if (!point || failed) this.#kept.push(text)
    if (indent > 0) return
    if (point) {
      this.#points += 1
      if (/^(SKIP|TODO)/i.test(point[4] ?? '')) return
      if (failed) this.tally.failed += 1
      else this.tally.passed += 1
      return
    }
    const plan = PLAN.exec(text)
    if (plan) this.#planned = Number(plan[1])
  }

  /**
   * The file's program has ended; what there is to print of it where it failed. A file that fails beside its tests (it crashed, was
   * ended, left without having told of each, or has none) counts as one failure.
   * @param ending how it ended, where that was not with exit code 0
   */
  end(ending: string | null): readonly string[] {
    const told = this.#points > 0 && this.#points === this.#planned
    if (ending === null && told && this.tally.failed === 0) return []
    if (this.tally.failed === 0) this.tally.failed = 1
    return [...this.#kept, `${ending ?? 'exit code 0'}, ${this.#points} of ${this.#planned ?? 'an unknown number of'} tests told of`]
  }
}
