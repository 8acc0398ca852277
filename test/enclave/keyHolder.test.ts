import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { ThreadKeys } from '../../src/actors/threadKeys.ts'
import { engineKeyPaths } from '../../src/enclave/engineKeys.ts'
import { journalKeyPaths } from '../../src/enclave/journalKeys.ts'
import { tokenKeyPaths } from '../../src/enclave/tokenKeys.ts'
import { givenKeys } from '../../src/enclave/givenKeys.ts'
import { holderSocket, KeyHolder } from '../../src/enclave/holder/keyHolder.ts'
import { HolderAway, KeyLink, KeyRefused } from '../../src/enclave/holder/keyLink.ts'
import { keyRoles } from '../../src/enclave/holder/roles.ts'
import { engineKeyPath, feedKeyPath, journalKeyPath, keyPaths, natsAuthorityPath, tokenKeyPath } from '../../src/enclave/keys.ts'
import { NATS_CERTIFICATE_MS } from '../../src/enclave/natsAuthority.ts'
import { sourceKeyPaths } from '../../src/enclave/sourceKeys.ts'
import { openKeys } from '../../src/enclave/openKeys.ts'
import { developmentKeys } from '../../src/enclave/simulator/developmentKeys.ts'
import { newTlsKey } from '../../src/enclave/tlsIdentity.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import { testSecrets, venueFile } from '../gateway/stage.ts'

const folder = mkdtempSync(join(tmpdir(), 'darkpool-holder-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const venue = { ...venueFile({ url: 'nats://127.0.0.1:1', user: 'darkpool' }), enclave: { kind: 'development' as const } }
venue.nats.sealed = 2
venue.nats.tls = 2
venue.settlement.sources = 2
venue.keys = { journal: 3, journalOldest: 2 }
const refusals: string[] = []
const failures: unknown[] = []
const holder = await KeyHolder.open(venue, testSecrets, null, join(folder, 'run'), { refused: (role, path) => refusals.push(`${role} ${path}`), failed: (_role, error) => failures.push(error) })
t.teardown(() => holder.close())
const link = (role: (typeof keyRoles)[number]) => new KeyLink(holderSocket(join(folder, 'run'), role), 0)

const everyPath = [...Object.values(keyPaths), ...[1, 2, 3, 4].map(feedKeyPath), ...[1, 2, 3].map(natsAuthorityPath), ...[1, 2, 3, 4, 5, 6].map(journalKeyPath), ...[1, 2, 3, 4].map(engineKeyPath), ...[1, 2, 3, 4].map(tokenKeyPath), ...[0, 1, 2].map((n) => `darkpool/v1/source/${n}`)]
/** Written out: what is allowed is not to follow from the code that allows it. One version further than the venue file needs, for whoever comes back with the next venue file. */
const allowed = {
  gateway: [...['gateway', 'tokens', 'nats', 'nats-issuer', 'nats-exchange', 'nats-traders', 'nats-system', 'receipts'].map((name) => `darkpool/v1/${name}`), ...[2, 3].map((version) => `darkpool/v${version}/tokens`)],
  shard: [...['engine', 'source/0', 'source/1', 'nats', 'receipts'].map((name) => `darkpool/v1/${name}`), ...[2, 3, 4, 5].map((version) => `darkpool/v${version}/journal`), ...[2, 3].map((version) => `darkpool/v${version}/engine`)],
  nats: ['nats', 'nats-issuer', 'nats-exchange', 'nats-traders', 'nats-system'].map((name) => `darkpool/v1/${name}`),
}

t.test('each process gets the keys of its role, and no other', async (t) => {
  for (const role of keyRoles) {
    const own = role === 'nats' ? allowed.nats : [...allowed[role], ...[1, 2, 3].map(feedKeyPath)]
    for (const path of everyPath) {
      if (own.includes(path)) t.same(await link(role).secret(path), await testSecrets.secret(path), `${role} has ${path}`)
      else await t.rejects(link(role).secret(path), KeyRefused, `${role} has no ${path}`)
    }
    await t.rejects(link(role).secret('darkpool/v1/engine/'), KeyRefused)
    await t.rejects(link(role).secret('__proto__'), KeyRefused)
    t.equal(statSync(holderSocket(join(folder, 'run'), role)).mode & 0o777, 0o600)
    t.equal(statSync(join(folder, 'run', role)).mode & 0o777, 0o700)
  }
  t.ok(refusals.includes('gateway darkpool/v1/engine') && refusals.includes('gateway darkpool/v1/journal') && refusals.includes('shard darkpool/v1/gateway'))
  t.same(failures, [])
})

t.test('a nats-server gets certificates of the venue’s authority, whose key no process gets', async (t) => {
  const authorities = (await link('nats').authorities()).map((pem) => new X509Certificate(pem))
  for (const role of keyRoles) t.same(await link(role).authorities(), authorities.map(String), `${role} knows whom to trust`)
  t.same(authorities.map(({ subject }) => subject), [2, 3, 1].map((version) => `CN=darkpool local NATS ${version}`), 'the current one, and those next to it')
  const { publicKey } = newTlsKey()
  const issued = new X509Certificate(await link('nats').certificate(publicKey, ['127.0.0.1', 'a.example']))
  t.ok(issued.verify(authorities[0]!.publicKey) && issued.checkIssued(authorities[0]!))
  t.notOk(issued.ca)
  t.same(issued.publicKey.export({ type: 'spki', format: 'der' }), Buffer.from(publicKey))
  t.same([issued.checkHost('a.example'), issued.checkIP('127.0.0.1'), issued.checkHost('b.example')], ['a.example', '127.0.0.1', undefined])
  t.equal(issued.validToDate.getTime() - issued.validFromDate.getTime(), NATS_CERTIFICATE_MS + 3_600_000, 'for a week, and an hour for clocks that differ')
  for (const role of ['gateway', 'shard'] as const) await t.rejects(link(role).certificate(publicKey, ['a.example']), KeyRefused)
  for (const [key, hosts] of [[publicKey, []], [publicKey, ['a b']], [publicKey, Array<string>(9).fill('a.example')], [publicKey.subarray(1), ['a.example']], [new Uint8Array(0), ['a.example']]] as const) await t.rejects(link('nats').certificate(key, hosts), /not a request for a certificate/)
  const plain = await KeyHolder.open({ ...venue, nats: { servers: venue.nats.servers, user: venue.nats.user } }, testSecrets, null, join(folder, 'plain'), { refused: () => undefined, failed: () => undefined })
  t.teardown(() => plain.close())
  await t.rejects(new KeyLink(holderSocket(join(folder, 'plain'), 'nats'), 0).certificate(publicKey, ['a.example']), /speak no TLS/)
  await t.rejects(new KeyLink(holderSocket(join(folder, 'plain'), 'shard'), 0).authorities(), /speak no TLS/)
})

t.test('a thread of the shard has what its actor needs', async (t) => {
  const actors = readVenue(venue).actors
  const keys = await ThreadKeys.open(link('shard'), readVenue(venue), actors)
  const feeds = [feedKeyPath(1), feedKeyPath(2)]
  const journals = [2, 3, 4].map(journalKeyPath)
  const engines = [1, 2].map(engineKeyPath)
  for (const thread of ['snapshots' as const, ...actors]) {
    const role = thread.split('.')[0]!
    const own = [...journals, ...(role === 'vault' ? feeds : []), ...(role === 'settlement' ? [...engines, ...sourceKeyPaths(readVenue(venue).file)] : []), ...(role === 'settlement' || role === 'snapshots' ? [keyPaths.receipts] : [])]
    t.same(Object.keys(keys.of(thread)).sort(), [...own].sort(), thread)
    if (role !== 'settlement') await t.rejects(givenKeys(keys.of(thread)).secret(engineKeyPath(1)), /is not for this part of the venue/)
  }
  // A shard without the settlement actor does not even ask for the engine's key.
  const pairs = await ThreadKeys.open(link('shard'), readVenue(venue), ['pair.XLM-USDC' as ActorName])
  t.throws(() => pairs.of('settlement.0' as ActorName), /is not for this part/)
})

t.test('a holder whose agent is away, or that is away itself, is waited for', async (t) => {
  let away = true
  const run = join(folder, 'waiting')
  const path = holderSocket(run, 'shard')
  await t.rejects(new KeyLink(path, 0).secret(keyPaths.nats), HolderAway)
  const asked = new KeyLink(path).secret(keyPaths.nats)
  const waiting = await KeyHolder.open(venue, { secret: async (which) => (away ? Promise.reject(new Error('the agent is away')) : testSecrets.secret(which)) }, null, run, { refused: () => undefined, failed: () => (away = false) })
  t.teardown(() => waiting.close())
  t.same(await asked, await testSecrets.secret(keyPaths.nats))
})

t.test('a venue in an enclave takes no keys from a file', async (t) => {
  const file = join(folder, 'root')
  await t.rejects(openKeys(file, { enclave: { kind: 'dstack' } }), /takes its keys from the key holder/)
  t.same(await (await openKeys(file, {})).secret('a'), await developmentKeys(file).secret('a'))
  t.same(await (await openKeys(`unix:${holderSocket(join(folder, 'run'), 'shard')}`, { enclave: { kind: 'dstack' } })).secret(engineKeyPath(1)), await testSecrets.secret(engineKeyPath(1)))
})

t.test('nothing outside the simulator needs it, so that an image can be without', async (t) => {
  const source = join(import.meta.dirname, '../../src')
  for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.startsWith('enclave/simulator')) continue
    t.notMatch(readFileSync(join(source, file), 'utf8'), /^(import|export)[^;]*from '[^']*simulator\//m, file)
  }
  const image = join(folder, 'image')
  for (const part of ['enclave', 'protocol']) cpSync(join(source, part), join(image, 'src', part), { recursive: true })
  rmSync(join(image, 'src/enclave/simulator'), { recursive: true })
  symlinkSync(join(import.meta.dirname, '../../node_modules'), join(image, 'node_modules'))
  writeFileSync(join(image, 'package.json'), '{"type":"module"}')
  writeFileSync(join(image, 'try.ts'), "import { openKeys } from './src/enclave/openKeys.ts'\nawait openKeys('root', {})\n")
  t.match(await ended(join(image, 'try.ts')), { code: 1, stderr: /this build takes no development keys/ })
})

t.test('the holder as a process', async (t) => {
  const rootFile = join(folder, 'agent-root')
  const socket = join(folder, 'agent.sock')
  const agentMain = join(import.meta.dirname, '../../src/enclave/simulator/main.ts')
  t.match(await ended(agentMain), { code: 2, stderr: /usage: / })
  const agent = spawn(process.execPath, [agentMain, '--root', rootFile, '--socket', socket], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  t.teardown(() => agent.kill('SIGKILL'))
  t.same(await once(agent, 'message'), [{ type: 'ready' }, undefined])
  const main = join(import.meta.dirname, '../../src/enclave/holder/main.ts')
  const file = (name: string, contents: object): string => {
    mkdirSync(join(folder, 'venues'), { recursive: true })
    writeFileSync(join(folder, 'venues', name), JSON.stringify(contents))
    return join(folder, 'venues', name)
  }
  const { enclave: _, ...outside } = venue
  const production = file('production', { ...venue, enclave: { kind: 'dstack' } })
  const sockets = join(folder, 'process')
  t.match(await ended(main), { code: 2, stderr: /usage: / })
  t.match(await ended(main, '--venue', file('outside', outside), '--sockets', sockets), { code: 2, stderr: /names no enclave/ })
  t.match(await ended(main, '--venue', production, '--sockets', sockets, '--agent', socket), { code: 2, stderr: /keys come from \/var\/run\/dstack\.sock and nowhere else/ })

  const child = spawn(process.execPath, [main, '--venue', file('venue', venue), '--sockets', sockets, '--agent', socket], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  t.teardown(() => child.kill('SIGKILL'))
  let logged = ''
  child.stdout!.on('data', (chunk: Buffer) => (logged += chunk.toString()))
  t.same(await once(child, 'message'), [{ type: 'ready' }, undefined])
  const engine = await new KeyLink(holderSocket(sockets, 'shard'), 0).secret(engineKeyPath(1))
  t.same(engine, await developmentKeys(rootFile).secret(engineKeyPath(1)))
  await t.rejects(new KeyLink(holderSocket(sockets, 'gateway'), 0).secret(engineKeyPath(1)), /the gateway may not have that key/)
  // The venue file was changed, and a shard that died comes back by it.
  for (const path of [...engineKeyPaths({ keys: { engine: 2 } }), ...journalKeyPaths({ keys: { journal: 4, journalOldest: 2 } })]) t.equal((await new KeyLink(holderSocket(sockets, 'shard'), 0).secret(path)).length, 32, path)
  for (const path of tokenKeyPaths({ keys: { tokens: 2 } })) t.equal((await new KeyLink(holderSocket(sockets, 'gateway'), 0).secret(path)).length, 32, path)
  await t.rejects(new KeyLink(holderSocket(sockets, 'shard'), 0).secret(journalKeyPath(6)), /the shard may not have that key, by the venue file/, 'raised twice')
  for (const one of [child, agent]) {
    const closed = once(one, 'close')
    one.kill('SIGTERM')
    t.same(await closed, [0, null])
  }
  t.match(logged, /"role":"gateway","path":"darkpool\/v1\/engine"/)
  t.notMatch(logged, Buffer.from(engine).toString('hex'))
})

async function ended(program: string, ...args: string[]): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stderr }
}
