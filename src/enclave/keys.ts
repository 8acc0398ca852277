/** Where each secret of the venue comes from. A path is used for one purpose only; a new version of a key is a new path. */
export const keyPaths = {
  /** ed25519 seed of the gateway: signs SEP-10 challenges. */
  gateway: 'darkpool/v1/gateway',
  /** Password of the venue's own NATS user. */
  nats: 'darkpool/v1/nats',
  /** ed25519 seed that signs admissions of traders to NATS; X25519 key to which the server encrypts its questions about them. */
  natsIssuer: 'darkpool/v1/nats-issuer',
  natsExchange: 'darkpool/v1/nats-exchange',
  /** ed25519 seeds of the gateways' users among the traders and in the server's system account. */
  natsTraders: 'darkpool/v1/nats-traders',
  natsSystem: 'darkpool/v1/nats-system',
  /** Of which the salts of receipts are derived. */
  receipts: 'darkpool/v1/receipts',
} as const

/** ed25519 seed of the matching engine: signs settlement transactions and co-signs withdrawals. */
export const engineKeyPath = (version: number): string => `darkpool/v${version}/engine`

/** Secret of the gateways' session tokens. */
export const tokenKeyPath = (version: number): string => `darkpool/v${version}/tokens`

/** Seals journals and snapshots. Whoever lacks it can neither read nor write what an actor remembers. */
export const journalKeyPath = (version: number): string => `darkpool/v${version}/journal`

/** Of which the accounts' feed keys are derived, where feeds are sealed. */
export const feedKeyPath = (version: number): string => `darkpool/v${version}/feeds`

/** Of which the venue's authority over the certificates of its nats-servers is made, where those speak TLS. */
export const natsAuthorityPath = (version: number): string => `darkpool/v${version}/nats-authority`

/** The current version of a key first, and its neighbours, which processes may have that are changed before or after. */
export const versionsAround = (current: number): readonly number[] => [current, current + 1, current - 1].filter((version) => version >= 1)

export interface Keys {
  /** 32 secret bytes that depend on the enclave's root secret and the path only. */
  secret(path: string): Promise<Uint8Array>
}
