/** Whose certificates the venue's nats-servers trust, and who signs theirs. */
export interface NatsCertificates {
  /** PEM: of the current version of the venue's authority first, then of those next to it, which are trusted too while servers change from one to the other. */
  authorities(): Promise<readonly string[]>
  /** A certificate for a nats-server. @param publicKey DER SubjectPublicKeyInfo @returns PEM */
  certificate(publicKey: Uint8Array, hosts: readonly string[]): Promise<string>
}
