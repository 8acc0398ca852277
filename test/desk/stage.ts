import { connect } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import { Gateway } from '../../src/gateway/gateway.ts'
import { openLinks } from '../../src/gateway/subscribers/links.ts'
import { Subscribers } from '../../src/gateway/subscribers/subscribers.ts'
import { receiptSalts } from '../../src/enclave/receiptSalts.ts'
import { tokenKeys } from '../../src/enclave/tokenKeys.ts'
import { LastingReadings } from '../../src/monitoring/lastingReadings.ts'
import { Meters } from '../../src/monitoring/meters.ts'
import { decode } from '../../src/protocol/codec.ts'
import { OPERATOR_USER } from '../../src/protocol/subjects.ts'
import type { DeskAnswer, DeskRequest, OperatorRight } from '../../src/protocol/operator.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import type { VenueFile } from '../../src/protocol/venue.ts'
import { testSecrets } from '../gateway/stage.ts'
import { addressFor, connectAs, openSubscriberStage, testKeys } from '../subscribers/stage.ts'
import type { SubscriberStage } from '../subscribers/stage.ts'

export const named = (rights: Readonly<Record<string, OperatorRight>>): NonNullable<VenueFile['operators']> => Object.entries(rights).map(([name, may]) => ({ key: addressFor(name), may }))

/** What a process shows of itself: how often it was read. */
export function readingsOf(): LastingReadings {
  const meters = new Meters()
  let count = 0
  return new LastingReadings(async () => {
    meters.set('darkpool_feed_streams', ++count)
    return [await meters.read()]
  }, Infinity)
}

/** A venue with operators, by the names of their keys, whose gateway hears them. */
export async function openDeskStage(rights: Readonly<Record<string, OperatorRight>>): Promise<SubscriberStage> {
  const stage = await openSubscriberStage((file) => ({ ...file, operators: named(rights) }))
  stage.subscribers.hearOperators(readingsOf())
  return stage
}

/** Another gateway of the same venue, or of one whose file was changed. */
export async function openGateway(stage: SubscriberStage, change: (file: VenueFile) => VenueFile = (file) => file): Promise<{ readonly gateway: Gateway; readonly subscribers: Subscribers; close(): Promise<void> }> {
  const { nats } = stage
  const venue = readVenue(change(stage.venue.file))
  const link = (name: string): Promise<NatsConnection> => connect({ servers: nats.url, user: nats.user, pass: nats.password, name })
  const [own, reading, keys] = [await link('gateway'), await link('gateway reading'), await testKeys()]
  const secrets = { challengeSeed: await testSecrets.secret('gateway'), tokens: await tokenKeys(testSecrets, venue.file), receipts: await receiptSalts(testSecrets, venue.file.venue) }
  const gateway = new Gateway(venue, secrets, own, reading, stage.gateway.log)
  const subscribers = new Subscribers(gateway, own, await openLinks([nats.url], keys), keys)
  subscribers.hearOperators(readingsOf())
  const close = async (): Promise<void> => {
    await subscribers.close()
    await gateway.close()
    await Promise.all([own.close(), reading.close()])
  }
  return { gateway, subscribers, close }
}

/** The connection of an operator, by the name of the key. */
export const operatorLink = (stage: SubscriberStage, key: string): Promise<NatsConnection> => connectAs(stage, { key, user: OPERATOR_USER })

const ANSWERED_MS = 60_000

/** What the desk answers; the test waits as long as any operator would. */
export async function ask<Value = unknown>(stage: SubscriberStage, connection: NatsConnection, key: string, request: DeskRequest | Uint8Array, whom: 'desk' | 'gateways' = 'desk'): Promise<DeskAnswer<Value>> {
  const data = request instanceof Uint8Array ? request : JSON.stringify(request)
  return decode((await connection.request(stage.venue.subjects.operatorRequest(addressFor(key), whom), data, { timeout: ANSWERED_MS })).data)
}
