import { spawn } from 'node:child_process'
import { randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { connect } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import { jetstreamManager } from '@nats-io/jetstream'
import t from 'tap'
import { paths } from '../../scripts/setup/paths.ts'
import { freePorts } from '../../scripts/venue/ports.ts'
import { JetStreamFeed } from '../../src/actors/runtime/jetstreamFeed.ts'
import { ensureStreams } from '../../src/actors/runtime/streams.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import { readFeed } from '../../src/client/feed.ts'
import { keyAccess } from '../../src/client/natsAccess.ts'
import { openNats } from '../../src/client/natsConnection.ts'
import { VenueReader } from '../../src/client/venueReader.ts'
import { venueNatsAccess } from '../../src/enclave/natsAccess.ts'
import { natsAuthorityPath } from '../../src/enclave/keys.ts'
import { NATS_CERTIFICATE_MS, NatsAuthority, OwnNatsCertificates } from '../../src/enclave/natsAuthority.ts'
import { natsKeys } from '../../src/enclave/natsKeys.ts'
import { newTlsKey } from '../../src/enclave/tlsIdentity.ts'
import { natsConfiguration } from '../../src/natsServer/configuration.ts'
import { renewTlsFiles } from '../../src/natsServer/tlsFiles.ts'
import { tlsFirst } from '../../src/protocol/natsAccess.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import type { VenueFile } from '../../src/protocol/venue.ts'
import { venueFile } from '../gateway/stage.ts'
import { until } from '../settlement/waiting.ts'
import { addressFor, keypairFor } from '../subscribers/stage.ts'
import { greeting, Machine } from './machine.ts'

// What three VMs of one app run of NATS, as three sets of processes on loopback: each with a guest agent, a key holder and a nats-server of its own.

t.setTimeout(600_000)

/** The key management service has more apps than the venue's. */
const root = randomBytes(32)
const [app, otherApp] = [randomBytes(20), randomBytes(20)]
const { nodes: ports } = await freePorts(4)
const [a, b, c, d] = ports.map(({ nats, route }, n) => ({ name: 'abcd'[n]!, nats, route })) as [Place, Place, Place, Place]
type Place = Machine['place']
const places = [a, b, c]
const plain = venueFile({ url: `127.0.0.1:${a.nats}`, user: 'darkpool' })
const venue = (tls: number): VenueFile => ({
  ...plain,
  nats: { ...plain.nats, servers: places.map(({ nats }) => `127.0.0.1:${nats}`), replicas: 3, tls, traders: true, addresses: places.map(({ nats }) => `tls://127.0.0.1:${nats}`) },
  enclave: { kind: 'development' },
})
const { subjects } = readVenue(venue(1))
const machines = await Promise.all(places.map((place) => Machine.open(place, root, app)))
const stranger = await Machine.open(d, root, otherApp)
const folder = mkdtempSync(join(tmpdir(), 'darkpool-cluster-'))
t.teardown(async () => {
  await Promise.all([...machines, stranger].map((machine) => machine.close()))
  rmSync(folder, { recursive: true, force: true })
})

const certificates = (machine: Machine, tls = 1) => new OwnNatsCertificates(machine.keys, venue(tls))
const [own, foreign] = [certificates(machines[0]!), certificates(stranger)]
const trust = (await own.authorities()).join('')
const foreignTrust = (await foreign.authorities()).join('')
await Promise.all(machines.map((machine) => machine.start(venue(1), places, trust)))
const keys = await natsKeys(machines[0]!.keys)
const access = await venueNatsAccess(machines[0]!.keys, venue(1))
const link = await connectNats(access, 'test')
const system = await connect({ servers: [...access.servers], ...tlsFirst(trust), authenticator: keys.system.authenticate, maxReconnectAttempts: -1, reconnectTimeWait: 100, ignoreAuthErrorAbort: true })
t.teardown(async () => {
  await system.close()
  await link.close()
})

/** Names of the servers that are one cluster, as they say themselves. */
async function members(connection: NatsConnection = system): Promise<readonly string[]> {
  const names: string[] = []
  for await (const message of await connection.requestMany('$SYS.REQ.SERVER.PING', '', { maxWait: 1_000 })) names.push(message.json<{ server: { name: string } }>().server.name)
  return names.sort()
}
const everyone = ['darkpool-local-a', 'darkpool-local-b', 'darkpool-local-c']
const allThere = () =>
  until('the three servers are one cluster', async () => {
    try {
      return (await members()).join() === everyone.join()
    } catch {
      // Its server has just ended: it asks another one.
      return false
    }
  })

t.test('the same app has the same authority in every VM, and another app of the same key management has another', async (t) => {
  for (const machine of machines) t.same(await certificates(machine).authorities(), await own.authorities())
  t.notSame(await foreign.authorities(), await own.authorities())
  const [authority] = (await own.authorities()).map((pem) => new X509Certificate(pem))
  t.ok(authority!.ca && authority!.verify(authority!.publicKey))
})

t.test('three servers form one cluster, and streams have a copy on each', async (t) => {
  await allThere()
  await until('the cluster makes streams', async () => {
    try {
      await ensureStreams(link, subjects, 3)
      return true
    } catch {
      // It has no leader yet.
      return false
    }
  })
  const { cluster } = await (await jetstreamManager(link)).streams.info(subjects.journalStream)
  t.same([cluster?.leader, ...(cluster?.replicas ?? []).map(({ name }) => name)].sort(), everyone)
})

t.test('whoever does not begin with TLS is told nothing', async (t) => {
  for (const { nats, route } of places) {
    for (const port of [nats, route]) {
      const socket = createConnection(port, '127.0.0.1')
      let heard = ''
      socket.on('data', (bytes: Buffer) => (heard += bytes.toString('latin1')))
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.write(`CONNECT {"user":"darkpool","pass":"${keys.password}","verbose":true}\r\nPING\r\n`)
      await once(socket, 'close')
      // A TLS alert says that this is no TLS; of NATS there is not a word.
      t.notMatch(heard, /INFO|PONG|OK|ERR/, `port ${port}`)
    }
  }
})

t.test('a server with a certificate of another app is no member, though it knew the password', async (t) => {
  const files = await renewTlsFiles(join(folder, 'tls'), foreign, ['127.0.0.1'])
  const cluster = { host: '127.0.0.1', port: d.route, advertise: `127.0.0.1:${d.route}`, routes: places.map(({ route }) => `127.0.0.1:${route}`) }
  // That it trusts the venue does not help: the venue does not trust it.
  writeFileSync(files.authorities, trust + foreignTrust)
  const file = join(folder, 'nats.conf')
  writeFileSync(file, natsConfiguration({ name: 'darkpool-local-d', port: d.nats, storeFolder: join(folder, 'store'), venue: 'local', user: 'darkpool', keys, tls: { ...files, cluster } }))
  const server = spawn(paths.natsServer, ['--config', file], { stdio: 'ignore' })
  t.teardown(async () => {
    const gone = once(server, 'exit')
    server.kill('SIGKILL')
    await gone
  })
  // Each of the venue's servers has seen it come, and has refused it.
  await until('every server refuses it', () => machines.every((machine) => /TLS route handshake error: tls: failed to verify certificate: x509: certificate signed by unknown authority/.test(machine.log)))
  await allThere()
  const there = await connect({ servers: `127.0.0.1:${d.nats}`, ...tlsFirst(foreignTrust), authenticator: keys.system.authenticate })
  await until('it answers', async () => (await members(there)).join() === 'darkpool-local-d')
  t.notOk((await members()).includes('darkpool-local-d'), 'it is alone')
  await there.close()
})

t.test('the port between servers is for those who show a certificate of the venue', async (t) => {
  const shown = async (from: OwnNatsCertificates, name: string) => {
    const { certificate, key } = await renewTlsFiles(join(folder, name), from, ['127.0.0.1'])
    return { cert: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') }
  }
  const authority = new NatsAuthority('local', 1, await machines[0]!.keys.secret(natsAuthorityPath(1)))
  const { key, publicKey } = newTlsKey()
  const lapsed = { key, cert: authority.issue(publicKey, ['127.0.0.1'], new Date(Date.now() - 2 * NATS_CERTIFICATE_MS)) }
  for (const { route } of places) {
    t.equal(await greeting(route, { ca: trust, ...lapsed }), '', 'as one whose certificate has expired')
    t.match(await greeting(route, { ca: trust, ...(await shown(own, 'own')) }), /^INFO /, 'as one of the app’s own')
    t.equal(await greeting(route, { ca: trust, ...(await shown(foreign, 'foreign')) }), '', 'as one of another app')
    t.equal(await greeting(route, { ca: trust }), '', 'as nobody')
  }
})

t.test('a part of the venue takes no server of another app for its own, and none takes it without the password', async (t) => {
  await t.rejects(connect({ servers: access.servers as string[], ...tlsFirst(foreignTrust), user: access.user, pass: access.password, maxReconnectAttempts: 0 }), /certificate/)
  const foreignPassword = (await natsKeys(stranger.keys)).password
  await t.rejects(connect({ servers: access.servers as string[], ...tlsFirst(trust), user: access.user, pass: foreignPassword, maxReconnectAttempts: 0 }), /Authorization Violation/)
})

t.test('a subscriber who begins with TLS and trusts the venue’s authority alone reads its feed at every server', async (t) => {
  const gateway = spawn(process.execPath, [join(paths.root, 'src/gateway/main.ts'), '--venue', machines[0]!.venuePath, '--keys', machines[0]!.keySocket('gateway'), '--port', '0'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  t.teardown(async () => {
    const gone = once(gateway, 'exit')
    gateway.kill('SIGTERM')
    await gone
  })
  const [{ url }] = (await once(gateway, 'message')) as [{ readonly url: string }]
  const view = await new VenueReader(url).markets()
  t.match(view.nats, { tls: true, authorities: trust, addresses: venue(1).nats.addresses })
  const text = JSON.stringify({ v: 1, seq: 1, account: addressFor('alice'), time: '2026-11-28T00:00:00.000Z', type: 'settled', trades: [], transaction: 'x', ledger: 1 })
  await new JetStreamFeed(link, subjects, 1).store([{ account: addressFor('alice'), text }])
  const trader = keyAccess(keypairFor('alice').secret())
  for (const address of view.nats!.addresses) {
    const connection = await openNats(connect, { nats: { ...view.nats!, addresses: [address] } }, trader, { timeout: 30_000 })
    for await (const message of readFeed(connection, 'local', trader, { after: 0 })) {
      t.equal(JSON.stringify(message), text, address)
      break
    }
    await connection.close()
  }
  let signed = 0
  const watched = { ...trader, options: { ...trader.options, maxReconnectAttempts: 0, authenticator: (nonce?: string) => (signed++, trader.options.authenticator(nonce)) } as unknown as typeof trader.options }
  await t.rejects(openNats(connect, { nats: { ...view.nats!, authorities: foreignTrust } }, watched), /certificate/)
  t.equal(signed, 0, 'a server of another authority is told nothing')
})

/** Which certificate a server shows now. */
async function shownBy({ nats }: Place): Promise<string> {
  const socket = connectTls({ port: nats, host: '127.0.0.1', ca: trust })
  await once(socket, 'secureConnect')
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

t.test('a certificate is renewed while its server runs, and whoever is connected stays', async (t) => {
  const before = await shownBy(b)
  const connection = await connect({ servers: `127.0.0.1:${b.nats}`, ...tlsFirst(trust), user: access.user, pass: access.password, reconnect: false })
  machines[1]!.signal('SIGHUP')
  await until('a new certificate is shown', async () => (await shownBy(b)) !== before)
  await connection.flush()
  t.notOk(connection.isClosed())
  await connection.close()
  // Whoever comes anew meets the renewed one.
  await machines[2]!.stop()
  await machines[2]!.start(venue(1), places, trust)
  await allThere()
})

t.test('servers are changed to the next authority one after another, and are one cluster all the while', async (t) => {
  const next = (await certificates(machines[0]!, 2).authorities()).join('')
  for (const machine of machines) {
    await machine.stop()
    await machine.start(venue(2), places, next)
    await allThere()
  }
  const issuer = new X509Certificate((await certificates(machines[0]!, 2).authorities())[0]!)
  for (const { nats } of places) {
    t.match(await greeting(nats, { ca: issuer.toString() }), /^INFO /, 'with certificates of the new authority')
    t.equal(await greeting(nats, { ca: (await own.authorities())[0]! }), '', 'and of no other')
  }
  // Whoever came before the change trusted the next authority already.
  await until('its connection is back', async () => {
    try {
      await link.flush()
      return true
    } catch {
      // It has just lost its server.
      return false
    }
  })
  // Two steps later the first one opens nothing.
  const last = await certificates(machines[0]!, 3).authorities()
  t.notOk(last.includes((await own.authorities())[0]!))
})
