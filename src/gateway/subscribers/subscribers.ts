import type { NatsConnection } from '@nats-io/transport-node'
import type { NatsKeys } from '../../enclave/natsKeys.ts'
import type { LastingReadings } from '../../monitoring/lastingReadings.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { KeyState } from '../../protocol/vault.ts'
import type { Venue } from '../../protocol/venue.ts'
import { Desk } from '../desk/desk.ts'
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

/** Whether anybody from outside is let in to the venue's NATS. */
export const admitsAnybody = ({ file, operators }: Venue): boolean => file.nats.traders === true || operators.size > 0

/** Traders and operators on NATS: lets them in, watches that they still may be there, and answers what they ask. */
export class Subscribers {
  readonly sessions: Sessions
  readonly #gateway: Gateway
  readonly #connection: NatsConnection
  readonly #links: SubscriberLinks
  readonly #callout: Callout
  /** null where traders are not let in. */
  readonly #requests: Requests | null
  #desk: Desk | null = null

  /** @param connection the gateway's own, in the venue's account */
  constructor(gateway: Gateway, connection: NatsConnection, links: SubscriberLinks, keys: Pick<NatsKeys, 'issuer' | 'exchange'>) {
    const { binding, log, name, rates, venue } = gateway
    this.#gateway = gateway
    this.#connection = connection
    this.#links = links
    const traders = venue.file.nats.traders === true
    const invited = { traders, operators: venue.operators, rights: keyRights(gateway) }
    this.sessions = new Sessions(links.system, name, invited, log)
    const taped = [...venue.markets.values()].filter(({ rules }) => rules.tape !== null).map(({ name }) => name)
    const turnstile = {
      // nats-server asks; whoever connects hears only that it may not.
      fromAddress: (host: string): void => rates.fromAddress('logins', { remoteAddress: host }, { counted: () => undefined }),
      enter: this.sessions.enter.bind(this.sessions),
    }
    this.#callout = new Callout(connection, new Doorkeeper(binding, invited), new Permits(keys.issuer, venue.subjects, taped), keys.exchange, turnstile, log)
    this.#requests = traders ? new Requests(gateway, links.traders, new Replay(gateway.feeds, (account) => gateway.fed(account))) : null
  }

  /** Answers what operators ask, where the venue has any. @param readings of this process */
  hearOperators(readings: LastingReadings): void {
    if (this.#gateway.venue.operators.size > 0) this.#desk ??= new Desk(this.#gateway, this.#connection, this.#links.traders, readings)
  }

  /** Takes no more; what was taken of traders is answered until `close`. */
  async drain(): Promise<void> {
    await Promise.all([this.#requests?.drain(), this.#desk?.drain()])
  }

  async close(): Promise<void> {
    this.#callout.close()
    this.#desk?.close()
    this.sessions.close()
    await Promise.all([this.#links.traders.close(), this.#links.system.close()])
  }
}
