import type { DrivenActor } from '../actors/runtime/driver.ts'
import type { Disagreement } from './stellarRpc.ts'

/** Tells a machine which RPC endpoints contradict the others, where it last heard of others. */
export async function tellDisagreement(
  machine: Disagreement,
  { disagreeing = [] }: Partial<Disagreement>,
  actor: DrivenActor<{ readonly kind: 'endpoints'; readonly disagreeing: readonly string[] }>,
): Promise<void> {
  if (disagreeing.join() !== machine.disagreeing.join()) await actor.submit({ kind: 'endpoints', disagreeing })
}
