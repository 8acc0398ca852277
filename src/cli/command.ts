import type { Arguments } from './arguments.ts'
import type { Place } from './place.ts'

/** What a command found out: for people, and for programs (`--json`). */
export interface Outcome {
  readonly text: string
  readonly json: unknown
  /** The command found that something is not as it should be: exit code 1. */
  readonly failed?: boolean
}

export interface Surroundings {
  readonly args: Arguments
  readonly place: Place
  /** Shows something before the command ends. */
  readonly show: (outcome: Outcome) => void
  /** Says on standard error what is going on: for people who wait. */
  readonly say: (text: string) => void
}

/** One command: null where it has shown everything already. */
export type Command = (surroundings: Surroundings) => Promise<Outcome | null>
