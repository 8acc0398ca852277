import { createHash, hkdfSync } from 'node:crypto'
import type { Collateral, RuntimeEvent } from '../../protocol/attestation.ts'
import { bootLog, bootSequence } from './bootLog.ts'
import { certificate, pairFrom, pem } from './certificates.ts'
import type { Pair } from './certificates.ts'
import { DEVELOPMENT_APP_ID } from './developmentKeys.ts'
import { TestPki } from './testPki.ts'
import type { Measurements } from './tdxQuote.ts'

const YEAR_MS = 365 * 86_400_000
const APP_CA = 'darkpool development app CA'

const sha = (algorithm: 'sha256' | 'sha384', text: string): string => createHash(algorithm).update(text).digest('hex')

/** As app-compose.json in an enclave: what runs, every image by its digest, and nothing of it told to the public. */
const APP_COMPOSE = JSON.stringify({
  manifest_version: 2,
  name: 'darkpool-development',
  runner: 'docker-compose',
  docker_compose_file: `services:\n  venue:\n    image: darkpool/development@sha256:${sha('sha256', 'darkpool development')}\n`,
  kms_enabled: true,
  gateway_enabled: true,
  public_logs: false,
  public_sysinfo: false,
  public_tcbinfo: true,
  allowed_envs: [],
  no_instance_id: false,
})

/** What a development machine says that it booted: always the same, and measured by nobody. */
export const developmentBoot = (rootPublicKey: Uint8Array) => ({
  appId: Buffer.from(DEVELOPMENT_APP_ID).toString('hex'),
  appCompose: APP_COMPOSE,
  instanceId: sha('sha256', 'darkpool development instance').slice(0, 40),
  osImageHash: sha('sha256', 'darkpool development image'),
  keyProvider: { name: 'kms', id: Buffer.from(rootPublicKey).toString('hex') },
})

export const developmentRegisters: Omit<Measurements, 'rtmr3'> = {
  mrtd: sha('sha384', 'darkpool development MRTD'),
  rtmr0: sha('sha384', 'darkpool development RTMR0'),
  rtmr1: sha('sha384', 'darkpool development RTMR1'),
  rtmr2: sha('sha384', 'darkpool development RTMR2'),
}

export interface TlsOffer {
  /** PEM of the private key. */
  readonly key: string
  /** PEM: of the key, of the app's CA, of the root. */
  readonly certificates: readonly string[]
}

/** A confidential VM that is none: measures what it is told, and has quotes signed by a PKI that nobody accepts who was not told to. */
export class DevelopmentPlatform {
  readonly boot: ReturnType<typeof developmentBoot>
  readonly #seed: Uint8Array
  readonly #pki: TestPki
  #sequence: (readonly [string, Buffer])[]

  /** @param root of the development keys: the same root has the same PKI @param rootPublicKey names the key management service */
  constructor(root: Uint8Array, rootPublicKey: Uint8Array, now: Date) {
    this.#seed = new Uint8Array(hkdfSync('sha256', root, '', 'darkpool development PKI', 32))
    this.#pki = new TestPki(this.#seed, now)
    this.boot = developmentBoot(rootPublicKey)
    this.#sequence = bootSequence(this.boot)
  }

  /** DER SubjectPublicKeyInfo: what a verifier has to be told to accept. */
  get rootKey(): Uint8Array {
    return this.#pki.rootKey
  }

  collateral(now: Date): Collateral {
    return this.#pki.collateral(now)
  }

  async state(): Promise<{ readonly log: readonly RuntimeEvent[]; readonly measurements: Measurements }> {
    const { log, rtmr3 } = await bootLog(this.#sequence)
    return { log, measurements: { ...developmentRegisters, rtmr3 } }
  }

  async quote(reportData: Uint8Array): Promise<{ readonly quote: Uint8Array; readonly log: readonly RuntimeEvent[] }> {
    const { log, measurements } = await this.state()
    return { quote: this.#pki.makeQuote(reportData, measurements), log }
  }

  /** Measures an event of the application's own. */
  measure(event: string, payload: Buffer): void {
    this.#sequence = [...this.#sequence, [event, payload]]
  }

  /** A new key, certified by the app's CA. */
  tlsKey(commonName: string, pair: Pair, now: Date): TlsOffer {
    const [root, app] = [pairFrom(this.#seed, 'KMS CA'), pairFrom(this.#seed, 'app CA')]
    const valid = { from: new Date(now.getTime() - YEAR_MS / 365), to: new Date(now.getTime() + YEAR_MS) }
    const rootIssuer = { commonName: 'darkpool development KMS CA', pair: root }
    const chain = [
      certificate({ ...valid, commonName, ca: null }, pair, { commonName: APP_CA, pair: app }),
      certificate({ ...valid, commonName: APP_CA, ca: 0 }, app, rootIssuer),
      certificate({ ...valid, commonName: rootIssuer.commonName, ca: 1 }, root, rootIssuer),
    ]
    return { key: pair.private.export({ type: 'pkcs8', format: 'pem' }).toString(), certificates: chain.map(pem) }
  }
}
