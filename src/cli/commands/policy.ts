import { createHash } from 'node:crypto'
import { imagesOf, readAppCompose } from '../../client/enclave/compose.ts'
import { POLICY_VERSION, readPolicy } from '../../client/enclave/policy.ts'
import type { Policy } from '../../client/enclave/policy.ts'
import { whole, words } from '../arguments.ts'
import type { Arguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { readFile } from '../verification.ts'

/** `darkpool policy --compose FILE …`: a policy that accepts a build, or another one with that build added. */
export const policy: Command = async ({ args }) => {
  words(args, [])
  const { options } = args
  const appCompose = readFile('compose', options.compose, (text) => text)
  const images = readFile('compose', options.compose, () => [...imagesOf(readAppCompose(appCompose))])
  const build = { name: options.name ?? 'build', composeHash: createHash('sha256').update(appCompose).digest('hex'), images }
  const base = options.policy === undefined ? begun(options) : readFile('policy', options.policy, (text) => readPolicy(JSON.parse(text)))
  const machines = options.measurements === undefined ? [] : readFile('measurements', options.measurements, (text) => JSON.parse(text) as Policy['machines'])
  if (!Array.isArray(machines)) throw new UsageFault('--measurements: a list of machines')
  const made = {
    ...base,
    builds: [...base.builds.filter(({ composeHash }) => composeHash !== build.composeHash), build],
    machines: [...base.machines.filter((known) => !machines.some(({ name }) => name === known.name)), ...machines],
  }
  try {
    return { text: JSON.stringify(readPolicy(made), null, 2), json: made }
  } catch (error) {
    throw new UsageFault((error as Error).message, error)
  }
}

/** All but builds and machines. */
function begun({ network, vault, channel, app, kms, evaluation }: Arguments['options']): Policy {
  const given = (name: string, value: string | undefined): string => {
    if (value === undefined) throw new UsageFault(`--${name} is missing; or --policy FILE to add to`)
    return value
  }
  return {
    version: POLICY_VERSION,
    venue: { network: given('network', network), vault: given('vault', vault), channels: given('channel', channel).split(',').map((one) => whole('channel', one)) },
    app: given('app', app),
    keyProvider: { name: 'kms', id: given('kms', kms) },
    builds: [],
    machines: [],
    tcb: { minimumEvaluation: whole('evaluation', given('evaluation', evaluation)), accepted: [] },
  }
}
