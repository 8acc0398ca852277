import type { Steps } from './steps.ts'
import { installNatsServer } from './natsServer.ts'
import { buildContract, buildLocalnet, buildSignatures } from './rust.ts'

export type Part = readonly [title: string, work: (note: (text: string) => void) => Promise<string>]

/** Everything that a venue on this machine is made of, built or found; fast where it is already there. */
export const setUpParts: readonly Part[] = [
  ['build nats-server', installNatsServer],
  ['build vault contract', buildContract],
  ['build localnet', buildLocalnet],
  ['build signature module', buildSignatures],
]

/** @throws Fault with one clear sentence where a tool is missing or a build fails */
export async function setUp(steps: Steps): Promise<void> {
  for (const [title, work] of setUpParts) await steps.run(title, work, (how) => how)
}
