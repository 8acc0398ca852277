import type { Evidence, Look, Verify } from '../verifiedTransport.ts'
import type { Check } from './checks.ts'
import type { Question, Verification } from './examine.ts'
import { verifyEvidence } from './verifier.ts'

/** What evidence is judged by, besides what is each look's own: its nonce, its connection, and what was said over that. */
export type Judgement = Omit<Question, 'nonce' | 'tlsKey' | 'markets'>

/** Says what evidence is worth. Default: `verifyEvidence`. */
export type Judge = (evidence: unknown, question: Question) => Promise<Verification>

/** A venue's evidence has not passed. `checks` is all that was looked at. */
export class EvidenceRefused extends Error {
  readonly checks: readonly Check[]

  constructor(checks: readonly Check[]) {
    const failed = checks.filter(({ ok, blockedBy }) => !ok && blockedBy === null)
    super(failed.map(({ name, evidence, meaning }) => `${name}: ${meaning} (${evidence})`).join(' '))
    this.name = 'EvidenceRefused'
    this.checks = checks
  }
}

export function judged({ nonce, attestation, tlsKey, markets }: Evidence & Partial<Pick<Look, 'markets'>>, judgement: Judgement, judge: Judge = verifyEvidence): Promise<Verification> {
  return judge(attestation, { ...judgement, nonce, tlsKey, ...(markets !== undefined && { markets }) })
}

/** For `verify` of a client: accepts what passes every check, on each connection. @returns throws EvidenceRefused otherwise */
export function verifiedEnclave(judgement: Judgement, judge?: Judge): Verify {
  return async (evidence) => {
    const { ok, checks } = await judged(evidence, judgement, judge)
    if (!ok) throw new EvidenceRefused(checks)
  }
}
