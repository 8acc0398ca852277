import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { Value } from 'typebox/value'
import { readEvidence } from '../../protocol/attestation.ts'
import type { AttestationEvidence } from '../../protocol/attestation.ts'
import type { Keys } from '../keys.ts'
import type { NatsCertificates } from '../natsCertificates.ts'

const ANSWER_MS = 15_000
const ANSWER_BYTES = 4 * 1024 * 1024
const PAUSE_MS = 100
/** A holder that is being started, or that waits for its guest agent. */
const PATIENCE_MS = 60_000

/** The key holder gives that process no such thing. */
export class KeyRefused extends Error {
  constructor(message: string) {
    super(`the key holder refuses: ${message}`)
    this.name = 'KeyRefused'
  }
}

/** The key holder does not answer, or cannot now. */
export class HolderAway extends Error {
  constructor(socket: string, cause: unknown) {
    super(`the key holder at ${socket} does not answer: ${(cause as Error).message}`, { cause })
    this.name = 'HolderAway'
  }
}

const KeysAnswer = Type.Object({ keys: Type.Record(Type.String(), Type.String({ pattern: '^[0-9a-f]{64}$' })) })
const AuthoritiesAnswer = Type.Object({ authorities: Type.Array(Type.String(), { minItems: 1 }) })
const CertificateAnswer = Type.Object({ certificate: Type.String() })
const measured = Type.String({ pattern: '^[0-9a-f]{96}$' })
const InfoAnswer = Type.Object({
  kind: Type.Union([Type.Literal('dstack'), Type.Literal('development')]),
  appId: Type.String(),
  instanceId: Type.String(),
  composeHash: Type.String(),
  osImageHash: Type.Union([Type.String(), Type.Null()]),
  measurements: Type.Object({ mrtd: measured, rtmr0: measured, rtmr1: measured, rtmr2: measured, rtmr3: measured }),
})
/** What runs in the enclave, as it says itself. */
export type EnclaveInfo = Static<typeof InfoAnswer>

const Refusal = Type.Object({ error: Type.String() })

/** A process's way to the key holder: what its role may have, and nothing else. */
export class KeyLink implements Keys, NatsCertificates {
  readonly #socket: string
  readonly #patience_ms: number

  constructor(socket: string, patience_ms = PATIENCE_MS) {
    this.#socket = socket
    this.#patience_ms = patience_ms
  }

  /** @throws KeyRefused, HolderAway */
  async secret(path: string): Promise<Uint8Array> {
    const answer = await this.#waitFor('/keys', { paths: [path] })
    const key = Value.Check(KeysAnswer, answer) ? answer.keys[path] : undefined
    if (key === undefined) throw new KeyRefused('its answer has no key')
    return Uint8Array.from(Buffer.from(key, 'hex'))
  }

  /** Whose certificates nats-servers of the venue have. @throws KeyRefused, HolderAway */
  async authorities(): Promise<readonly string[]> {
    const answer = await this.#waitFor('/nats-authorities', {})
    if (!Value.Check(AuthoritiesAnswer, answer)) throw new KeyRefused('its answer has no authorities')
    return answer.authorities
  }

  /** For the nats-server of this VM. @throws KeyRefused, HolderAway */
  async certificate(publicKey: Uint8Array, hosts: readonly string[]): Promise<string> {
    const answer = await this.#waitFor('/nats-certificate', { publicKey: Buffer.from(publicKey).toString('hex'), hosts })
    if (!Value.Check(CertificateAnswer, answer)) throw new KeyRefused('its answer has no certificate')
    return answer.certificate
  }

  /** Evidence for a verifier's nonce and this process's TLS key. @param tls DER SubjectPublicKeyInfo, hex @throws KeyRefused, HolderAway */
  async evidence(nonce: string, tls: string): Promise<AttestationEvidence> {
    return readEvidence(await this.#ask('/evidence', { nonce, tls }))
  }

  /** @throws KeyRefused, HolderAway */
  async info(): Promise<EnclaveInfo> {
    const answer = await this.#ask('/info', {})
    if (!Value.Check(InfoAnswer, answer)) throw new KeyRefused('its answer says nothing of the enclave')
    return answer
  }

  /** Of a holder that is being started. */
  async #waitFor(path: string, body: object): Promise<unknown> {
    for (const until = performance.now() + this.#patience_ms; ; await delay(PAUSE_MS)) {
      try {
        return await this.#ask(path, body)
      } catch (error) {
        if (!(error instanceof HolderAway) || performance.now() > until) throw error
      }
    }
  }

  async #ask(path: string, body: object): Promise<unknown> {
    const { status, json } = await this.#exchange(path, JSON.stringify(body))
    if (status === 200) return json
    const message = Value.Check(Refusal, json) ? json.error : `status ${status}`
    throw status >= 500 ? new HolderAway(this.#socket, new Error(message)) : new KeyRefused(message)
  }

  async #exchange(path: string, body: string): Promise<{ status: number; json: unknown }> {
    try {
      const { status, text } = await exchange(this.#socket, path, body)
      return { status, json: JSON.parse(text) }
    } catch (error) {
      throw new HolderAway(this.#socket, error)
    }
  }
}

function exchange(socketPath: string, path: string, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const asked = request({ socketPath, path, method: 'POST', headers, agent: false, signal: AbortSignal.timeout(ANSWER_MS) }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        text += piece
        if (text.length > ANSWER_BYTES) asked.destroy(new Error('the answer has no end'))
      })
      response.once('error', reject)
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    asked.once('error', reject)
    asked.end(body)
  })
}
