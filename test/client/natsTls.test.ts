import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { connect } from '@nats-io/transport-node'
import t from 'tap'
import { JetStreamFeed } from '../../src/actors/runtime/jetstreamFeed.ts'
import { ensureStreams } from '../../src/actors/runtime/streams.ts'
import { Client } from '../../src/client/client.ts'
import { readFeed } from '../../src/client/feed.ts'
import { keyAccess } from '../../src/client/natsAccess.ts'
import { openNats } from '../../src/client/natsConnection.ts'
import { NatsTransport } from '../../src/client/natsTransport.ts'
import { marketName, resting } from '../gateway/fakeVault.ts'
import { trader } from '../gateway/stage.ts'
import { addressFor, keypairFor, openSubscriberStage } from '../subscribers/stage.ts'
import { serverIdentity } from './certificate.ts'

// A venue whose nats-server speaks TLS alone, to the venue's own parts too: what a subscriber does, over it.

const [identity, stranger] = [serverIdentity(), serverIdentity()]
const trusted = getCACertificates('default')
const trust = (certificate: string): void => setDefaultCACertificates([...trusted, certificate])
const folder = t.testdir({ 'key.pem': identity.key, 'cert.pem': identity.cert })
const tls = `tls { cert_file: ${JSON.stringify(join(folder, 'cert.pem'))}, key_file: ${JSON.stringify(join(folder, 'key.pem'))} }`
trust(identity.cert)
const stage = await openSubscriberStage((file) => ({ ...file, nats: { ...file.nats, addresses: file.nats.servers.map((url) => url.replace(/^nats:..127\.0\.0\.1/, 'tls://localhost')) } }), undefined, {}, tls)
t.teardown(() => stage.close())
await ensureStreams(stage.venueLink, stage.venue.subjects)
const access = keyAccess(keypairFor('alice').secret())
const client = await Client.open(stage.url, trader('alice'))

t.test('its feed, and order entry, at the address that the venue names', async (t) => {
  t.match(client.venue.nats, { addresses: [`tls://localhost:${stage.nats.port}`], tls: true })
  const connection = await openNats(connect, client.venue, access, { timeout: 20_000 })
  t.teardown(() => connection.close())
  stage.vault.script = (command) => (command.kind === 'place' ? resting(command) : { answer: { ok: { fed: 0, orders: [], balances: [] } } })
  t.match(await client.over(new NatsTransport(connection, 'local', access)).placeOrder(marketName, { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' }), { status: 'open' })
  const text = JSON.stringify({ v: 1, seq: 1, account: addressFor('alice'), time: '2026-11-28T00:00:00.000Z', type: 'settled', trades: [], transaction: 'x', ledger: 1, receipts: { sequence: 1, size: 2, from: 1, leaves: [] } })
  await new JetStreamFeed(stage.venueLink, stage.venue.subjects, 1).store([{ account: addressFor('alice'), text }])
  for await (const message of readFeed(connection, 'local', access, { after: 0 })) {
    t.equal(JSON.stringify(message), text)
    break
  }
})

t.test('a server whose certificate nobody answers for is told nothing', async (t) => {
  trust(stranger.cert)
  t.teardown(() => trust(identity.cert))
  let signed = 0
  const watched = { ...access, options: { ...access.options, maxReconnectAttempts: 0, authenticator: (nonce?: string) => (signed++, access.options.authenticator(nonce)) } as unknown as typeof access.options }
  await t.rejects(openNats(connect, client.venue, watched), { message: /self-signed certificate|unable to verify/ })
  t.equal(signed, 0, 'no nonce of its was signed')
})
