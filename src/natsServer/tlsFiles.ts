import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NatsCertificates } from '../enclave/natsCertificates.ts'
import { newTlsKey } from '../enclave/tlsIdentity.ts'

/** Where a nats-server finds what it shows, and whom it trusts. */
export interface TlsFiles {
  readonly certificate: string
  readonly key: string
  readonly authorities: string
}

export const tlsFiles = (folder: string): TlsFiles => ({ certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem'), authorities: join(folder, 'authorities.pem') })

/** Writes a new key, and a certificate for it. @param hosts names and addresses at which the server is reached */
export async function renewTlsFiles(folder: string, certificates: NatsCertificates, hosts: readonly string[]): Promise<TlsFiles> {
  const { key, publicKey } = newTlsKey()
  const certificate = await certificates.certificate(publicKey, [...new Set(hosts)])
  const texts: Readonly<Record<keyof TlsFiles, string>> = { certificate, key, authorities: (await certificates.authorities()).join('') }
  const files = tlsFiles(folder)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const name of ['certificate', 'key', 'authorities'] as const) {
    // Anew, so that its mode is what it is written with.
    rmSync(files[name], { force: true })
    writeFileSync(files[name], texts[name], { mode: 0o600, flag: 'wx' })
  }
  return files
}
