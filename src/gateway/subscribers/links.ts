import { connect } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import type { NatsSigningKey } from '../../enclave/natsKeys.ts'
import { tlsFirst } from '../../protocol/natsAccess.ts'

/** A gateway's connections to the parts of nats-server that are not the venue's own. */
export interface SubscriberLinks {
  /** Among the traders and operators: hears their requests. */
  readonly traders: NatsConnection
  /** In the server's system account. */
  readonly system: NatsConnection
}

/** @param trust of whom the servers' certificates are, where they speak TLS: PEM @throws Error where a server does not know one of the keys: its configuration is not deploy/nats/nats.conf, or is of other keys */
export async function openLinks(servers: readonly string[], keys: { readonly traders: NatsSigningKey; readonly system: NatsSigningKey }, trust?: string): Promise<SubscriberLinks> {
  const link = (key: NatsSigningKey, name: string): Promise<NatsConnection> =>
    connect({ servers: [...servers], ...tlsFirst(trust), authenticator: key.authenticate, name, timeout: 5_000, maxReconnectAttempts: -1, reconnectTimeWait: 250, pingInterval: 10_000, ignoreAuthErrorAbort: true })
  const traders = await link(keys.traders, 'gateway for traders')
  return { traders, system: await link(keys.system, 'gateway for connections') }
}
