/** How a part of the venue reaches its NATS. */
export interface NatsAccess {
  readonly servers: readonly string[]
  readonly user: string
  readonly password: string
  /** Whose certificates the servers have, where they speak TLS: PEM. */
  readonly trust?: string
}

/** What a NATS library is told of servers that speak TLS and nothing before it. @param trust PEM of who signs their certificates; undefined where they speak plainly */
export const tlsFirst = (trust: string | undefined): { readonly tls?: { readonly handshakeFirst: true; readonly ca: string } } => (trust === undefined ? {} : { tls: { handshakeFirst: true, ca: trust } })
