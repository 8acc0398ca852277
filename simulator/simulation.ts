import { calm, FaultCount, planOf } from './faults.ts'
import type { FaultPlan } from './faults.ts'
import { Absence } from './absence.ts'
import { checkEnd } from './checks/end.ts'
import { unfinished } from './checks/quiet.ts'
import { Replays } from './checks/replay.ts'
import type { Circumstances } from './circumstances.ts'
import type { Defect } from './defects/defect.ts'
import { Disturbances } from './disturbances.ts'
import { Random } from './random.ts'
import type { Comparer, Replaying } from './replaying/comparison.ts'
import { Replayer } from './replaying/replayer.ts'
import type { Result } from './result.ts'
import { BEGIN_us, Scheduler } from './scheduler.ts'
import { Trace } from './trace.ts'
import { Verdict } from './violation.ts'
import { World } from './world.ts'

/** How long a venue may take to come to rest, in simulated time. */
const REST_ms = 20 * 60_000
/** How long things go on going wrong after the last message, in simulated time. */
const TROUBLED_ms = 8_000
const LOOK_us = 250_000
/** Steps between two actors that are made from their journal and compared. */
const REPLAY_EVERY = 1_000

export interface SimulationOptions {
  readonly seed: number
  /** Events in which things go wrong; then the venue must come to rest. */
  readonly steps: number
  readonly defect?: Defect
  /** Another plan of faults than the seed's. */
  readonly plan?: FaultPlan
  /** Who replays journals; whoever simulates where nobody is given. The result is the same. */
  readonly replays?: Replaying
  /** Called now and then. */
  readonly progress?: (result: Result) => void
}

/** One run: everything in it is decided by the seed. */
export async function simulate({ seed, steps, defect, plan, replays: beside, progress }: SimulationOptions): Promise<Result> {
  const random = new Random(String(seed))
  const trace = new Trace(BEGIN_us)
  const scheduler = new Scheduler(trace)
  const verdict = new Verdict()
  const circumstances: Circumstances = { scheduler, trace, random, verdict, faults: new FaultCount(), plan: plan ?? planOf(random.fork('plan')) }
  let step = 0
  const unhandled = (error: unknown): void => verdict.broken('no error is lost', error instanceof Error ? (error.stack ?? error.message) : String(error))
  process.on('unhandledRejection', unhandled)
  try {
    const world = new World(circumstances, defect ?? null)
    const result = (): Result => ({
      seed,
      steps,
      violation: verdict.violation,
      step,
      hash: trace.hash,
      last: trace.last,
      messages: world.traders.sent,
      commands: world.applied.commands + world.applied.messages + world.applied.locals,
      trades: world.books.trades,
      timers: { told: world.promises.told, takenBack: world.promises.takenBack },
      exits: { asked: world.chain.custody.filter(({ kind, amount }) => kind === 'exit' && amount > 0n).length, paid: world.chain.custody.filter(({ kind }) => kind === 'claimed').length },
      reconciled: world.books.readings,
      faults: new Map(circumstances.faults.all),
      simulated_ms: scheduler.passed_ms,
    })
    const disturbances = new Disturbances(circumstances, world)
    const absence = new Absence(circumstances, world, disturbances)
    const replays = new Replays(world, comparerOf(world, seed, beside), result)
    const compared = random.fork('replays')
    const broken = (): boolean => verdict.violation !== null || replays.found !== null
    // Stands still where the replays are too far behind.
    const run = async (more: () => boolean): Promise<void> => {
      for (let held = true; held; await replays.room()) {
        held = false
        await scheduler.run(() => {
          held = replays.full
          return !held && more()
        })
      }
    }
    const live = async (): Promise<void> => {
      await run(() => {
        if (broken() || step >= steps) return false
        if (++step % REPLAY_EVERY === 0) {
          replays.compare(compared.pick(world.posts))
          progress?.(result())
        }
        return replays.found === null
      })
      if (broken()) return

      // Nothing new comes, but things still go wrong: settlement has its turn.
      world.traders.rest()
      world.sessions.rest()
      const go = (more: () => boolean): Promise<void> => run(() => (step++, !broken() && more()))
      const troubled = (span_ms: number): Promise<void> => {
        const until_us = scheduler.now_us + span_ms * 1_000
        return go(() => scheduler.now_us < until_us)
      }
      await troubled(TROUBLED_ms / 2)
      if (broken()) return
      await absence.pass(go)
      if (broken()) return
      await troubled(TROUBLED_ms / 2)
      if (broken()) return

      circumstances.plan = calm
      disturbances.end()
      world.leavers.rest()
      const end_us = scheduler.now_us + REST_ms * 1_000
      let lookAt_us = scheduler.now_us
      await run(() => {
        step++
        if (broken()) return false
        if (scheduler.now_us < lookAt_us) return true
        lookAt_us = scheduler.now_us + LOOK_us
        let what = unfinished(world)
        // Everything is settled: now the contract pays those who asked it to.
        if (what === null && !world.leavers.done) {
          world.leavers.claim()
          what = 'exits are due'
        }
        if (what !== null && scheduler.now_us > end_us) verdict.broken('everything comes to rest', what)
        return what !== null
      })
      if (broken()) return
      checkEnd(world)
      for (const post of world.posts) replays.compare(post)
    }
    try {
      await live()
    } catch (error) {
      // Where a replay was asked for that says more, its answer is on its way.
      await replays.settled()
      if (replays.found === null) throw error
    }
    await replays.settled()
    return replays.found ?? result()
  } finally {
    process.off('unhandledRejection', unhandled)
  }
}

function comparerOf({ venue, secret, bounds, defect }: World, seed: number, beside: Replaying | undefined): Comparer {
  return beside?.begin({ seed, file: venue.file, secret, bounds, defect: defect?.name ?? null }) ?? new Replayer({ venue, secret, bounds, defect, seed })
}
