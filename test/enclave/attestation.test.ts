import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DstackClient } from '@phala/dstack-sdk'
import { Keypair } from '@stellar/stellar-sdk'
import t from 'tap'
import { newTlsIdentity } from '../../src/enclave/tlsIdentity.ts'
import { reportAt } from '../../src/enclave/simulator/tdxQuote.ts'
import { keyCommitment, reportData } from '../../src/protocol/attestation.ts'
import { eventDigest, replayed } from '../../src/protocol/eventLog.ts'
import { venueFile } from '../gateway/stage.ts'
import { openEvidence } from './evidenceStage.ts'

const venue = venueFile({ url: 'nats://127.0.0.1:1', user: 'darkpool' })
venue.nats.sealed = 2
venue.nats.tls = 2
const nonce = '5f'.repeat(32)
const tls = 'abcdef'

t.test('a quote binds the nonce, and keys that only the holder names', async (t) => {
  const stage = await openEvidence(venue)
  t.teardown(() => stage.close())
  const evidence = await stage.gateway.evidence(nonce, tls)
  const { keys } = evidence
  const engine = Keypair.fromRawEd25519Seed(Buffer.from(await stage.shard.secret('darkpool/v1/engine'))).publicKey()
  t.match(evidence, { version: 1, nonce, keys: { tls, engine, network: venue.network.passphrase, vault: venue.vault.contract, channel: 0 } })
  t.equal(keys.journal, await keyCommitment('journal', await stage.shard.secret('darkpool/v1/journal')))
  for (const [at, version] of [1, 2].entries()) t.same(keys.feed[at], { version, commitment: await keyCommitment('feed', await stage.shard.secret(`darkpool/v${version}/feeds`)) })
  t.same(keys.engines?.map(({ version }) => version), [1, 2])
  for (const { version, key } of keys.engines!) t.equal(key, Keypair.fromRawEd25519Seed(Buffer.from(await stage.shard.secret(`darkpool/v${version}/engine`))).publicKey())
  const authorities = (await stage.gateway.authorities()).map((pem) => new X509Certificate(pem))
  t.same(keys.nats, [2, 3, 1].map((version, at) => ({ version, certificate: createHash('sha256').update(authorities[at]!.raw).digest('hex') })), 'whom the gateway has traders trust')
  const quote = Buffer.from(evidence.quote, 'hex')
  t.same(quote.subarray(reportAt.reportData, reportAt.end), Buffer.from(await reportData(nonce, keys)))
  // Written out once: sha512 over the tag and the members in the order of their names.
  const canonical = JSON.stringify({ keys: { channel: 0, engine, engines: keys.engines!.map(({ version, key }) => ({ key, version })), feed: keys.feed.map(({ version, commitment }) => ({ commitment, version })), journal: keys.journal, nats: keys.nats!.map(({ version, certificate }) => ({ certificate, version })), network: keys.network, tls, vault: keys.vault }, nonce })
  t.same(quote.subarray(reportAt.reportData, reportAt.end), createHash('sha512').update(`darkpool.attestation.1${canonical}`).digest())
  const rtmr3 = await replayed(await Promise.all(evidence.eventLog.map(({ event, event_payload }) => eventDigest(event, Buffer.from(event_payload, 'hex')))))
  t.equal(Buffer.from(rtmr3).toString('hex'), quote.subarray(reportAt.rtmr3, reportAt.reportData).toString('hex'))
  t.equal(evidence.eventLog.find(({ event }) => event === 'compose-hash')?.event_payload, createHash('sha256').update(evidence.appCompose).digest('hex'))
  t.not(evidence.collateral, null)
  t.not((await stage.gateway.evidence('60'.repeat(32), tls)).quote, evidence.quote)

  await t.rejects(stage.shard.evidence(nonce, tls), /that is not for the shard/)
  await t.rejects(stage.shard.info(), /that is not for the shard/)
  for (const [odd, key] of [['5F'.repeat(32), tls], ['5f', tls], [nonce, ''], [nonce, 'x'], [nonce, 'ab'.repeat(700)]] as const) await t.rejects(stage.gateway.evidence(odd, key), /not a request for evidence/)
  t.same(stage.noted, [])
})

t.test('collateral is shown as its file has it, and left out where that is none', async (t) => {
  const stage = await openEvidence(venue)
  t.teardown(() => stage.close())
  const file = join(stage.folder, 'collateral.json')
  const later = stage.platform.collateral(new Date(Date.now() + 60_000))
  writeFileSync(file, JSON.stringify(later))
  t.same((await stage.gateway.evidence(nonce, tls)).collateral, later)
  for (const text of ['{', '{}', '[]']) {
    writeFileSync(file, text)
    t.equal((await stage.gateway.evidence(nonce, tls)).collateral, null)
  }
  t.equal(stage.noted.length, 3)
})

t.test('an agent that is away takes no keys along, and evidence is had again when it is back', async (t) => {
  const stage = await openEvidence(venue)
  t.teardown(() => stage.close())
  await stage.closeAgent()
  await t.rejects(stage.gateway.evidence(nonce, tls), { name: 'HolderAway', message: /guest agent at .* does not answer/ })
})

t.test('as many quotes as may wait, and no more', async (t) => {
  const stage = await openEvidence(venue)
  t.teardown(() => stage.close())
  const asked = await Promise.allSettled(Array.from({ length: 60 }, () => stage.gateway.evidence(randomBytes(32).toString('hex'), tls)))
  const refused = asked.filter((one) => one.status === 'rejected')
  t.ok(asked.length - refused.length >= 32, 'those that may wait are served')
  for (const { reason } of refused) t.match(reason, { name: 'HolderAway', message: /as many quotes/ })
})

t.test('what the agent does besides is what the library expects', async (t) => {
  const stage = await openEvidence(venue)
  t.teardown(() => stage.close())
  const client = new DstackClient(stage.agentSocket)
  const info = await client.info()
  t.match(info, { app_id: 'f4bf824993dcb6ac581ced13e9133f3ab277b98c', tcb_info: { rtmr3: /^[0-9a-f]{96}$/ } })
  t.match(await stage.gateway.info(), { kind: 'development', appId: info.app_id, composeHash: info.compose_hash, measurements: { mrtd: info.tcb_info.mrtd, rtmr3: info.tcb_info.rtmr3 } })
  // An event of the application's own moves RTMR3 on, as its log says.
  await client.emitEvent('started', 'now')
  const quote = await client.getQuote(Buffer.from('short'))
  const replay = await replayed(await Promise.all((JSON.parse(quote.event_log) as { event: string; event_payload: string }[]).map(({ event, event_payload }) => eventDigest(event, Buffer.from(event_payload, 'hex')))))
  const moved = Buffer.from(quote.quote, 'hex').subarray(reportAt.rtmr3, reportAt.reportData).toString('hex')
  t.equal(Buffer.from(replay).toString('hex'), moved)
  t.not(moved, info.tcb_info.rtmr3)
  t.match(quote.event_log, /"started"/)
  // A key for TLS between parts of the app, under the app's own authority; new each time.
  const { key, certificate_chain: chain } = await client.getTlsKey({ subject: 'pool.example' })
  const [leaf, app, root] = chain.map((text) => new X509Certificate(text)) as [X509Certificate, X509Certificate, X509Certificate]
  t.ok(leaf.verify(app.publicKey) && app.verify(root.publicKey) && root.verify(root.publicKey) && app.ca && !leaf.ca)
  t.match(leaf.subject, /pool\.example/)
  t.not((await client.getTlsKey()).key, key)
})

t.test('a TLS key has a certificate for where the gateway is', (t) => {
  const { cert, publicKey } = newTlsIdentity(['pool.example', '127.0.0.1'], new Date('2026-11-28T09:00:00Z'))
  const certificate = new X509Certificate(cert)
  t.same(certificate.publicKey.export({ type: 'spki', format: 'der' }), Buffer.from(publicKey))
  t.ok(certificate.verify(certificate.publicKey))
  t.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  t.equal(certificate.checkHost('pool.example'), 'pool.example')
  t.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1')
  t.equal(certificate.ca, false)
  t.equal(certificate.validFromDate.toISOString(), '2026-11-27T09:00:00.000Z')
  t.equal(certificate.validToDate.toISOString(), '2036-11-25T09:00:00.000Z')
  t.equal(new X509Certificate(newTlsIdentity(['a'], new Date('2045-01-01T00:00:00Z')).cert).validToDate.getUTCFullYear(), 2054, 'after 2049 dates are spelled in another way')
  t.end()
})
