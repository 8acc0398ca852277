import { randomBytes } from 'node:crypto'
import { verifyDevelopmentEvidence } from '../../src/client/enclave/development.ts'
import type { Question, Verification } from '../../src/client/enclave/examine.ts'
import type { Policy } from '../../src/client/enclave/policy.ts'
import { NatsAuthority } from '../../src/enclave/natsAuthority.ts'
import { bootLog, bootSequence } from '../../src/enclave/simulator/bootLog.ts'
import { pairFrom } from '../../src/enclave/simulator/certificates.ts'
import type { QuoteFaults } from '../../src/enclave/simulator/tdxQuote.ts'
import { TestPki } from '../../src/enclave/simulator/testPki.ts'
import type { CollateralFaults, PkiFaults } from '../../src/enclave/simulator/testPki.ts'
import { reportData } from '../../src/protocol/attestation.ts'
import type { AttestationEvidence, EvidenceKeys } from '../../src/protocol/attestation.ts'

export const at = new Date('2026-05-01T12:00:00Z')
export const seed = randomBytes(32)
export const nonce = randomBytes(32).toString('hex')
export const images = ['registry.example/darkpool', 'registry.example/nats'].map((name, n) => `${name}@sha256:${String(n + 1).repeat(64)}`)
const service = (image: string): string => `    image: ${image}\n    read_only: true\n`
export const composeFile = `services:\n  venue:\n${service(images[0]!)}  nats:\n${service(images[1]!)}`
export const appCompose = (members: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({ manifest_version: 2, name: 'darkpool', runner: 'docker-compose', docker_compose_file: composeFile, kms_enabled: true, local_key_provider_enabled: false, public_logs: false, public_sysinfo: false, ...members })

export const tlsKey = pairFrom(seed, 'TLS').spki
export const engine = 'GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF'
export const authorities = [2, 3, 1].map((version) => new NatsAuthority('local', version, randomBytes(32)))
/** What GET /api/v1/markets says of the venue's NATS. */
export const markets = { nats: { addresses: ['tls://venue.example:4222'], authorities: authorities.map(({ certificate }) => certificate).join('') } }
export const keys: EvidenceKeys = {
  tls: Buffer.from(tlsKey).toString('hex'), engine, feed: [{ version: 1, commitment: 'a1'.repeat(32) }], journal: 'b2'.repeat(32),
  nats: authorities.map(({ version, fingerprint }) => ({ version, certificate: fingerprint })),
  network: 'Test SDF Network ; September 2015', vault: `C${'A'.repeat(55)}`, channel: 3,
}
export const boot = { appId: 'aa'.repeat(20), appCompose: appCompose(), instanceId: 'bb'.repeat(20), osImageHash: 'cc'.repeat(32), keyProvider: { name: 'kms', id: '30'.repeat(60) } }
export const measured = { mrtd: '11'.repeat(48), rtmr0: '22'.repeat(48), rtmr1: '33'.repeat(48), rtmr2: '44'.repeat(48) }

/** How one run differs from a sound one. Functions are handed what is sound, and give what is instead. */
export interface Difference {
  readonly at?: Date
  /** What the evidence is asked with. */
  readonly asked?: string
  readonly pki?: PkiFaults
  readonly quote?: QuoteFaults
  readonly collateral?: CollateralFaults
  /** Before it is measured. */
  readonly boot?: Partial<typeof boot>
  readonly sequence?: (events: [string, Buffer][]) => [string, Buffer][]
  readonly measured?: Partial<typeof measured>
  readonly keys?: Partial<EvidenceKeys>
  /** Its nats-servers are certified by others, or speak no TLS. */
  readonly noAuthority?: true
  /** What the quote is bound to instead. */
  readonly bound?: { readonly nonce?: string; readonly keys?: EvidenceKeys }
  /** After all is signed. */
  readonly shown?: (evidence: AttestationEvidence) => unknown
  readonly policy?: (policy: Policy) => Policy
  readonly question?: Partial<Question>
}

export async function shownWith(difference: Difference = {}): Promise<{ readonly evidence: unknown; readonly question: Question; readonly pki: TestPki }> {
  const { at: now = at, asked = nonce } = difference
  const pki = new TestPki(seed, now, difference.pki)
  const booted = { ...boot, ...difference.boot }
  const { log, rtmr3 } = await bootLog((difference.sequence ?? ((events) => events))(bootSequence(booted)))
  const { nats, ...others } = keys
  const bound = { ...others, ...(difference.noAuthority !== true && { nats: nats! }), ...difference.keys }
  const data = await reportData(difference.bound?.nonce ?? asked, difference.bound?.keys ?? bound)
  const quote = pki.makeQuote(data, { ...measured, ...difference.measured, rtmr3 }, difference.quote)
  const evidence: AttestationEvidence = {
    version: 1, nonce: asked, quote: quote.toString('hex'), eventLog: log, appCompose: booted.appCompose, vmConfig: JSON.stringify({ os_image_hash: booted.osImageHash, cpu_count: 2 }),
    collateral: pki.collateral(now, difference.collateral), keys: bound,
  }
  const policy: Policy = {
    version: 1,
    venue: { network: keys.network, vault: keys.vault, channels: [3] },
    app: boot.appId,
    keyProvider: { name: 'kms', id: boot.keyProvider.id },
    builds: [{ name: 'the build', composeHash: bootSequence(booted)[2]![1].toString('hex'), images }],
    machines: [{ name: 'the machine', osImage: boot.osImageHash, ...measured }, { name: 'a larger machine', osImage: boot.osImageHash, ...measured, rtmr0: '23'.repeat(48) }],
    tcb: { minimumEvaluation: 17, accepted: [] },
  }
  const question = { nonce: asked, tlsKey, policy: difference.policy?.(policy) ?? policy, registeredEngine: engine, markets, now, ...difference.question }
  return { evidence: difference.shown === undefined ? evidence : difference.shown(evidence), question, pki }
}

export async function verifiedWith(difference: Difference = {}): Promise<Verification> {
  const { evidence, question, pki } = await shownWith(difference)
  return verifyDevelopmentEvidence(evidence, question, pki.rootKey)
}
