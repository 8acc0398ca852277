import { examine } from './examine.ts'
import type { Question, Verification } from './examine.ts'

/**
 * For a venue on a machine without TDX, whose quotes are signed by a test PKI: the same checks, with the root that the caller names. What it says of such a venue is that the verification works, and
 * nothing of the venue. Nothing that trades with a real venue imports this.
 * @param root DER SubjectPublicKeyInfo of the test PKI's root
 */
export function verifyDevelopmentEvidence(evidence: unknown, question: Question, root: Uint8Array): Promise<Verification> {
  return examine(evidence, question, Uint8Array.from(root))
}
