import type { NatsConnection } from '@nats-io/transport-node'
import type { NatsKeys } from '../../enclave/natsKeys.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { KeyState } from '../../protocol/vault.ts'
import type { Gateway } from '../gateway.ts'
import { Callout } from './callout.ts'
import { Doorkeeper } from './doorkeeper.ts'
import type { KeyRights } from './doorkeeper.ts'
import type { SubscriberLinks } from './links.ts'
import { Permits } from './permit.ts'
import { Replay } from './replay.ts'
import { Requests } from './requests.ts'
import { Sessions } from './sessions.ts'

/** What the account's vault actor says of a key. */
const keyRights = ({ vaults }: Gateway): KeyRights => async (account, key) => {
  try {
    return await vaults.query<KeyState>({ kind: 'key', account, key })
  } catch (error) {
    if (error instanceof Refusal && error.code === 'key_unknown') return null
    throw error
  }
}

/** Traders on NATS: lets them in, watches that they still may be there, and answers what they ask. */
export class Subscribers {
  readonly sessions: Sessions
  readonly #links: SubscriberLinks
  readonly #callout: Callout
  readonly #requests: Requests

  /** @param connection the gateway's own, in the venue's account */
  constructor(gateway: Gateway, connection: NatsConnection, links: SubscriberLinks, keys: Pick<NatsKeys, 'issuer' | 'exchange'>) {
    const { binding, log, name, rates, venue } = gateway
    this.#links = links
    const rights = keyRights(gateway)
    this.sessions = new Sessions(links.system, name, rights, log)
    const taped = [...venue.markets.values()].filter(({ rules }) => rules.tape !== null).map(({ name }) => name)
    const turnstile = {
      // nats-server asks; whoever connects hears only that it may not.
      fromAddress: (host: string): void => rates.fromAddress('logins', { remoteAddress: host }, { counted: () => undefined }),
      enter: this.sessions.enter.bind(this.sessions),
    }
    this.#callout = new Callout(connection, new Doorkeeper(binding, rights), new Permits(keys.issuer, venue.subjects, taped), keys.exchange, turnstile, log)
    this.#requests = new Requests(gateway, links.traders, new Replay(gateway.feeds, (account) => gateway.fed(account)))
  }

  /** Takes no more; what was taken is answered until `close`. */
  async drain(): Promise<void> {
    await this.#requests.drain()
  }

  async close(): Promise<void> {
    this.#callout.close()
    this.sessions.close()
    await Promise.all([this.#links.traders.close(), this.#links.system.close()])
  }
}
