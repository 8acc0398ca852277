import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { keepingVersions } from '../../scripts/venue/venueFile.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import type { Command } from '../../src/cli/command.ts'
import { journal } from '../../src/cli/commands/journal.ts'
import { keys } from '../../src/cli/commands/keys.ts'
import { vault as vaultCommand } from '../../src/cli/commands/vault.ts'
import { keyPaths } from '../../src/enclave/keys.ts'
import { developmentKeys } from '../../src/enclave/simulator/developmentKeys.ts'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { ActorName, MarketName } from '../../src/protocol/identity.ts'
import type { ActorStatus } from '../../src/protocol/packets.ts'
import { pairActor, Subjects, vaultActor } from '../../src/protocol/subjects.ts'
import type { VenueFile } from '../../src/protocol/venue.ts'
import { VaultGovernance } from '../../src/settlement/governance/vaultGovernance.ts'
import { engineKeys } from '../../src/settlement/engines.ts'
import { startNats } from '../nats/server.ts'
import { venueFile } from '../runtime/venueFile.ts'
import { DeployedVault } from '../settlement/deployedVault.ts'
import { LocalChain, PASSPHRASE } from '../settlement/localChain.ts'
import { until } from '../settlement/waiting.ts'
import { example, examplesOf, ran } from './exampleRun.ts'
import type { Ran } from './exampleRun.ts'

// The steps of the page about rotating keys, one after another, on a shard as a process, a real nats-server and the contract on a real chain.

t.setTimeout(600_000)

const folder = t.testdir()
mkdirSync(join(folder, '.darkpool', 'keys'), { recursive: true })
const keysFile = join(folder, '.darkpool', 'keys', 'root')
const venueAt = join(folder, '.darkpool', 'venue.json')
const secrets = developmentKeys(keysFile)
const password = Buffer.from(await secrets.secret(keyPaths.nats)).toString('hex')
const nats = await startNats({ password })
const chain = await LocalChain.start('0.2', true)
const vault = await DeployedVault.deploy(chain)
const plain = venueFile(nats.url)
const market = { ...plain.markets[0]!, base: 'XLM', quote: 'USD' }
const assets = vault.assets.map((asset, n) => ({ ...asset, code: n === 0 ? 'XLM' : 'USD' }))
const file: VenueFile = { ...plain, network: { passphrase: PASSPHRASE, rpc: chain.url }, vault: { contract: vault.contract.id, fromLedger: vault.fromLedger }, assets, markets: [market] }
writeFileSync(venueAt, JSON.stringify(file))
writeFileSync(join(folder, '.darkpool', 'keys', 'admin.seed'), `${vault.admin.secret()}\n`, { mode: 0o600 })
const connection = await connectNats({ servers: [nats.url], user: nats.user, password }, 'test')
const subjects = new Subjects('test')
/** Those that need no chain: the engine's change while trades settle is test/settlement/engineChange.test.ts's. */
const actors = [vaultActor(0), pairActor('XLM-USD' as MarketName)]
const heard = new Map<ActorName, ActorStatus>()
connection.subscribe(subjects.allStatus, { callback: (_, { data }) => { const said = decode<ActorStatus>(data); heard.set(said.actor, said) } })
let shard: ChildProcess | undefined
let said = ''
t.teardown(async () => {
  if (shard !== undefined && shard.exitCode === null) {
    const gone = once(shard, 'close')
    shard.kill('SIGKILL')
    await gone
  }
  await connection.close()
  await nats.stop()
  await chain.end()
})
process.chdir(folder)

/** Whoever ran before drains first, as an operator has it. */
async function startAnew(): Promise<void> {
  if (shard !== undefined) {
    const gone = once(shard, 'close')
    shard.kill('SIGTERM')
    t.same((await gone)[0], 0)
  }
  heard.clear()
  shard = fork(join(import.meta.dirname, '../../src/actors/shard.ts'), ['--venue', venueAt, '--keys', keysFile, '--node', 'a', '--actors', actors.join()], { silent: true })
  said = ''
  shard.stdout!.on('data', (lines: Buffer) => (said += lines.toString()))
  shard.stderr!.resume()
  await until('every actor runs', () => actors.every((actor) => heard.get(actor)?.state === 'running'))
}
const versions = (): VenueFile['keys'] => (JSON.parse(readFileSync(venueAt, 'utf8')) as VenueFile).keys

const commands: Readonly<Record<string, Command>> = { keys, vault: vaultCommand }
const [first, second] = await engineKeys(secrets, {})
const variables = { NEXT_ENGINE: second!.key.publicKey() }
const lines = [...examplesOf('operations/rotate-keys.md')]
async function next(start: string): Promise<Ran> {
  const line = lines.shift() ?? ''
  if (!line.startsWith(`npx darkpool ${start}`)) throw new Error(`the page goes on with: ${line}`)
  return example(commands[start.split(' ')[0]!]!, line, variables)
}
const declined = (message: RegExp) => ({ name: 'Declined', message })

// The venue's founding: the first version obeyed at once, while nobody has an account.
await chain.server.requestAirdrop(first!.key.publicKey())
await ran(vaultCommand, ['vault', 'register-engine', first!.key.publicKey(), '--as', 'admin'])
const alice = await vault.trader()
await vault.deposit(alice, 1, 1_000n)
await startAnew()

t.test('what there is', async (t) => {
  const { json, text, failed } = await next('keys show')
  t.match(json, {
    engine: { version: 1, obeyed: 1, keys: [{ version: 1, key: first!.key.publicKey(), obeyed: true, stroops: /^[1-9]/ }, { version: 2, key: second!.key.publicKey(), obeyed: false, due: null, stroops: '0' }] },
    journal: { version: 1, oldest: 1, keys: [{ version: 1, id: /^[0-9a-f]{16}$/ }, { version: 2 }], older: { length: 0 } },
    tokens: { version: 1 }, feeds: { version: null }, 'nats-authority': { version: null, certificates: { length: 0 } },
  })
  t.match(text, new RegExp(`^key +version\nengine +1  the vault obeys version 1\n[^]*${second!.key.publicKey()}, no account\njournal +1  nothing needs an older version\n`))
  t.notOk(failed)
  for (const path of ['darkpool/v1/engine', 'darkpool/v2/engine', 'darkpool/v1/journal', 'darkpool/v2/journal', 'darkpool/v1/tokens']) {
    const secret = Buffer.from(await secrets.secret(path))
    for (const spelling of [secret.toString('hex'), secret.toString('base64')]) t.notOk((text + JSON.stringify(json)).includes(spelling), 'nothing secret is shown')
  }
  for (const wrong of [['rotate'], ['rotate', 'nats'], ['rotate', 'journal', 'more'], ['retire', 'engine'], ['show', 'engine']]) await t.rejects(ran(keys, ['keys', ...wrong]), { name: 'UsageFault' })
  await t.rejects(ran(keys, ['keys', 'rotate', 'feeds']), declined(/feeds are not sealed/))
  await t.rejects(ran(keys, ['keys', 'rotate', 'nats-authority']), declined(/speak no TLS/))
})

t.test('the engine: funded, announced, changed when due, and then taken into the venue file', async (t) => {
  const governance = new VaultGovernance({ server: chain.server, passphrase: PASSPHRASE }, vault.contract.id)
  await t.rejects(ran(keys, ['keys', 'rotate', 'engine']), declined(/does not obey version 2 .*it has no account: create it first, .*register-engine G.* announces it/))
  await chain.server.requestAirdrop(second!.key.publicKey())
  t.match((await next('vault register-engine')).json, { registered: false, due: Number })
  await t.rejects(ran(keys, ['keys', 'rotate', 'engine']), declined(/it is announced and due 2\d{3}-.* makes the change from then on/))
  t.match((await ran(keys, ['keys', 'show'])).text, /, announced, due 2\d{3}-/)
  t.same(versions(), undefined)
  await chain.jump(await governance.changeDelay_s())
  t.match((await next('vault register-engine')).json, { registered: true })
  t.equal(await governance.engine(0), second!.key.publicKey())
  t.match(await ran(keys, ['keys', 'rotate', 'engine', '--dry-run']), { text: /\n\+ +"engine": 2\n[^]*nothing was written$/, json: { written: false } })
  t.same(versions(), undefined)
  t.match((await next('keys rotate engine')).json, { key: 'engine', version: 2, written: true })
  t.same(versions(), { engine: 2 })
  t.match(await ran(keys, ['keys', 'show']), { failed: false, json: { engine: { version: 2, obeyed: 2, keys: [{ version: 1 }, { version: 2 }, { version: 3 }] } } })
})

t.test('the journal key: taken up by shards, stored anew, and the old one let go', async (t) => {
  const { records } = heard.get(actors[0]!)!
  for (let request = 1; request <= 3; request++) connection.publish(subjects.clients(actors[0]!), encode({ gateway: 'g1', items: [{ request, command: { kind: 'unknown' } }] }))
  await until('they are journaled', () => heard.get(actors[0]!)!.records > records)
  t.match((await next('keys rotate journal')).json, { key: 'journal', version: 2 })
  await t.rejects(ran(keys, ['keys', 'rotate', 'journal']), declined(/^not sealed with version 2 yet: vault\.0, pair\.XLM-USD\. /), 'none may be two versions behind')
  await t.rejects(ran(keys, ['keys', 'retire', 'journal']), declined(/^what is stored still needs an older key: vault\.0 \(version 1\), /))
  await startAnew()
  // Some seconds for each, as the shard looks for what is due.
  for (const end = Date.now() + 300_000; said.split('"message":"taken"').length <= 3 * actors.length; await delay(100)) if (Date.now() > end) throw new Error('never stored anew')
  t.match(await next('keys show'), { text: /\njournal +2  nothing needs an older version\n/ })
  t.match((await next('keys retire')).json, { key: 'journal', oldest: 2 })
  t.same(versions(), { engine: 2, journal: 2, journalOldest: 2 })
  await startAnew()
  const { json, failed } = await ran(journal, ['journal', 'verify', ...actors])
  t.notOk(failed, 'all of it agrees, without the first key')
  t.match(json, actors.map((actor) => ({ actor, faults: { length: 0 } })))
  t.match((await ran(keys, ['keys', 'show'])).json, { journal: { version: 2, oldest: 2, keys: [{ version: 2 }, { version: 3 }] } })
})

t.test('session tokens', async (t) => {
  t.match(await next('keys rotate tokens'), { json: { key: 'tokens', version: 2 }, text: /Start the gateways anew/ })
  t.same(versions(), { engine: 2, journal: 2, journalOldest: 2, tokens: 2 })
  t.equal(lines.length, 0, 'every example has run')
})

t.test('a local venue that is started anew keeps what was raised', (t) => {
  const written = keepingVersions({ ...file, nats: { ...file.nats, sealed: 1 } }, { ...file, keys: { journal: 3 }, nats: { ...file.nats, sealed: 2, tls: 2 } })
  t.same(written, { ...file, keys: { journal: 3 }, nats: { ...file.nats, sealed: 2 } })
  t.same(keepingVersions({ ...file, nats: { ...file.nats, tls: 2 } }, file), { ...file, nats: { ...file.nats, tls: 2 } })
  t.end()
})

t.test('a chain that does not answer, and a vault that obeys somebody else', async (t) => {
  await ran(vaultCommand, ['vault', 'remove-engine', '0', '--as', 'admin'])
  t.match(await ran(keys, ['keys', 'show']), { failed: true, text: /THE VAULT OBEYS NONE OF ITS VERSIONS/, json: { engine: { obeyed: null } } })
  await chain.stop()
  t.match(await ran(keys, ['keys', 'show']), { failed: true, text: /not known: the vault cannot be asked/, said: /the vault cannot be asked: /, json: { engine: { obeyed: null, keys: { length: 0 } } } })
})
