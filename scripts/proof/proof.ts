import { setUpParts } from '../setup/setup.ts'
import type { Part } from '../setup/setup.ts'
import { Fault } from '../setup/fault.ts'
import { Steps } from '../setup/steps.ts'
import { installOtherNode } from '../setup/otherNode.ts'
import { installPromtool } from '../setup/promtool.ts'
import { installPythonTools } from '../setup/pythonTools.ts'
import { buildTap } from '../setup/tap.ts'
import { rustTests } from './rustTests.ts'
import { Tally } from './tally.ts'
import { tapTests } from './tapTests.ts'

/** What only tests need, besides the parts of a venue. */
const testParts: readonly Part[] = [
  ['test runner', buildTap],
  ['second Node', installOtherNode],
  ['Python tools', installPythonTools],
  ['promtool', installPromtool],
]

/**
 * One run of tests: sets up what they need, runs what is asked, and ends with the line `N passed, N failed`. A part that fails, set-up
 * included, is a failure in that line and never keeps the others from running.
 */
export class Proof {
  readonly #steps = new Steps()
  readonly #tally = new Tally()

  /** What tests need besides is fetched, from here and there, while the venue's own parts are built one after the other. */
  async setUp(): Promise<void> {
    const builds = async (): Promise<void> => {
      for (const part of setUpParts) await this.#setUp(part)
    }
    await Promise.all([builds(), ...testParts.map((part) => this.#setUp(part))])
  }

  async #setUp([title, work]: Part): Promise<void> {
    try {
      await this.#steps.run(title, work, (how) => how)
    } catch (error) {
      this.#tally.add({ passed: 0, failed: 1 })
      this.#steps.say(error instanceof Fault ? error.message : String(error))
    }
  }

  /** Something that passes or fails as a whole; resolves to what to print where it failed. */
  async check(title: string, work: (note: (text: string) => void) => Promise<string | null>): Promise<void> {
    const fault = await this.#steps.run(title, work, (text) => (text === null ? '' : 'FAILED'))
    if (fault !== null) this.#steps.say(fault)
    this.#tally.add({ passed: fault === null ? 1 : 0, failed: fault === null ? 0 : 1 })
  }

  async rust(): Promise<void> {
    this.#tally.add(await this.#steps.run('Rust tests', rustTests, (tally) => tally.line))
  }

  async typescript(files: readonly string[] = []): Promise<void> {
    this.#steps.say('TypeScript tests')
    this.#tally.add(await tapTests(files))
  }

  /** Prints the last line; the exit code. */
  end(): number {
    this.#steps.say(`in ${this.#steps.elapsed}`)
    this.#steps.say(this.#tally.line)
    return this.#tally.failed === 0 ? 0 : 1
  }
}
