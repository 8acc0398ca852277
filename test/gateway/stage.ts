import { connect } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import { Keypair, StrKey } from '@stellar/stellar-sdk/base'
import type { FastifyInstance } from 'fastify'
import { createHash } from 'node:crypto'
import { Writable } from 'node:stream'
import { SecretSigner } from '../../src/client/secretSigner.ts'
import { feedKeys } from '../../src/enclave/feedKeys.ts'
import { receiptSalts } from '../../src/enclave/receiptSalts.ts'
import type { Keys } from '../../src/enclave/keys.ts'
import { newTlsIdentity } from '../../src/enclave/tlsIdentity.ts'
import type { TlsIdentity } from '../../src/enclave/tlsIdentity.ts'
import { tokenKeys } from '../../src/enclave/tokenKeys.ts'
import { gatewayApp } from '../../src/gateway/app.ts'
import type { EvidenceSource } from '../../src/gateway/evidence.ts'
import { Gateway } from '../../src/gateway/gateway.ts'
import type { GatewayLimits } from '../../src/gateway/gateway.ts'
import { gatewayLog } from '../../src/gateway/log.ts'
import { limits } from '../../src/protocol/limits.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import type { Venue, VenueFile } from '../../src/protocol/venue.ts'
import { startNats } from '../nats/server.ts'
import type { NatsOptions, NatsServer } from '../nats/server.ts'
import { FakePair } from './fakePair.ts'
import { FeedWriter } from './feedWriter.ts'
import { FakeVault } from './fakeVault.ts'
import { Recorder } from './recorder.ts'
import type { Document } from './recorder.ts'

const bytes = (name: string): Buffer => createHash('sha256').update(name).digest()
export const contractOf = (name: string): string => StrKey.encodeContract(bytes(name))
/** A trader that is the same in every run. */
export const trader = (name: string): SecretSigner => new SecretSigner(Keypair.fromRawEd25519Seed(bytes(name)).secret())

const plenty = { quota: 1_000_000, window_s: 1 }
/** Tests come faster than people, all from one address. */
const unbounded = { requests: plenty, addressCancels: plenty, logins: plenty, orders: plenty, cancels: plenty, reads: plenty, history: plenty }

export const venueFile = (nats: { url: string; user: string }): VenueFile => ({
  venue: 'local',
  network: { passphrase: 'Darkpool test network', rpc: 'http://127.0.0.1:8000' },
  vault: { contract: contractOf('vault'), fromLedger: 2 },
  nats: { servers: [nats.url], user: nats.user },
  vaultPartitions: 2,
  assets: [
    { code: 'XLM', contract: contractOf('XLM'), index: 0, decimals: 7 },
    { code: 'USDC', contract: contractOf('USDC'), index: 1, decimals: 7 },
    { code: 'EURC', contract: contractOf('EURC'), index: 2, decimals: 7 },
  ],
  markets: [
    // One lot is 1 XLM, one tick 0.0001 USDC.
    { base: 'XLM', quote: 'USDC', lotSize: '10000000', tickSize: '1000', minLots: 2, maxLots: 1_000, maxTicks: 100_000, maxLifetime_s: 86_400, tape: { delay_s: 60, roundLots: 10 } },
    { base: 'EURC', quote: 'USDC', lotSize: '1000000', tickSize: '10', minLots: 1, maxLots: 1_000_000, maxTicks: 100_000, maxLifetime_s: 172_800 },
  ],
  settlement: { maxAge_ms: 1_000, maxAccounts: 500, maxTrades: 5_000 },
  gateway: { host: '127.0.0.1', port: 0, homeDomain: 'pool.example', signatureThreads: 1, tokenLifetime_s: 900, rates: unbounded },
})

/** The venue's secrets, the same in every run. */
export const testSecrets: Keys = { secret: (path) => Promise.resolve(Uint8Array.from(bytes(path))) }

/** A gateway as it runs in a venue, on a real nats-server, with scripted actors behind it. */
export interface Stage {
  readonly url: string
  readonly nats: NatsServer
  readonly venue: Venue
  readonly vault: FakeVault
  readonly pair: FakePair
  /** Accounts' feeds, once it is opened. */
  readonly feeds: FeedWriter
  readonly gateway: Gateway
  readonly app: FastifyInstance
  /** Every answer so far, held against the gateway's own description. */
  readonly recorder: Recorder
  /** Everything the gateway has logged. */
  log(): string
  close(): Promise<void>
}

/** What stands for the enclave that the gateway runs in. */
export interface Enclosed {
  readonly evidence?: EvidenceSource
  readonly tls?: TlsIdentity
}

export async function openStage(bounds: Partial<GatewayLimits> = {}, change: (file: VenueFile) => VenueFile = (file) => file, natsOptions: NatsOptions = {}, enclave: Enclosed = {}): Promise<Stage> {
  const nats = await startNats(natsOptions)
  const venue = readVenue(change(venueFile(nats)))
  const link = (name: string): Promise<NatsConnection> => connect({ servers: nats.url, user: nats.user, pass: nats.password, name, maxReconnectAttempts: -1, reconnectTimeWait: 50 })
  const [own, reading, others] = [await link('gateway'), await link('gateway reading'), await link('vault')]
  let logged = ''
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged += chunk.toString()
      done()
    },
  })
  const gateway = new Gateway(venue, { challengeSeed: bytes('gateway'), tokens: await tokenKeys(testSecrets, venue.file), receipts: await receiptSalts(testSecrets, venue.file.venue), feeds: await feedKeys(testSecrets, venue.file), evidence: enclave.evidence ?? null, tlsKey: (enclave.tls ?? newTlsIdentity(['localhost'], new Date())).publicKey }, own, reading, gatewayLog(destination), {
    inFlight: limits.gatewayInFlight,
    answerTimeout_ms: limits.answerTimeout_ms,
    ...bounds,
  })
  const app = await gatewayApp(gateway, enclave.tls ?? null)
  const recorder = new Recorder(app, (await app.inject('/api/v1/openapi.json')).json<Document>())
  const vault = new FakeVault(others, venue)
  await vault.open()
  const pair = new FakePair(others, venue)
  await pair.open()
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    url,
    nats,
    venue,
    vault,
    pair,
    feeds: new FeedWriter(others, venue),
    gateway,
    app,
    recorder,
    log: () => logged,
    close: async () => {
      await app.close()
      await gateway.close()
      await Promise.all([own.close(), reading.close(), others.close()])
      await nats.stop()
      recorder.assertDocumented()
    },
  }
}
