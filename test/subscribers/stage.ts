import { createHash } from 'node:crypto'
import { connect, nkeyAuthenticator, tokenAuthenticator, usernamePasswordAuthenticator } from '@nats-io/transport-node'
import type { Authenticator, NatsConnection } from '@nats-io/transport-node'
import { Keypair } from '@stellar/stellar-sdk/base'
import { natsKeys } from '../../src/enclave/natsKeys.ts'
import type { NatsKeys } from '../../src/enclave/natsKeys.ts'
import type { GatewayLimits } from '../../src/gateway/gateway.ts'
import { openLinks } from '../../src/gateway/subscribers/links.ts'
import { Subscribers } from '../../src/gateway/subscribers/subscribers.ts'
import type { AccountId } from '../../src/protocol/identity.ts'
import { canonicalJson } from '../../src/protocol/messages/canonical.ts'
import { encodeUserSeed } from '../../src/protocol/nkey.ts'
import { traderInbox } from '../../src/protocol/subjects.ts'
import type { VenueFile } from '../../src/protocol/venue.ts'
import { MessageRecorder } from '../gateway/messageRecorder.ts'
import { openStage, trader } from '../gateway/stage.ts'
import type { Stage } from '../gateway/stage.ts'

const bytes = (name: string): Buffer => createHash('sha256').update(name).digest()
export const testKeys = (): Promise<NatsKeys> => natsKeys({ secret: (path) => Promise.resolve(Uint8Array.from(bytes(path))) })

/** A gateway that lets traders in to a nats-server that is configured as a venue's. */
export interface SubscriberStage extends Stage {
  readonly subscribers: Subscribers
  /** In the venue's own account, as the actors are. */
  readonly venueLink: NatsConnection
  /** Hears everything that passes among traders, and holds it against the gateway's own description. */
  readonly messages: MessageRecorder
}

/** @param configuration further lines of the nats-server's */
export async function openSubscriberStage(change: (file: VenueFile) => VenueFile = (file) => file, given?: NatsKeys, bounds: Partial<GatewayLimits> = {}, configuration = ''): Promise<SubscriberStage> {
  const keys = given ?? (await testKeys())
  const stage = await openStage(bounds, (file) => change({ ...file, nats: { ...file.nats, traders: true } }), { traders: { venue: 'local', keys }, configuration })
  const { nats, gateway } = stage
  const venueLink = await connect({ servers: nats.url, user: nats.user, pass: nats.password, name: 'venue' })
  const subscribers = new Subscribers(gateway, venueLink, await openLinks([nats.url], keys), keys)
  const messages = await MessageRecorder.of(stage.url)
  const listener = await connect({ servers: nats.url, authenticator: keys.traders.authenticate, name: 'listener', maxReconnectAttempts: -1, reconnectTimeWait: 50 })
  // What is sealed says nothing to a listener; what is inside is what passes elsewhere in the clear.
  if (stage.venue.file.nats.sealed === undefined) listener.subscribe('>', { callback: (broken, { subject, reply, data }) => (broken === null ? messages.natsMessage(subject, reply, data) : undefined) })
  await listener.flush()
  const close = async (): Promise<void> => {
    await listener.close()
    await subscribers.close()
    await venueLink.close()
    await stage.close()
    messages.assertDocumented()
  }
  return { ...stage, subscribers, venueLink, messages, close }
}

export const addressFor = (name: string): AccountId => trader(name).address as AccountId
/** The same key as `trader(name)`, as NATS takes it. */
export const seedFor = (name: string): Uint8Array => Buffer.from(encodeUserSeed(bytes(name)))
export const keypairFor = (name: string): Keypair => Keypair.fromRawEd25519Seed(bytes(name))

/** How a connection shows who it is. */
export interface Showing {
  /** Name of the key. */
  readonly key: string
  readonly user?: string
  readonly token?: string
}

export function authenticators({ key, user, token }: Showing): Authenticator[] {
  return [nkeyAuthenticator(seedFor(key)), ...(user === undefined ? [] : [usernamePasswordAuthenticator(user, '')]), ...(token === undefined ? [] : [tokenAuthenticator(token)])]
}

export function connectAs({ nats }: Pick<Stage, 'nats'>, showing: Showing): Promise<NatsConnection> {
  return connect({ servers: nats.url, authenticator: authenticators(showing), inboxPrefix: traderInbox(addressFor(showing.key)), reconnect: false, timeout: 20_000 })
}

/** A statement of an account that names a temporary key. */
export function statement(stage: Stage, account: string, key: string, change: Readonly<Record<string, string>> = {}, signer = account): string {
  const { network, vault } = stage.venue.file
  const message: Record<string, string> = {
    action: 'session', network: network.passphrase, vault: vault.contract, account: addressFor(account), nonce: 'session-1',
    expires: String(Math.floor(Date.now() / 1_000) + 3_600), key: addressFor(key), scope: 'trade', ...change,
  }
  return JSON.stringify({ message, signature: trader(signer).signMessage(canonicalJson(message)) })
}
