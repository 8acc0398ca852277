import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Keypair } from '@stellar/stellar-sdk/base'
import t from 'tap'
import { status } from '../../src/cli/commands/status.ts'
import { verifyDevelopmentEvidence } from '../../src/client/enclave/development.ts'
import { verifiedEnclave } from '../../src/client/enclave/judgement.ts'
import type { Judge } from '../../src/client/enclave/judgement.ts'
import { TlsTransport } from '../../src/client/tlsTransport.ts'
import { VenueReader } from '../../src/client/venueReader.ts'
import { NatsAuthority } from '../../src/enclave/natsAuthority.ts'
import { serverIdentity } from '../client/certificate.ts'
import type { ServerIdentity } from '../client/certificate.ts'
import { startNats } from '../nats/server.ts'
import { ran } from '../operations/exampleRun.ts'
import { testKeys } from '../subscribers/stage.ts'
import { appCompose, authorities, boot, engine, images, keys, markets, measured, shownWith } from './enclaveScene.ts'
import type { Difference } from './enclaveScene.ts'

// From the command line and from a program, over real connections to a venue that shows evidence signed by the test PKI.

t.setTimeout(600_000)
const folder = mkdtempSync(join(tmpdir(), 'darkpool-verify-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const [own, strangers] = [serverIdentity(), serverIdentity()]

/** A venue's gateway, as far as evidence goes. @param ends whose key the connection ends at @param told what it says of its markets */
async function venue(difference: Difference = {}, ends: ServerIdentity = own, told: object = markets): Promise<{ readonly url: string; readonly asked: string[] }> {
  const asked: string[] = []
  const server = createServer({ key: ends.key, cert: ends.cert }, (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'https://venue')
    asked.push(pathname)
    if (pathname !== '/api/v1/attestation') return void response.end(JSON.stringify(told))
    void shownWith({ at: new Date(), asked: searchParams.get('nonce')!, ...difference, keys: { tls: own.publicKey.toString('hex') } }).then(({ evidence }) => response.end(JSON.stringify(evidence)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => (server.closeAllConnections(), server.close()))
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

async function darkpool(...args: string[]): Promise<{ readonly code: number | null; readonly out: string; readonly error: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../src/cli/darkpool.ts'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, error] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (error += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, error }
}

const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}
const { pki, question } = await shownWith()
const compose = file('app-compose.json', appCompose())
const machines = file('machines.json', JSON.stringify([{ name: 'the machine', osImage: boot.osImageHash, ...measured }]))
const root = file('root.hex', `${Buffer.from(pki.rootKey).toString('hex')}\n`)
const beginning = ['--network', keys.network, '--vault', keys.vault, '--channel', '3', '--app', boot.appId, '--kms', boot.keyProvider.id, '--evaluation', '17']

t.test('a policy is made from a build, and the next build is added to it', async (t) => {
  const made = await darkpool('policy', '--compose', compose, '--measurements', machines, '--name', 'one', ...beginning)
  t.match(made, { code: 0, error: '' })
  const policy = file('policy.json', made.out)
  t.same((JSON.parse(made.out) as typeof question.policy).builds, [{ name: 'one', composeHash: question.policy.builds[0]!.composeHash, images }])
  const next = await darkpool('policy', '--policy', policy, '--compose', file('next.json', appCompose({ name: 'next' })), '--name', 'two')
  t.same((JSON.parse(next.out) as typeof question.policy).builds.map(({ name }) => name), ['one', 'two'])
  t.match(await darkpool('policy', '--compose', file('tagged.json', appCompose({ docker_compose_file: 'services: {a: {image: "a:1"}}' })), ...beginning), { code: 2, error: /without a digest/ })
  t.match(await darkpool('policy', '--compose', compose, ...beginning), { code: 2, error: /machines/ }, 'without measurements it would accept nothing')
})

t.test('darkpool verify says of each check what it found', async (t) => {
  const { url, asked } = await venue()
  const sound = await darkpool('verify', url, '--policy', join(folder, 'policy.json'), '--engine', engine, '--development-root', root)
  t.match(sound, { code: 0, error: /test PKI/ })
  t.match(sound.out, /^passed +evidence-form +version 1\n/)
  t.match(sound.out, /\nverified: .* \(57 passed, 0 failed, 0 not reached\)\n$/)
  t.same([...new Set(asked)], ['/api/v1/attestation', '/api/v1/markets'])

  const json = await darkpool('verify', url, '--policy', join(folder, 'policy.json'), '--engine', engine, '--development-root', root, '--json')
  const { ok, checks } = JSON.parse(json.out) as { ok: boolean; checks: { name: string; ok: boolean; evidence: string; meaning: string }[] }
  t.equal(ok, true)
  t.ok(checks.every((check) => check.ok && check.evidence !== '' && check.meaning !== ''))

  const unpinned = await darkpool('verify', url, '--policy', join(folder, 'policy.json'), '--engine', engine)
  t.equal(unpinned.code, 1, 'nothing but Intel’s root unless another one is named')
  t.match(unpinned.out, /\nFAILED +root-key /)

  const wrong = await darkpool('verify', url, '--policy', join(folder, 'policy.json'), '--engine', `G${'B'.repeat(55)}`, '--development-root', root)
  t.equal(wrong.code, 1)
  t.match(wrong.out, /\nFAILED +engine-key .*\n +The vault obeys another key than this enclave’s\.\n/)
  t.match(wrong.out, /NOT verified: .* \(56 passed, 1 failed, 0 not reached\)/)

  const lured = await venue({}, own, { nats: { ...markets.nats, authorities: new NatsAuthority('local', 2, randomBytes(32)).certificate } })
  const elsewhere = await darkpool('verify', lured.url, '--policy', join(folder, 'policy.json'), '--engine', engine, '--development-root', root)
  t.match(elsewhere, { code: 1, out: /\nFAILED +nats-authorities .*\n +Feeds over NATS may end at somebody else’s server/ })
  t.match(elsewhere.out, /\(56 passed, 1 failed/)

  t.match(await darkpool('verify', url, '--policy', root, '--engine', engine), { code: 2 })
  t.match(await darkpool('verify', url, '--policy', join(folder, 'policy.json')), { code: 2, error: /--rpc/ })
  t.match(await darkpool('verify', 'https://127.0.0.1:1', '--policy', join(folder, 'policy.json'), '--engine', engine), { code: 4 })
})

t.test('an operator’s command trusts the NATS that an enclave names which passes, and speaks to no other', async (t) => {
  const operator = Keypair.random()
  const certificate = (authority: NatsAuthority): string => file(`${authority.fingerprint}.pem`, authority.issue(own.publicKey, ['127.0.0.1'], new Date()))
  // It begins with TLS at once. No gateway is there to let anybody in.
  const keys = await testKeys()
  const server = async (authority: NatsAuthority): Promise<string> => {
    const nats = await startNats({ traders: { venue: 'local', keys }, configuration: `tls { cert_file: ${JSON.stringify(certificate(authority))}, key_file: ${JSON.stringify(file('nats.key', own.key))}, handshake_first: "100ms" }` })
    t.teardown(() => nats.stop())
    return `tls://127.0.0.1:${nats.port}`
  }
  const [address, elsewhere] = await Promise.all([server(authorities[0]!), server(new NatsAuthority('local', 2, randomBytes(32)))])
  const { url } = await venue({}, own, { venue: 'local', nats: { ...markets.nats, addresses: [address] } })
  const asked = (...more: string[]) => ran(status, ['status', '--operator', file('operator.seed', operator.secret()), '--url', url, ...more])
  const verifying = ['--policy', join(folder, 'policy.json'), '--engine', engine, '--development-root', root]
  await t.rejects(asked(...verifying), { name: 'Declined', message: new RegExp(`^NATS at ${address} does not let ${operator.publicKey()} in`) })
  await t.rejects(asked(...verifying, '--nats', elsewhere), { name: 'NatsAway', message: /certificate/ }, 'nor one whose certificate is of another authority')
  await t.rejects(asked(...verifying, '--engine', `G${'B'.repeat(55)}`), { name: 'Declined', message: /is not one that the policy accepts \(engine-key\)/ })
  await t.rejects(asked(), { name: 'NeverSent' }, 'a certificate that nobody answers for is not believed without evidence')
})

t.test('collateral of one’s own takes the place of what the venue brings along', async (t) => {
  const { url } = await venue({ shown: (evidence) => ({ ...evidence, collateral: null }) })
  const args = ['verify', url, '--policy', join(folder, 'policy.json'), '--engine', engine, '--development-root', root]
  t.match(await darkpool(...args), { code: 1, out: /FAILED +collateral/ })
  const collateral = file('collateral.json', JSON.stringify((await shownWith({ at: new Date() })).pki.collateral()))
  t.match(await darkpool(...args, '--collateral', collateral), { code: 0, out: /collateral +as it was given/ })
})

t.test('a program looks at the enclave, and a client sends nothing to one that does not pass', async (t) => {
  const judge: Judge = (evidence, asked) => verifyDevelopmentEvidence(evidence, asked, pki.rootKey)
  const { policy } = question
  const judgement = { policy, registeredEngine: engine }
  const transport = (): TlsTransport => {
    const tls = new TlsTransport({ rejectUnauthorized: false })
    t.teardown(() => tls.close())
    return tls
  }
  const sound = await venue()
  await new VenueReader(sound.url, { transport: transport(), verify: verifiedEnclave(judgement, judge) }).time()
  t.same(sound.asked, ['/api/v1/attestation', '/api/v1/time'])

  const { ok, checks } = await new VenueReader(sound.url, { transport: transport() }).verifyEnclave(judgement)
  t.notOk(ok, 'a test PKI is refused by what a client has')
  t.same(checks.filter((check) => !check.ok && check.blockedBy === null).map(({ name }) => name), ['root-key', 'crl-chain', 'tcb-info-chain', 'qe-identity-chain'])

  const between = await venue({}, strangers)
  const reader = new VenueReader(between.url, { transport: transport(), verify: verifiedEnclave(judgement, judge) })
  await t.rejects(reader.time(), { name: 'NotVerified', cause: { name: 'EvidenceRefused', message: /^tls-key: Somebody stands between/ } })
  t.same(between.asked, ['/api/v1/attestation'], 'and nothing else was sent')
})
