// Whether a venue is what it says it is: verification of the evidence that it shows of its enclave. Wherever JavaScript and WebCrypto run.
export { checks } from './checks.ts'
export type { Check, CheckName } from './checks.ts'
export type { Question, Verification } from './examine.ts'
export * from './judgement.ts'
export { Policy, POLICY_VERSION, readPolicy } from './policy.ts'
export { INTEL_ROOT_KEY, verifyEvidence } from './verifier.ts'
export { registeredEngine } from '../chain.ts'
export type { AttestationEvidence, Collateral, EvidenceKeys } from '../../protocol/attestation.ts'
