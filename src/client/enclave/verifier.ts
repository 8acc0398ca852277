import { fromAnyHex } from '../../protocol/hex.ts'
import { examine } from './examine.ts'
import type { Question, Verification } from './examine.ts'

/**
 * The key of the Intel SGX Root CA (2018–2049), as DER SubjectPublicKeyInfo: what the chain of every TDX quote ends at. There is no way to hand in another one here.
 * https://certificates.trustedservices.intel.com/Intel_SGX_Provisioning_Certification_RootCA.pem
 */
export const INTEL_ROOT_KEY =
  '3059301306072a8648ce3d020106082a8648ce3d030107034200040ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f567918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394'

/** Whether evidence is that of an enclave on Intel's hardware which the policy accepts, with each check and what it found. Asks nobody; throws for nothing that the evidence may be. */
export function verifyEvidence(evidence: unknown, question: Question): Promise<Verification> {
  return examine(evidence, question, fromAnyHex(INTEL_ROOT_KEY))
}
