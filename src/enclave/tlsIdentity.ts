import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { certificate, extensions } from './certificate.ts'

const DAY_MS = 86_400_000
const LIFETIME_MS = 3_650 * DAY_MS

/** A TLS key that was made in this process and stands nowhere else. */
export interface TlsKey {
  /** PEM. */
  readonly key: string
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array
}

/** With a certificate that it has signed itself: whom it belongs to the enclave's evidence says. */
export interface TlsIdentity extends TlsKey {
  /** PEM. */
  readonly cert: string
}

export function newTlsKey(): TlsKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), publicKey: Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })) }
}

/** @param hosts names and addresses that the certificate is for */
export function newTlsIdentity(hosts: readonly string[], now: Date): TlsIdentity {
  const own = newTlsKey()
  const name = hosts[0]!
  const form = {
    subject: name,
    issuer: name,
    publicKey: own.publicKey,
    from: new Date(now.getTime() - DAY_MS),
    to: new Date(now.getTime() + LIFETIME_MS),
    extensions: [extensions.subjectNames(hosts), extensions.endEntity, extensions.signs],
  }
  return { ...own, cert: certificate(form, createPrivateKey(own.key)) }
}
