/** What one seed came to, as a thread tells it. */
export interface SeedReport {
  readonly seed: number
  /** For a person (report.ts). */
  readonly text: string
  /** Whether a rule was broken. */
  readonly broken: boolean
  /** What actors applied. */
  readonly commands: number
}

/** What a thread is started for. */
export interface SeedRuns {
  readonly steps: number
  /** By name. */
  readonly defect: string | null
}
