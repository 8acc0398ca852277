import type { DrivenActor, Driver } from '../actors/runtime/driver.ts'
import { BatchSubmitter, payers } from './batchSubmitter.ts'
import type { SubmitterOptions } from './batchSubmitter.ts'
import { Cosigner } from './cosigner.ts'
import { tellDisagreement } from './disagreement.ts'
import { DriverLoop } from './driverLoop.ts'
import type { Step } from './driverLoop.ts'
import { Reconciler } from './reconciler.ts'
import type { SettlementLocal } from './settlementLocal.ts'
import { balancesOf, FEES_LOW_STROOPS } from './sources.ts'

/** How often it is looked whether RPC endpoints disagree. */
const TELL_MS = 1_000
/** How often balances of paying accounts are looked at. */
const FEES_MS = 60_000
const FEES_FIRST_MS = 3_000

/**
 * Does the settlement machine's I/O. Batches and withdrawals go their own ways, so that neither waits for the other. What it knows is
 * in the machine's state; it can be stopped or killed anywhere and its successor goes on from there.
 */
export function driveSettlement(options: SubmitterOptions, actor: DrivenActor<SettlementLocal>): Driver {
  const submitter = new BatchSubmitter(options, actor)
  const cosigner = new Cosigner({ ...options, engine: options.cosigning ?? (() => options.engine()) }, actor, () => submitter.agrees)
  const told = async (): Promise<Step> => {
    await tellDisagreement(options.machine, options.server, actor)
    return { sleep_ms: TELL_MS }
  }
  let looked = false
  const countFees = async (): Promise<Step> => {
    // Batches first.
    if (!looked) {
      looked = true
      return { sleep_ms: FEES_FIRST_MS }
    }
    const addresses = (await payers(options)).map((key) => key.publicKey())
    const balances = await balancesOf(options.server, addresses)
    options.meters?.balances([...balances.values()])
    const least = options.feesLow_stroops ?? FEES_LOW_STROOPS
    const low = addresses.filter((address) => balances.get(address)! < least)
    if (low.join() !== options.machine.feesLow.join()) await actor.submit({ kind: 'fees', low })
    return { sleep_ms: FEES_MS }
  }
  const unhurried = [new DriverLoop('settlement.fees', countFees, options.log, options.clock)]
  if (options.reconciling !== undefined) {
    const reconciler = new Reconciler({ ...options, ...options.reconciling }, actor)
    unhurried.push(new DriverLoop('settlement.reconciler', () => reconciler.step(), options.log, options.clock))
  }
  const loops = [
    new DriverLoop('settlement.endpoints', told, options.log, options.clock),
    new DriverLoop('settlement.submitter', () => submitter.step(), options.log, options.clock),
    new DriverLoop('settlement.cosigner', () => cosigner.step(), options.log, options.clock),
  ]
  actor.onDurable(() => loops.forEach((loop) => loop.wake()))
  return {
    stop: async () => {
      await Promise.all([...unhurried, ...loops].map((loop) => loop.stop()))
    },
  }
}
