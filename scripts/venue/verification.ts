import { createHash } from 'node:crypto'
import { registeredEngine } from '../../src/client/chain.ts'
import { verifyDevelopmentEvidence } from '../../src/client/enclave/development.ts'
import type { Verification } from '../../src/client/enclave/examine.ts'
import { judged } from '../../src/client/enclave/judgement.ts'
import { POLICY_VERSION } from '../../src/client/enclave/policy.ts'
import type { Policy } from '../../src/client/enclave/policy.ts'
import { fetchTransport } from '../../src/client/transport.ts'
import { evidenceOf } from '../../src/client/verifiedTransport.ts'
import { developmentChain, developmentRoot } from '../../src/enclave/simulator/developmentKeys.ts'
import { developmentRegisters, DevelopmentPlatform } from '../../src/enclave/simulator/platform.ts'
import type { Deployment } from './deployment.ts'
import type { StateFolder } from './stateFolder.ts'
import { writeDurably } from './stateFolder.ts'

/** Of the test PKI's collateral. */
const EVALUATION = 17
const image = /image: (\S+)/g

export interface VerificationFiles {
  readonly policy: string
  /** The root that the quotes of this machine chain to. */
  readonly root: string
}

export const verificationFiles = (state: StateFolder): VerificationFiles => ({ policy: state.file('policy.json'), root: state.file('development-root') })

/**
 * Whether a local venue is what it says, by the checks that a trader makes of any venue, and with what `darkpool verify` takes for it written into its folder. What stands for the hardware is a
 * test PKI, which only this policy's holder accepts.
 */
export async function verifyLocalVenue(state: StateFolder, { passphrase, vault }: Deployment, url: string, rpc: string): Promise<Verification> {
  const rootFile = state.file('keys', 'root')
  const platform = new DevelopmentPlatform(developmentRoot(rootFile), developmentChain(rootFile).rootPublicKey, new Date())
  const { appId, appCompose, keyProvider, osImageHash } = platform.boot
  const composeHash = createHash('sha256').update(appCompose).digest('hex')
  const images = [...(JSON.parse(appCompose) as { docker_compose_file: string }).docker_compose_file.matchAll(image)].map(([, name]) => name!)
  const policy: Policy = {
    version: POLICY_VERSION,
    venue: { network: passphrase, vault, channels: [0] },
    app: appId,
    keyProvider: { name: 'kms', id: keyProvider.id },
    builds: [{ name: 'this checkout', composeHash, images }],
    machines: [{ name: 'no hardware', osImage: osImageHash, ...developmentRegisters }],
    tcb: { minimumEvaluation: EVALUATION, accepted: [] },
  }
  const files = verificationFiles(state)
  writeDurably(files.policy, JSON.stringify(policy, null, 2))
  writeDurably(files.root, Buffer.from(platform.rootKey).toString('hex'))
  // On this machine gateways speak plain HTTP.
  return judged(await evidenceOf(fetchTransport, url), { policy, registeredEngine: (channel) => registeredEngine(rpc, passphrase, vault, channel), tlsKeyUnseen: 'accepted' }, (evidence, question) => verifyDevelopmentEvidence(evidence, question, platform.rootKey))
}
