import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Keypair } from '@stellar/stellar-sdk/base'
import t from 'tap'
import type { Test } from 'tap'
import { appCompose, composeOf, nodeEnvironments } from '../../scripts/image/compose.ts'
import { runCommand } from '../../scripts/setup/command.ts'
import { composeGo, installComposeGo } from '../../scripts/setup/composeGo.ts'
import { paths } from '../../scripts/setup/paths.ts'
import { assertClosed, imagesOf, readAppCompose } from '../../src/client/enclave/compose.ts'
import { readNodes } from '../../src/configuration/nodes.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import type { VenueFile } from '../../src/protocol/venue.ts'
import { venueFile } from '../gateway/stage.ts'

const folder = mkdtempSync(join(tmpdir(), 'darkpool-compose-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

const plain = venueFile({ url: 'nats://127.0.0.1:4222', user: 'darkpool' })
const inVm: VenueFile = { ...plain, nats: { ...plain.nats, servers: ['127.0.0.1:4222'] }, enclave: { kind: 'dstack' }, gateway: { ...plain.gateway, host: '0.0.0.0', port: 8_443 } }
const image = `registry.example/darkpool@sha256:${'1'.repeat(64)}`
const deployment = (file: VenueFile, more: object = {}) => ({ image, venue: readVenue(file), port: 443, ...more })
const inThree: VenueFile = { ...inVm, nats: { ...inVm.nats, replicas: 3, tls: 1, traders: true, addresses: ['tls://app-4222s.example:443'] } }
const withNats: VenueFile = { ...inVm, nats: { ...inVm.nats, tls: 1, traders: true, addresses: ['tls://app-4222s.example:443'] } }
const places = 'a=one-6222s.example:443,b=two-6222s.example:443,c=three-6222s.example:443'
/** What Docker Compose would understand. @param told environment from outside: put in here, since this reader’s command hands none on to what reads */
async function understood(file: VenueFile, told: Readonly<Record<string, string>> = {}) {
  const path = join(folder, 'docker-compose.yaml')
  writeFileSync(path, composeOf(deployment(file)).replace(/(?<!\$)\$\{([A-Z_]+):\?[^}]*\}/g, (variable, name: string) => told[name] ?? variable))
  return runCommand(composeGo, ['-format', 'json', path], { timeout_ms: 60_000 })
}

interface Service {
  readonly image: string
  readonly user: string
  readonly read_only?: boolean
  readonly privileged?: boolean
  readonly cap_drop: readonly string[]
  readonly security_opt: readonly string[]
  readonly network_mode?: string
  readonly ports?: readonly { readonly target: number; readonly published: string }[]
  readonly volumes: readonly { readonly type: string; readonly source?: string; readonly target: string; readonly read_only?: boolean }[]
  readonly environment: Readonly<Record<string, string>>
  readonly command: readonly string[]
}

t.test('Docker Compose’s own reader takes it, and what it understood is what is meant', async (t) => {
  await installComposeGo(() => undefined)
  // A dollar sign begins a variable there.
  const network = { ...inVm.network, passphrase: 'a $HOME of ${ITS} own' }
  await sealedOff(t, { ...inVm, network }, {}, [{ target: 8_443, published: '443' }])
  await sealedOff(t, withNats, {}, [{ target: 8_443, published: '443' }, { target: 4_222, published: '4222' }])
  const env = { DARKPOOL_NODE: 'b', DARKPOOL_NODES: places }
  const { nats, shard } = await sealedOff(t, { ...inThree, network }, env, [{ target: 8_443, published: '443' }, { target: 4_222, published: '4222' }, { target: 6_222, published: '6222' }])
  t.match(nats?.command.join(' '), `--node b --nodes ${places}`, 'a VM of three is told which it is, and where the others are')
  t.match(shard?.command.join(' '), '--node b')
  for (const name of Object.keys(env)) t.match(await understood(inThree, Object.fromEntries(Object.entries(env).filter(([other]) => other !== name))), { code: 1, output: new RegExp(`required variable ${name} is missing a value`) }, 'and is not started untold')
})

/** Whatever the venue, no part reaches more than it needs. */
async function sealedOff(t: Test, file: VenueFile, env: Readonly<Record<string, string>>, ports: readonly object[]): Promise<Readonly<Record<string, Service>>> {
  const { code, output } = await understood(file, env)
  t.equal(code, 0, output)
  const { services } = JSON.parse(output) as { services: Readonly<Record<string, Service>> }
  t.same(Object.keys(services).sort(), ['gateway', 'keys', 'nats', 'shard'])
  for (const [name, service] of Object.entries(services)) {
    t.match(service, { image, user: '65532:65532', read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'], ulimits: { core: 1 } }, name)
    t.equal(service.privileged, undefined)
    t.same(JSON.parse(service.environment.DARKPOOL_VENUE ?? ''), file, `${name} reads the venue as it was given`)
    t.same(service.volumes.map(({ target }) => target).filter((target) => target === '/var/run/dstack.sock'), name === 'keys' ? ['/var/run/dstack.sock'] : [], `${name} and the guest agent’s socket`)
    t.same(service.volumes.filter(({ type }) => type === 'bind').length, name === 'keys' ? 1 : 0, `${name} has no other file of the host`)
    if (name !== 'keys') t.same(service.volumes.filter(({ source }) => source?.startsWith('keys-')), [{ type: 'volume', source: `keys-${name}`, target: `/run/darkpool/${name}`, read_only: true, volume: {} }], `${name} reaches its own keys alone`)
  }
  t.equal(services.keys?.network_mode, 'none')
  t.same([services.shard?.network_mode, services.gateway?.network_mode], ['service:nats', 'service:nats'])
  t.match(Object.values(services).flatMap(({ ports }) => ports ?? []), ports)
  t.equal(Object.values(services).flatMap(({ ports }) => ports ?? []).length, ports.length)
  return services
}

t.test('what is hashed is what is written, and it lets nothing out and nothing in', async (t) => {
  const { compose, text, hash } = appCompose(deployment(inVm))
  t.equal(hash, createHash('sha256').update(text, 'utf8').digest('hex'))
  t.match(JSON.parse(text), { docker_compose_file: compose, public_logs: false, public_sysinfo: false, allowed_envs: [], local_key_provider_enabled: false, kms_enabled: true })
  t.match(text, /^[\x20-\x7e]*$/)
  const read = readAppCompose(text)
  t.same(imagesOf(read), [image], 'who verifies the venue reads the same image in it')
  t.doesNotThrow(() => assertClosed(read))
  t.equal(appCompose(deployment(inVm)).hash, hash)
  for (const other of [{ node: 'b' }, { port: 444 }, { image: image.replace('1', '2') }]) t.not(appCompose(deployment(inVm, other)).hash, hash)
})

t.test('the VMs of a venue of three are one app: the same text, in which only the names stand of what each is told', async (t) => {
  const { compose, text } = appCompose(deployment(inThree))
  const read = readAppCompose(text)
  t.match(JSON.parse(text), { name: 'darkpool-local', docker_compose_file: compose, allowed_envs: ['DARKPOOL_NODE', 'DARKPOOL_NODES'], public_logs: false })
  t.same(imagesOf(read), [image])
  t.doesNotThrow(() => assertClosed(read))
  t.same([...nodeEnvironments(` ${places.replaceAll(',', ', ')}`)], ['a', 'b', 'c'].map((name) => [name, `DARKPOOL_NODE=${name}\nDARKPOOL_NODES=${places}\n`]))
})

t.test('what a VM is told is looked at before anything starts', (t) => {
  t.match(readNodes(places, 'b'), { own: { name: 'b', host: 'two-6222s.example', port: 443 }, all: { length: 3 } })
  const refused = (list: string, own: string, sentence: RegExp) => t.throws(() => readNodes(list, own), sentence, list)
  refused(places, 'd', /--node d is none of --nodes/)
  refused(places.replace('b=', 'a='), 'a', /a name twice/)
  refused(places.replace('two', 'one'), 'a', /a place twice/)
  refused(places.split(',').slice(1).join(','), 'b', /names 2: a venue of several nodes has 3 to 9/)
  for (const bad of ['', 'a', 'a=', 'a=host', 'a=host:0', 'a=host:65536', 'a=host:1x', 'A=host:1', '-=host:1', 'a=-host:1', 'a=ho st:1', 'a=ho"st:1', 'a=host/x:1', 'a=u:p@host:1', `a=${'h'.repeat(254)}:1`]) refused(`${bad},${places}`, 'a', /is not NAME=HOST:PORT/)
  t.end()
})

t.test('what cannot run in a VM, or would not be what was hashed, is refused with a sentence', async (t) => {
  const refused = (file: VenueFile, what: RegExp, more: object = {}) => t.throws(() => composeOf(deployment(file, more)), what)
  refused(inVm, /named by its digest/, { image: 'darkpool:latest' })
  refused(inVm, /named by its digest/, { image: `darkpool@sha256:${'1'.repeat(63)}` })
  refused(inVm, /--node/, { node: 'A\n' })
  refused(inVm, /--node/, { node: '-a' })
  refused(inVm, /--port/, { port: Number.NaN })
  refused({ ...inVm, enclave: { kind: 'development' } }, /"kind": "dstack"/)
  refused({ ...inVm, gateway: { ...inVm.gateway, host: '127.0.0.1' } }, /gateway must listen/)
  refused({ ...inVm, nats: { ...inVm.nats, servers: ['10.0.0.1:4222'] } }, /NATS must be/)
  refused({ ...inThree, nats: { ...inThree.nats, servers: ['127.0.0.1:4222', '10.0.0.1:4222'] } }, /NATS must be/)
  refused(inThree, /told its name/, { node: 'a' })
  refused({ ...inThree, nats: { ...inVm.nats, replicas: 3 } }, /`nats.replicas: 3` must have `nats.tls`/)
  refused({ ...inVm, nats: { ...inVm.nats, traders: true, addresses: ['nats://app.example:4222'] } }, /must have `nats.tls`/)
  const operators = [{ key: Keypair.random().publicKey(), may: 'act' as const }]
  refused({ ...inVm, operators }, /with `operators`, must have `nats.tls`/)
  refused({ ...inVm, nats: { ...inVm.nats, tls: 1 }, operators }, /must have `nats.addresses`/)
  t.not(appCompose(deployment({ ...withNats, operators })).hash, appCompose(deployment(withNats)).hash, 'who verifies the venue sees who may act')
  refused({ ...inVm, network: { ...inVm.network, passphrase: 'Zürich' } }, /beyond ASCII/)
})

t.test('a process that crashes leaves no core, neither in such a container nor where `npm start` or `npm test` has begun it', async (t) => {
  const crash = ['-e', 'process.chdir(process.argv[1]); process.abort()', folder]
  const cores = (): string[] => readdirSync(folder).filter((file) => /core/.test(file))
  const inContainer = await runCommand('prlimit', ['--core=1:1', process.execPath, ...crash], { timeout_ms: 60_000 })
  t.not(inContainer.code, 0)
  const bootstrap = join(paths.root, 'scripts', 'bootstrap.sh')
  const started = await runCommand('sh', [bootstrap, '-p', 'require("fs").readFileSync("/proc/self/limits", "utf8")'], { timeout_ms: 60_000 })
  t.match(started.output, /^Max core file size +0 +0 /m)
  await runCommand('sh', [bootstrap, ...crash], { timeout_ms: 60_000 })
  t.same(cores(), [])
})
