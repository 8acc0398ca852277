import type { AttestationEvidence } from '../protocol/attestation.ts'
import { Refusal } from '../protocol/errors.ts'
import { HolderAway, KeyRefused } from '../enclave/holder/keyLink.ts'
import type { EnclaveInfo } from '../enclave/holder/keyLink.ts'
import { failure } from './log.ts'
import type { Log } from './log.ts'

/** What has been shown is shown again for so long, to whoever has the nonce; so many of them. */
const KEPT_MS = 30_000
const KEPT = 256

/** Where evidence comes from: the key holder, which reaches the enclave. */
export interface EvidenceSource {
  /** @param tls DER SubjectPublicKeyInfo, hex */
  evidence(nonce: string, tls: string): Promise<AttestationEvidence>
  info(): Promise<EnclaveInfo>
}

interface Shown {
  readonly evidence: Promise<AttestationEvidence>
  readonly until_ms: number
}

/** The evidence of the enclave that this gateway runs in, for the TLS key of this very process. */
export class Evidence {
  readonly #source: EvidenceSource | null
  readonly #tls: string
  readonly #log: Log
  readonly #shown = new Map<string, Shown>()
  #info: EnclaveInfo | undefined

  /** @param source null where the venue runs in no enclave @param tlsKey DER SubjectPublicKeyInfo */
  constructor(source: EvidenceSource | null, tlsKey: Uint8Array, log: Log) {
    this.#source = source
    this.#tls = Buffer.from(tlsKey).toString('hex')
    this.#log = log
  }

  /** Those who ask with one nonce at a time share one quote. @throws Refusal evidence_absent, evidence_unavailable */
  async of(nonce: string): Promise<AttestationEvidence> {
    const source = this.#source
    if (source === null) throw new Refusal('evidence_absent')
    const now = performance.now()
    this.#forget(now)
    let shown = this.#shown.get(nonce)
    if (shown === undefined) {
      shown = { evidence: source.evidence(nonce, this.#tls), until_ms: now + KEPT_MS }
      this.#shown.set(nonce, shown)
      // What failed is asked for anew.
      shown.evidence.catch(() => this.#shown.delete(nonce))
    }
    return this.#orUnavailable(shown.evidence)
  }

  /** What runs in the enclave; null where there is none. @throws Refusal evidence_unavailable */
  async info(): Promise<EnclaveInfo | null> {
    if (this.#source === null) return null
    return (this.#info ??= await this.#orUnavailable(this.#source.info()))
  }

  async #orUnavailable<Value>(value: Promise<Value>): Promise<Value> {
    try {
      return await value
    } catch (error) {
      if (!(error instanceof HolderAway || error instanceof KeyRefused)) throw error
      this.#log.warn({ at: 'evidence', ...failure(error) }, 'no evidence can be had')
      throw new Refusal('evidence_unavailable')
    }
  }

  /** A map keeps the order in which things came: the first is the oldest. */
  #forget(now: number): void {
    for (const [nonce, { until_ms }] of this.#shown) {
      if (until_ms > now && this.#shown.size < KEPT) return
      this.#shown.delete(nonce)
    }
  }
}
