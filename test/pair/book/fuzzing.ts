import type { BookEvent, BookRules } from '../../../src/actors/pair/book/terms.ts'
import { Comparison } from './comparison.ts'
import { Dice, RandomCommands } from './randomCommands.ts'
import type { BookCommand } from './randomCommands.ts'

/** A run in which the book did something else than it should: how it was found, and as few commands as show it. */
export interface Divergence {
  readonly seed: number
  readonly rules: BookRules
  readonly commands: readonly BookCommand[]
  readonly message: string
}

/** Commands of one seed: long enough to fill and empty a book many times, short enough to shrink. */
const RUN = 1_000

/**
 * Gives `count` random commands, run after run of consecutive seeds, to everything that must agree. `heard` gets every event.
 * @returns the first divergence, shrunk; null where there is none
 */
export function fuzz(seed: number, count: number, heard: (event: BookEvent) => void = () => undefined): Divergence | null {
  for (let left = count, at = seed; left > 0; left -= RUN, at++) {
    const random = new RandomCommands(at)
    const commands = Array.from({ length: Math.min(RUN, left) }, () => random.next())
    const { rules } = random.landscape
    const fault = firstFault(rules, commands, at, heard)
    if (fault !== null) return { seed: at, rules, ...shrunk(rules, commands.slice(0, fault.at + 1), at, fault.message) }
  }
  return null
}

/** Where and how a list of commands first fails, or null. When the book is looked at and restored depends on the seed. */
export function firstFault(rules: BookRules, commands: readonly BookCommand[], seed: number, heard: (event: BookEvent) => void = () => undefined): { readonly at: number; readonly message: string } | null {
  const dice = new Dice(seed)
  const comparison = new Comparison(rules)
  for (const [at, command] of commands.entries()) {
    try {
      for (const event of comparison.step(command)) heard(event)
      if (dice.below(4) === 0) comparison.look()
      if (dice.below(100) === 0) comparison.restore()
    } catch (error) {
      return { at, message: error instanceof Error ? error.message : String(error) }
    }
  }
  return null
}

/** Leaves out larger, then smaller parts as long as what is left still fails. */
function shrunk(rules: BookRules, failing: readonly BookCommand[], seed: number, first: string): { commands: readonly BookCommand[]; message: string } {
  let commands = failing
  let message = first
  // The single ones again as long as one of them goes: leaving one out may make another needless.
  for (let part = commands.length >> 1, before = 0; part >= 1; part = part > 1 ? part >> 1 : commands.length < before ? 1 : 0) {
    before = commands.length
    for (let from = 0; from < commands.length; ) {
      const without = [...commands.slice(0, from), ...commands.slice(from + part)]
      const fault = alwaysLooking(rules, without, seed)
      if (fault === null) {
        from += part
        continue
      }
      commands = without.slice(0, fault.at + 1)
      message = fault.message
    }
  }
  return { commands, message }
}

/** As `firstFault`, looking after every command, so that leaving one out does not change when it is looked. */
function alwaysLooking(rules: BookRules, commands: readonly BookCommand[], seed: number): { readonly at: number; readonly message: string } | null {
  const comparison = new Comparison(rules)
  for (const [at, command] of commands.entries()) {
    try {
      comparison.step(command)
      comparison.look()
      comparison.restore()
    } catch (error) {
      return { at, message: error instanceof Error ? error.message : String(error) }
    }
  }
  return firstFault(rules, commands, seed)
}

/** A divergence as it is printed: what to run to see it again, and what it takes. */
export function describe({ seed, rules, commands, message }: Divergence): string {
  return [
    `the book went wrong with seed ${seed}: npm run fuzz:book -- --seed ${seed} --count ${RUN}`,
    message,
    `rules ${JSON.stringify(rules)}`,
    `${commands.length} commands show it:`,
    ...commands.map((command) => JSON.stringify(command)),
  ].join('\n')
}
