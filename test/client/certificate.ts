import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'

/** A server's TLS key, with a certificate for this machine that it has signed itself. */
export interface ServerIdentity {
  readonly key: string
  readonly cert: string
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Buffer
}

const der = (tag: number, ...contents: Uint8Array[]): Buffer => {
  const content = Buffer.concat(contents)
  // The shortest form, as DER wants it: not everybody reads another one.
  const length = content.length < 128 ? [content.length] : content.length < 256 ? [0x81, content.length] : [0x82, content.length >> 8, content.length & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}
const sequence = (...contents: Uint8Array[]): Buffer => der(0x30, ...contents)
const hex = (text: string): Buffer => Buffer.from(text, 'hex')
const algorithm = sequence(hex('06032b6570'))
const commonName = (text: string): Buffer => sequence(der(0x31, sequence(hex('0603550403'), der(0x0c, Buffer.from(text)))))
/** For localhost and 127.0.0.1, and its own authority. */
const extensions = der(0xa3, sequence(
  sequence(hex('0603551d11'), der(0x04, sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1]))))),
  sequence(hex('0603551d13'), hex('0101ff'), der(0x04, sequence(hex('0101ff')))),
))

/** An X.509 certificate of an ed25519 key (RFC 5280, RFC 8410). */
export function serverIdentity(): ServerIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  // Of its own, so that several can be trusted side by side.
  const name = commonName(randomUUID())
  const validity = sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('491231235959Z')))
  const body = sequence(hex('a003020102'), hex('020101'), algorithm, name, validity, name, spki, extensions)
  const certificate = sequence(body, algorithm, der(0x03, Buffer.from([0]), sign(null, body, privateKey)))
  const cert = `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert, publicKey: spki }
}
