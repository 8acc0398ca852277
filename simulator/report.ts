import type { Result } from './result.ts'

const number = (value: number): string => value.toLocaleString('en-US')
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
const faultsOf = ({ faults }: Result): number => [...faults.values()].reduce((sum, count) => sum + count, 0)

/** One line while it runs. */
export const progressOf = (result: Result): string =>
  `step ${number(result.step)} of ${number(result.steps)}  ${seconds(result.simulated_ms)} simulated  ${number(result.commands)} commands  ${number(result.trades)} trades  ${number(faultsOf(result))} faults`

/** How to see it again. */
const reproductionOf = ({ seed, steps }: Result, defect: string | undefined): string =>
  `npm run simulate -- --seed ${seed} --steps ${steps}${defect === undefined ? '' : ` --defect ${defect}`}`

/** What a run came to: everything a person needs to go on from, where something was found. */
export function reportOf(result: Result, wall_ms: number, defect?: string): string {
  const { seed, step, violation, hash, messages, commands, trades, simulated_ms, faults } = result
  if (violation !== null) {
    const lines = ['', `seed ${seed} breaks a rule in step ${number(step)}`, `  ${violation.message}`, '', 'the last events:', ...result.last.map((line) => `  ${line}`), '']
    return [...lines, `trace ${hash}; the same again: ${reproductionOf(result, defect)}`].join('\n')
  }
  const rate = Math.round(commands / (wall_ms / 1_000))
  const met = [...faults].sort(([, a], [, b]) => b - a).map(([fault, count]) => `${fault} ${number(count)}`)
  return [
    `seed ${seed}: ${number(step)} steps, ${seconds(simulated_ms)} simulated, every rule holds, trace ${hash}`,
    `  ${number(messages)} signed messages, ${number(commands)} commands applied, ${number(trades)} trades; ${number(rate)} commands a second of wall time`,
    `  faults: ${met.join(', ') || 'none'}`,
  ].join('\n')
}

/** The last line of many runs. */
export const sumOf = (seeds: number, commands: number, wall_ms: number): string =>
  `${number(seeds)} seeds, every rule holds: ${number(commands)} commands applied, ${number(Math.round(commands / (wall_ms / 1_000)))} a second of wall time`
