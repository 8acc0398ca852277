import { generateKeyPairSync, verify as verifySignature } from 'node:crypto'
import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { NeverSent, NotVerified, OutcomeUnknown } from '../../src/client/errors.ts'
import type { NewOrder } from '../../src/client/messages.ts'
import { StreamTransport } from '../../src/client/streamTransport.ts'
import { TlsTransport } from '../../src/client/tlsTransport.ts'
import type { Evidence, Verify } from '../../src/client/verifiedTransport.ts'
import type { PlaceOrder } from '../../src/protocol/vault.ts'
import { marketName, resting } from '../gateway/fakeVault.ts'
import { openStage, trader } from '../gateway/stage.ts'
import { serverIdentity } from './certificate.ts'
import { bound, EnclaveFront } from './enclaveFront.ts'

// Nothing reaches a venue that has not shown evidence which the caller accepts: not before the first request, not after a reconnection.

const stage = await openStage()
t.teardown(() => stage.close())
stage.vault.script = (asked) => resting(asked as PlaceOrder)
const platform = generateKeyPairSync('ed25519')
const [own, strangers] = [serverIdentity(), serverIdentity()]
const order: NewOrder = { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' }

/** Accepts what the platform has signed for this look and this connection. */
const seen: Evidence[] = []
const verify: Verify = (evidence) => {
  seen.push(evidence)
  const { nonce, attestation, tlsKey } = evidence
  if (!verifySignature(null, bound(nonce, tlsKey), platform.publicKey, Buffer.from(String(attestation.quote), 'base64'))) throw new Error('the quote is not of this look and this connection')
}
const tls = (): TlsTransport => {
  const transport = new TlsTransport({ ca: [own.cert, strangers.cert] })
  t.teardown(() => transport.close())
  return transport
}
const attestations = (front: EnclaveFront): number => front.asked.filter((one) => one === 'GET /api/v1/attestation').length
t.beforeEach(() => void (seen.length = 0))

t.test('evidence that is accepted lets everything through, one look a connection', async (t) => {
  const front = await EnclaveFront.open(stage.url, { identity: own, platform: platform.privateKey })
  t.teardown(() => front.close())
  const client = await Client.open(front.url, trader('alice'), { verify, transport: tls() })
  t.match(await client.placeOrder(marketName, order), { status: 'open' })
  for (let n = 0; n < 10; n++) await client.placeOrder(marketName, order)
  t.equal(attestations(front), front.connections, 'each connection was asked, and by itself')
  t.ok(front.connections <= 3, 'and connections are kept')
  t.equal(new Set(seen.map(({ nonce }) => nonce)).size, seen.length, 'never with the same nonce')
  t.ok(seen.every(({ nonce, tlsKey }) => /^[0-9a-f]{64}$/.test(nonce) && own.publicKey.equals(tlsKey!)))
  t.equal(front.asked[0], 'GET /api/v1/attestation', 'before anything else')

  front.cut()
  const before = front.connections
  await client.placeOrder(marketName, order)
  t.equal(front.connections, before + 1)
  t.equal(attestations(front), front.connections, 'a new connection is looked at anew')
})

t.test('a stranger in the middle, with a certificate that this machine trusts, gets nothing', async (t) => {
  const front = await EnclaveFront.open(stage.url, { identity: own, platform: platform.privateKey })
  // Has the venue's own quote for every nonce, as one who passes questions on: but it names the venue's key.
  const middle = await EnclaveFront.open(front.url, { identity: strangers, platform: platform.privateKey })
  middle.quoted = own.publicKey
  t.teardown(() => Promise.all([front.close(), middle.close()]))
  await t.rejects(Client.open(middle.url, trader('alice'), { verify, transport: tls() }), { name: 'NotVerified', cause: { message: /not of this look/ } })
  t.same([...new Set(middle.asked)], ['GET /api/v1/attestation'])
})

t.test('one that takes the venue’s place after a while gets nothing, and what was to be sent can be sent again', async (t) => {
  const front = await EnclaveFront.open(stage.url, { identity: own, platform: platform.privateKey })
  const client = await Client.open(front.url, trader('alice'), { verify, transport: tls() })
  await client.placeOrder(marketName, order)
  const { port } = front
  await front.close()
  const impostor = await EnclaveFront.open(stage.url, { identity: strangers, platform: platform.privateKey, port })
  impostor.quoted = own.publicKey
  t.teardown(() => impostor.close())
  const heard = stage.vault.heard.length
  // The first attempt may find out only by a connection that breaks.
  const failed = await client.placeOrder(marketName, order).catch((error: unknown) => error as NotVerified | OutcomeUnknown)
  t.ok(failed instanceof NotVerified || (failed instanceof OutcomeUnknown && failed.cause instanceof NotVerified))
  t.match(await client.placeOrder(marketName, order).catch((error: unknown) => error), { name: 'NotVerified', passing: false, request: { message: { action: 'order' } } })
  t.match(await client.placeOrders(marketName, [order]), [{ error: { name: 'NotVerified', request: { message: { action: 'order' } } } }])
  await t.rejects(client.balances(), { name: 'NotVerified' }, 'no token either')
  t.equal(stage.vault.heard.length, heard)
  t.same([...new Set(impostor.asked)], ['GET /api/v1/attestation'])
  await impostor.close()
  const back = await EnclaveFront.open(stage.url, { identity: own, platform: platform.privateKey, port })
  t.teardown(() => back.close())
  t.match(await client.placeOrder(marketName, order), { status: 'open' })
})

t.test('a venue without evidence, and evidence that is none', async (t) => {
  await t.rejects(Client.open(stage.url, trader('alice'), { verify }), { name: 'NotVerified', cause: { message: 'the venue shows no evidence (status 404)' } })
  t.equal(seen.length, 0, 'there is nothing to be asked about')
  await t.rejects(Client.open(stage.url, trader('alice'), { verify, transport: tls() }), { name: 'NeverSent', passing: false, cause: { message: /https/ } }, 'an address without TLS shows no key')
  const front = await EnclaveFront.open(stage.url, { platform: platform.privateKey })
  t.teardown(() => front.close())
  for (const text of ['', '{', 'null', '[]', '"quote"', '7']) {
    front.instead = { status: 200, text }
    await t.rejects(Client.open(front.url, trader('alice'), { verify }), { name: 'NotVerified' }, text)
  }
  front.instead = { status: 200, text: '{"quote":"AAAA"}' }
  await t.rejects(Client.open(front.url, trader('alice'), { verify }), { name: 'NotVerified', cause: { message: /not of this look/ } })
  front.instead = { status: 503, text: '{}' }
  const busy = await Client.open(front.url, trader('alice'), { verify, timeout_ms: 300 }).catch((error: unknown) => error)
  t.ok(busy instanceof NeverSent && !(busy instanceof NotVerified) && busy.passing, 'later, perhaps')
  t.same([...new Set(front.asked)], ['GET /api/v1/attestation'])
})

t.test('over connections that are not seen: before the first request, and after each that failed', async (t) => {
  const front = await EnclaveFront.open(stage.url, { platform: platform.privateKey })
  t.teardown(() => front.close())
  const client = await Client.open(front.url, trader('alice'), { verify })
  for (let n = 0; n < 5; n++) await client.placeOrder(marketName, order)
  t.equal(attestations(front), 1)
  t.match(seen, [{ tlsKey: null }])
  front.cut()
  await client.placeOrder(marketName, order).catch(() => undefined)
  await client.placeOrder(marketName, order)

  const stream = new StreamTransport(stage.url, { others: { carry: () => Promise.reject(new NeverSent(new Error('nobody there'), { passing: false })) } })
  t.teardown(() => stream.close())
  const heard = stage.vault.heard.length
  await t.rejects(client.over(stream).placeOrder(marketName, order), { name: 'NeverSent' }, 'another way is looked at too')
  t.equal(stage.vault.heard.length, heard)
})
