import { cpus, totalmem } from 'node:os'

export interface Figure {
  readonly bench: string
  readonly case: string
  readonly metric: string
  readonly value: number
  readonly unit: string
  /** The other program that was measured, with its version; absent for ours. */
  readonly peer?: string
}

/** The line before the figures: what they were measured on, with the versions of what else takes part. */
export function machine(versions: Readonly<Record<string, string>> = {}): void {
  const [cpu] = cpus()
  process.stdout.write(
    `${JSON.stringify({ machine: { cpu: cpu?.model.trim(), cores: cpus().length, memory_GiB: Math.round(totalmem() / 2 ** 30) }, node: process.version, ...versions, date: new Date().toISOString().slice(0, 10) })}\n`,
  )
}

/** One JSON line, three significant digits or whole numbers. */
export function report(figure: Figure): void {
  const value = Math.abs(figure.value) >= 100 ? Math.round(figure.value) : Number(figure.value.toPrecision(3))
  process.stdout.write(`${JSON.stringify({ ...figure, value })}\n`)
}
