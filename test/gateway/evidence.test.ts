import { once } from 'node:events'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import WebSocket from 'ws'
import { Client } from '../../src/client/client.ts'
import { NotVerified, Refused } from '../../src/client/errors.ts'
import { TlsTransport } from '../../src/client/tlsTransport.ts'
import { VenueReader } from '../../src/client/venueReader.ts'
import type { Verify } from '../../src/client/verifiedTransport.ts'
import { HolderAway } from '../../src/enclave/holder/keyLink.ts'
import { newTlsIdentity } from '../../src/enclave/tlsIdentity.ts'
import type { TlsIdentity } from '../../src/enclave/tlsIdentity.ts'
import { reportAt } from '../../src/enclave/simulator/tdxQuote.ts'
import { Evidence } from '../../src/gateway/evidence.ts'
import { readEvidence, reportData } from '../../src/protocol/attestation.ts'
import type { AttestationEvidence } from '../../src/protocol/attestation.ts'
import { openEvidence } from '../enclave/evidenceStage.ts'
import { openStage, trader, venueFile } from './stage.ts'

const enclave = await openEvidence(venueFile({ url: 'nats://127.0.0.1:1', user: 'nobody' }))
t.teardown(() => enclave.close())
/** How often the key holder was asked. */
let quotes = 0
const counting = {
  evidence: (nonce: string, tls: string): Promise<AttestationEvidence> => (quotes++, enclave.gateway.evidence(nonce, tls)),
  info: () => enclave.gateway.info(),
}
const nonce = (n: number): string => n.toString(16).padStart(64, '0')

/** What of a verifier's work is about keys: that the quote was made for this nonce, and for the TLS key of this connection. */
const boundTo: Verify = async ({ nonce, attestation, tlsKey }) => {
  const { quote, keys } = readEvidence(attestation)
  const said = Buffer.from(quote, 'hex').subarray(reportAt.reportData, reportAt.end)
  if (!said.equals(await reportData(nonce, keys))) throw new Error('the quote was made for something else')
  if (tlsKey === null || keys.tls !== Buffer.from(tlsKey).toString('hex')) throw new Error('somebody else ends TLS')
}

t.test('over plain HTTP: evidence by nonce, made once', async (t) => {
  const stage = await openStage({}, undefined, undefined, { evidence: counting })
  t.teardown(() => stage.close())
  const reader = new VenueReader(stage.url)
  quotes = 0
  const [one, two] = await Promise.all([reader.attestation(nonce(1)), reader.attestation(nonce(1))])
  t.same(one, two)
  t.same(await reader.attestation(nonce(1)), one)
  t.equal(quotes, 1, 'one quote for one nonce')
  t.not((await reader.attestation(nonce(2))).quote, one.quote)
  t.equal(quotes, 2)
  const { enclave: said, ...info } = await reader.info()
  t.match(info, { version: /^\d+\.\d+\.\d+$/, node: process.versions.node, venue: 'local', vault: stage.venue.file.vault.contract })
  t.match(said, { kind: 'development', appId: enclave.platform.boot.appId })
  await t.rejects(reader.attestation('xyz'), { code: 'request_malformed' })
})

t.test('however many nonces there are, few are remembered, and nothing that failed', async (t) => {
  const stage = await openStage()
  t.teardown(() => stage.close())
  const made = await enclave.gateway.evidence(nonce(1), 'ab')
  const asked: string[] = []
  const evidence = new Evidence({ ...counting, evidence: async (nonce) => (asked.push(nonce), asked.length === 1 ? Promise.reject(new HolderAway('keys.sock', new Error('away'))) : made) }, Buffer.from('ab', 'hex'), stage.gateway.log)
  await t.rejects(evidence.of(nonce(1)), { code: 'evidence_unavailable' })
  for (let n = 1; n <= 300; n++) await evidence.of(nonce(n))
  t.equal(asked.length, 301)
  await evidence.of(nonce(300))
  t.equal(asked.length, 301)
  await evidence.of(nonce(1))
  t.equal(asked.length, 302, 'the first is quoted anew')
})

t.test('a venue in no enclave says so', async (t) => {
  const stage = await openStage()
  t.teardown(() => stage.close())
  await t.rejects(new VenueReader(stage.url).attestation(nonce(1)), Refused)
  t.equal((await new VenueReader(stage.url).info()).enclave, null)
  await t.rejects(Client.open(stage.url, trader('alice'), { verify: boundTo, retry: false }), NotVerified)
})

t.test('TLS ends in the gateway, and whoever stands in between is noticed', async (t) => {
  const identity = newTlsIdentity(['localhost', '127.0.0.1'], new Date())
  const stage = await openStage({}, undefined, undefined, { evidence: enclave.gateway, tls: identity })
  t.teardown(() => stage.close())
  t.match(stage.url, /^https:/)
  const trust = (url: string, { cert }: TlsIdentity) => ({ url, transport: new TlsTransport({ ca: cert }) })
  const direct = trust(stage.url, identity)
  t.teardown(() => direct.transport.close())
  const client = await Client.open(direct.url, trader('alice'), { transport: direct.transport, verify: boundTo })
  t.match(await client.login(), /\./, 'everything else goes the same way')
  // Streams too.
  const socket = new WebSocket(`${stage.url.replace('https', 'wss')}/api/v1/stream`, { ca: identity.cert })
  t.teardown(() => socket.terminate())
  await once(socket, 'open')
  // Nobody speaks HTTP to it, nor an old TLS.
  await t.rejects(new VenueReader(stage.url.replace('https', 'http'), { retry: false }).time())
  const old = new TlsTransport({ ca: identity.cert, maxVersion: 'TLSv1.2' } as ConstructorParameters<typeof TlsTransport>[0])
  await t.rejects(new VenueReader(stage.url, { transport: old, retry: false }).time(), { cause: { message: /protocol version/ } })

  // A cloud's gateway that ends TLS itself, with a certificate that the client trusts, and hands on all that is asked, evidence included.
  const middle = newTlsIdentity(['localhost', '127.0.0.1'], new Date())
  const asked: string[] = []
  const proxy = createServer({ key: middle.key, cert: middle.cert }, (incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url?.split('?')[0]}`)
    const on = request(new URL(incoming.url ?? '/', stage.url), { method: incoming.method, headers: incoming.headers, ca: identity.cert, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(on)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  const relayed = trust(`https://127.0.0.1:${(proxy.address() as AddressInfo).port}`, middle)
  t.teardown(() => relayed.transport.close())
  t.match(await new VenueReader(relayed.url, { transport: relayed.transport }).time(), { time: String }, 'without a look at the evidence nothing is noticed')
  asked.length = 0
  await t.rejects(Client.open(relayed.url, trader('alice'), { transport: relayed.transport, verify: boundTo, retry: false }), { name: 'NotVerified', cause: { message: 'somebody else ends TLS' } })
  t.same([...new Set(asked)], ['GET /api/v1/attestation'], 'and nothing but the question for evidence was sent')
})
