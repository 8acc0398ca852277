import { X509Certificate, createHash, createPublicKey, randomBytes, verify } from 'node:crypto'
import t from 'tap'
import { exactQuote, keyCommitment, reportData } from '../../src/protocol/attestation.ts'
import { canonicalJson } from '../../src/protocol/messages/canonical.ts'
import { eventDigest, replayed } from '../../src/protocol/eventLog.ts'
import { bootLog, bootSequence } from '../../src/enclave/simulator/bootLog.ts'
import { pem } from '../../src/enclave/simulator/certificates.ts'
import { enclaveReportAt, reportAt } from '../../src/enclave/simulator/tdxQuote.ts'
import { TestPki } from '../../src/enclave/simulator/testPki.ts'

const keys = {
  tls: '3059', engine: 'GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF', feed: [{ version: 2, commitment: 'ab'.repeat(32) }], journal: 'cd'.repeat(32),
  network: 'Test SDF Network ; September 2015', vault: 'C' + 'A'.repeat(55), channel: 7,
}

void t.test('report data is SHA-512 over the domain tag and canonical JSON', async (t) => {
  const nonce = '01'.repeat(32)
  const text = `darkpool.attestation.1{"keys":{"channel":7,"engine":"${keys.engine}","feed":[{"commitment":"${'ab'.repeat(32)}","version":2}],"journal":"${'cd'.repeat(32)}","network":"${keys.network}","tls":"3059","vault":"${keys.vault}"},"nonce":"${nonce}"}`
  t.same(Buffer.from(await reportData(nonce, keys)), createHash('sha512').update(text).digest())
  t.throws(() => canonicalJson({ half: 0.5 }), 'numbers are whole')
  t.not(await keyCommitment('feed', randomBytes(32)), await keyCommitment('feed', randomBytes(32)))
  const secret = randomBytes(32)
  t.not(await keyCommitment('feed', secret), await keyCommitment('journal', secret), 'a commitment says what for')
})

void t.test('events are measured as dstack measures them', async (t) => {
  // From event logs of VMs on Phala Cloud.
  const hex = async (name: string): Promise<string> => Buffer.from(await eventDigest(name, new Uint8Array(0))).toString('hex')
  t.equal(await hex('boot-mr-done'), '98bd7e6bd3952720b65027fd494834045d06b4a714bf737a06b874638b3ea00ff402f7f583e3e3b05e921c8570433ac6')
  t.equal(await hex('instance-id'), '305a62e30e8f4ca791946c3ede6755cfacebe02be9101f0bccf2591509a0c8e8095bc83b3d53bfc5d70d6c7cf7813fc5')
  const digest = randomBytes(48)
  t.same(Buffer.from(await replayed([digest])), createHash('sha384').update(Buffer.alloc(48)).update(digest).digest())
})

void t.test('the test PKI makes certificates, lists and quotes that others can check', async (t) => {
  const seed = randomBytes(32)
  const at = new Date('2026-05-01T12:00:00Z')
  const pki = new TestPki(seed, at)
  t.same(new TestPki(seed, at).rootKey, pki.rootKey, 'the same seed has the same root key')
  t.notSame(new TestPki(randomBytes(32), at).rootKey, pki.rootKey)

  const [root, ca, pck, signing] = [pki.root, pki.platformCa, pki.pck, pki.tcbSigning].map((der) => new X509Certificate(pem(der)))
  t.ok(root!.verify(root!.publicKey) && root!.ca)
  t.ok(ca!.verify(root!.publicKey) && ca!.ca && ca!.checkIssued(root!))
  t.ok(pck!.verify(ca!.publicKey) && !pck!.ca)
  t.ok(signing!.verify(root!.publicKey))
  t.same(root!.publicKey.export({ type: 'spki', format: 'der' }), Buffer.from(pki.rootKey))

  const collateral = pki.collateral()
  for (const [text, signature] of [[collateral.tcb_info, collateral.tcb_info_signature], [collateral.qe_identity, collateral.qe_identity_signature]] as const) {
    t.ok(verify('sha256', Buffer.from(text), { key: signing!.publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'hex')))
  }

  const boot = { appId: 'aa'.repeat(20), appCompose: '{}', instanceId: 'bb'.repeat(20), osImageHash: 'cc'.repeat(32), keyProvider: { name: 'kms', id: '3059' } }
  const { log, rtmr3 } = await bootLog(bootSequence(boot))
  t.same(Buffer.from(await replayed(log.map(({ digest }) => Buffer.from(digest, 'hex')))).toString('hex'), rtmr3)
  const data = await reportData('02'.repeat(32), keys)
  const quote = pki.makeQuote(data, { mrtd: '11'.repeat(48), rtmr0: '22'.repeat(48), rtmr1: '33'.repeat(48), rtmr2: '44'.repeat(48), rtmr3 })
  t.same(quote.subarray(reportAt.reportData, reportAt.end), Buffer.from(data))
  const keyAt = reportAt.end + 4 + 64
  const [x, y] = [quote.subarray(keyAt, keyAt + 32), quote.subarray(keyAt + 32, keyAt + 64)].map((bytes) => bytes.toString('base64url')) as [string, string]
  const attestation = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
  t.ok(verify('sha256', quote.subarray(0, reportAt.end), { key: attestation, dsaEncoding: 'ieee-p1363' }, quote.subarray(reportAt.end + 4, keyAt)), 'signed by the attestation key')
  const enclaveReport = quote.subarray(keyAt + 64 + 6, keyAt + 64 + 6 + enclaveReportAt.end)
  const enclaveSignature = quote.subarray(keyAt + 64 + 6 + enclaveReportAt.end, keyAt + 64 + 6 + enclaveReportAt.end + 64)
  t.ok(verify('sha256', enclaveReport, { key: pck!.publicKey, dsaEncoding: 'ieee-p1363' }, enclaveSignature), 'which the PCK key certifies')

  t.same(Buffer.from(exactQuote(Buffer.concat([quote, Buffer.alloc(70)]))), quote, 'what a guest agent pads a quote with is cut off')
  t.throws(() => exactQuote(quote.subarray(0, -1)), 'cut off')
  t.throws(() => exactQuote(Buffer.concat([quote, Buffer.from([1])])), 'followed by something')
})
