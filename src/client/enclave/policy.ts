import { Type } from 'typebox'
import type { Static } from 'typebox'
import { Value } from 'typebox/value'
import { firstFault } from '../../protocol/attestation.ts'
import { closed, Contract, Network } from '../../protocol/messages/members.ts'
import type { Verdict } from './tcb.ts'

export const POLICY_VERSION = 1

const hex = (bytes: number, description: string) => Type.String({ pattern: `^[0-9a-f]{${bytes * 2}}$`, description })
const Name = Type.String({ minLength: 1, maxLength: 128, description: 'For people' })
export const IMAGE_PATTERN = '^[a-z0-9][a-z0-9._:/-]{0,255}@sha256:[0-9a-f]{64}$'

/** What a verifier accepts, and nothing else: docs/enclave/verification.md says each member. */
export const Policy = Type.Object(
  {
    version: Type.Literal(POLICY_VERSION),
    venue: Type.Object({ network: Network, vault: Contract, channels: Type.Array(Type.Integer({ minimum: 0, maximum: 0xffff_ffff }), { minItems: 1, maxItems: 64, description: 'Settlement channels of its shards' }) }, closed),
    app: hex(20, 'dstack’s app id'),
    keyProvider: Type.Object({ name: Type.Literal('kms'), id: Type.String({ pattern: '^([0-9a-f]{2}){16,512}$', description: 'DER of the KMS’s public key' }) }, closed),
    builds: Type.Array(
      Type.Object({ name: Name, composeHash: hex(32, 'SHA-256 of app-compose.json as published'), images: Type.Array(Type.String({ pattern: IMAGE_PATTERN }), { minItems: 1, maxItems: 64 }) }, closed),
      { minItems: 1, maxItems: 64, description: 'What may run' },
    ),
    machines: Type.Array(
      Type.Object({ name: Name, osImage: hex(32, 'Hash of the OS image'), mrtd: hex(48, 'Firmware'), rtmr0: hex(48, 'Virtual hardware: CPUs and memory'), rtmr1: hex(48, 'Kernel'), rtmr2: hex(48, 'Command line and initrd') }, closed),
      { minItems: 1, maxItems: 256, description: 'In what it may run: one entry for each OS image and VM shape' },
    ),
    tcb: Type.Object(
      {
        minimumEvaluation: Type.Integer({ minimum: 0, description: 'tcbEvaluationDataNumber of collateral: what is older does not know of later attacks' }),
        accepted: Type.Array(
          Type.Object(
            {
              status: Type.Union([Type.Literal('SWHardeningNeeded'), Type.Literal('ConfigurationNeeded'), Type.Literal('ConfigurationAndSWHardeningNeeded'), Type.Literal('OutOfDate'), Type.Literal('OutOfDateConfigurationNeeded')]),
              advisories: Type.Array(Type.String({ pattern: '^INTEL-SA-[0-9]{5}$' }), { maxItems: 256, description: 'Each advisory that has been looked at: any other one refuses' }),
            },
            closed,
          ),
          { maxItems: 16, description: 'Besides UpToDate. Revoked is never accepted' },
        ),
      },
      closed,
    ),
  },
  closed,
)
export type Policy = Static<typeof Policy>

/** @throws Error that names what does not fit */
export function readPolicy(value: unknown): Policy {
  if (!Value.Check(Policy, value)) throw new Error(`not a policy of version ${POLICY_VERSION}: ${firstFault(Policy, value)}`)
  return value
}

/** @throws Error where the policy does not accept it */
export function assertAccepted({ tcb: { accepted } }: Policy, { status, advisories }: Verdict): void {
  if (status === 'UpToDate') return
  const entries = accepted.filter((entry) => entry.status === status)
  if (entries.length === 0) throw new Error(`${status}${advisories.length === 0 ? '' : ` (${advisories.join(', ')})`}, which the policy does not accept`)
  const open = advisories.filter((advisory) => !entries.some((entry) => entry.advisories.includes(advisory)))
  if (open.length > 0) throw new Error(`${status} for ${open.join(', ')}, which the policy does not accept`)
}
