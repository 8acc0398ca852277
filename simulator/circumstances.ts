import type { FaultCount, FaultPlan } from './faults.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { Trace } from './trace.ts'
import type { Verdict } from './violation.ts'

/** What every part of a simulated world needs to know. */
export interface Circumstances {
  readonly scheduler: Scheduler
  readonly trace: Trace
  readonly random: Random
  readonly faults: FaultCount
  readonly verdict: Verdict
  /** What goes wrong now; changes to `calm` at the end. */
  plan: FaultPlan
}
