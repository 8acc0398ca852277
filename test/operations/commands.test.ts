import { execFile, fork, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Keypair, StrKey } from '@stellar/stellar-sdk'
import t from 'tap'
import type { Test } from 'tap'
import { freePort } from '../../scripts/venue/ports.ts'
import { leaseKey, readHolder } from '../../src/actors/placement/keys.ts'
import { KvStore } from '../../src/actors/placement/kvStore.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import { VaultMachine } from '../../src/actors/vault/vaultMachine.ts'
import type { Command } from '../../src/cli/command.ts'
import { drain } from '../../src/cli/commands/drain.ts'
import { journal } from '../../src/cli/commands/journal.ts'
import { killSwitch } from '../../src/cli/commands/killSwitch.ts'
import { metrics } from '../../src/cli/commands/metrics.ts'
import { pair } from '../../src/cli/commands/pair.ts'
import { reconcile } from '../../src/cli/commands/reconcile.ts'
import { settlement } from '../../src/cli/commands/settlement.ts'
import { snapshot } from '../../src/cli/commands/snapshot.ts'
import { status } from '../../src/cli/commands/status.ts'
import { withdrawals } from '../../src/cli/commands/withdrawals.ts'
import { natsKeys } from '../../src/enclave/natsKeys.ts'
import { developmentKeys } from '../../src/enclave/simulator/developmentKeys.ts'
import { catalogue } from '../../src/monitoring/catalogue.ts'
import type { MetricDefinition } from '../../src/monitoring/catalogue.ts'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { AccountId, ActorName, Amount, ContractId, Lots, MessageId, Seconds, Ticks } from '../../src/protocol/identity.ts'
import type { PairMessage } from '../../src/protocol/pair.ts'
import type { ActorStatus, AnswerPacket, ClientPacket, PeerPacket } from '../../src/protocol/packets.ts'
import { pairActor, Subjects, vaultActor, watcherActor } from '../../src/protocol/subjects.ts'
import { plainTerms } from '../../src/protocol/terms.ts'
import type { OperatorQuery, PairReport } from '../../src/protocol/vault.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import { readMetrics, readPage, total } from '../monitoring/page.ts'
import { startNats } from '../nats/server.ts'
import { venueFile } from '../runtime/venueFile.ts'
import { until } from '../settlement/waiting.ts'
import { openVault } from '../vault/openVault.ts'
import { example, examplesOf, ran } from './exampleRun.ts'
import type { Ran } from './exampleRun.ts'

// Shards and a gateway as processes on a real nats-server. The accounts' actor is this test: it says what a vault actor would. What operators say they say with the root key, beside
// the venue, and with keys of their own, by way of the gateway.

t.setTimeout(600_000)

const folder = t.testdir()
mkdirSync(join(folder, '.darkpool', 'keys'), { recursive: true })
const keysFile = join(folder, '.darkpool', 'keys', 'root')
const nats = await startNats({ traders: { venue: 'test', keys: await natsKeys(developmentKeys(keysFile)) } })
const operator = { acts: Keypair.random(), sees: Keypair.random(), stranger: Keypair.random() }
for (const [name, key] of Object.entries(operator)) writeFileSync(join(folder, `${name}.seed`), `${key.secret()}\n`, { mode: 0o600 })
const plainFile = venueFile(nats.url)
const file = {
  ...plainFile,
  nats: { ...plainFile.nats, addresses: [nats.url] },
  gateway: { ...plainFile.gateway, port: await freePort() },
  operators: [{ key: operator.acts.publicKey(), may: 'act' as const }, { key: operator.sees.publicKey(), may: 'see' as const }],
}
const venueAt = join(folder, '.darkpool', 'venue.json')
writeFileSync(venueAt, JSON.stringify({ ...file, markets: [file.markets[0], { ...file.markets[0], base: 'USDC', quote: 'XLM' }] }))
const connection = await connectNats({ servers: [nats.url], user: nats.user, password: nats.password }, 'test')
const subjects = new Subjects('test')
const store = await KvStore.open(connection, subjects, 1)
const [xlm, usdc] = ['XLM-USDC', 'USDC-XLM'].map((name) => pairActor(name as never)) as [ActorName, ActorName]
const actors = [xlm, usdc, 'settlement.0' as ActorName, watcherActor]
t.teardown(async () => {
  await connection.close()
  await nats.stop()
})

const nodes = new Map<string, ChildProcess>()
function start(program: string, args: readonly string[]): ChildProcess {
  const started = fork(join(import.meta.dirname, '../../src', program), ['--venue', venueAt, '--keys', keysFile, ...args], { silent: true })
  started.stdout!.resume()
  started.stderr!.resume()
  t.teardown(async () => {
    if (started.exitCode !== null || started.signalCode !== null) return
    started.kill('SIGKILL')
    await once(started, 'close')
  })
  return started
}
const startNode = (name: string, runs: readonly ActorName[]): void => void nodes.set(name, start('actors/shard.ts', ['--node', name, '--actors', runs.join()]))
async function startGateway(): Promise<ChildProcess> {
  const gateway = start('gateway/main.ts', [])
  await until('the gateway answers', () => fetch(`http://127.0.0.1:${file.gateway.port}/health`).then(({ ok }) => ok, () => false))
  return gateway
}
const owners = async (): Promise<(string | null)[]> => {
  const entries = await store.read()
  return actors.map((actor) => readHolder(entries.get(leaseKey(actor)))?.node ?? null)
}
const running = new Map<ActorName, ActorStatus>()
connection.subscribe(subjects.allStatus, { callback: (_, { data }) => { const said = decode<ActorStatus>(data); running.set(said.actor, said) } })
const settledOn = (node: string, which = actors): Promise<void> => until(`everything runs on ${node}`, () => which.every((actor) => running.get(actor)?.node === node && running.get(actor)?.state === 'running'))

/** Books of the vault actor, for what operators ask of them. */
const books = openVault(new VaultMachine(0, readVenue(JSON.parse(readFileSync(venueAt, 'utf8')))))
const alice = Keypair.random().publicKey() as AccountId

/** What the vault actor has heard of its accounts' orders. */
const heard: PairReport[] = []
const vault = vaultActor(0)
connection.subscribe(subjects.peers(vault), {
  callback: (_, { data }) => {
    const { from, first, items } = decode<PeerPacket<PairReport>>(data)
    heard.push(...items)
    if (items.length > 0) connection.publish(subjects.acks(from), encode({ from: vault, position: first + items.length - 1 }))
  },
})
connection.subscribe(subjects.clients(vault), {
  callback: (_, { data }) => {
    const { gateway, items } = decode<ClientPacket<never, OperatorQuery>>(data)
    const answers = items.flatMap((item) => ('query' in item ? [{ request: item.request, answer: books.machine.query(item.query) }] : []))
    connection.publish(subjects.answers(gateway), encode({ from: vault, answers } satisfies AnswerPacket))
  },
})
let said = 0
function place(account: string): void {
  const number = ++said
  const message: PairMessage = {
    kind: 'place', order: String(number).padStart(64, '0') as MessageId, number, account: account as AccountId, signer: null, side: 'sell', ticks: 100 as Ticks, lots: 2 as Lots, spend: 0n as Amount,
    timeInForce: 'GTC', mayRest: true, terms: plainTerms, expires: (Math.floor(Date.now() / 1_000) + 3_600) as Seconds, created: Date.now() as never, reply: null,
  }
  connection.publish(subjects.peers(xlm), encode({ from: vault, first: number, items: [message] } satisfies PeerPacket<PairMessage>))
}

const byDesk = ['--operator', 'acts.seed'] as const
/** The same command with an operator's key. */
const remotely = (command: Command, args: readonly string[]): Promise<Ran> => ran(command, [...args, ...byDesk])

/** What it shows, but for what counts on and grows older. */
const lasting = ({ text, json, failed }: Ran): object => ({
  text: text.replace(/\b\d+ s\b/g, 'N s').replace(/^(\S+ +.*running +\d+ +)\d+( +)\d+/gm, '$1N$2N').replace(/ +/g, ' '),
  json: JSON.parse(JSON.stringify(json, (name, value: unknown) => (['records', 'backlog', 'age_s'].includes(name) ? 'N' : value))) as unknown,
  failed,
})

/** Both ways show the same. */
async function alike(t: Test, command: Command, args: readonly string[]): Promise<void> {
  t.same(lasting(await remotely(command, args)), lasting(await ran(command, args)), args.join(' '))
}

const commands: Readonly<Record<string, Command>> = { status, settlement, withdrawals, pair, 'kill-switch': killSwitch, snapshot, journal, drain }
process.chdir(folder)
const lines = [...examplesOf('operations/commands.md')]
function next(start: string): Promise<Ran> {
  const line = lines.shift() ?? ''
  if (!line.startsWith(`npx darkpool ${start}`)) throw new Error(`the page goes on with: ${line}`)
  return example(commands[start.split(' ')[0]!]!, line, {})
}
const marketState = async (): Promise<unknown> => (await ran(killSwitch, ['kill-switch', 'off'])).json['markets']

startNode('a', actors)
let gateway = await startGateway()
await settledOn('a')

t.test('what is, and what waits', async (t) => {
  t.match((await next('status')).json, { nodes: [{ node: 'a', state: 'up' }] })
  const listed = await next('pair list')
  t.match(listed.json, { markets: [{ market: 'XLM-USDC', state: 'open', lowPrice: '0.0001', highPrice: '100', owner: 'a', pin: null, actor: 'running' }, { market: 'USDC-XLM', state: 'open' }] })
  t.match(listed.text, /^market +state +lowest price +highest price +owner +pin +actor\nXLM-USDC +open +0\.0001 +100 +a +— +running\n/)
  await t.rejects(ran(pair, ['pair', 'list', 'XLM-USDC']), { name: 'UsageFault' })
  const { json, text } = await next('settlement queue')
  t.match(json, { settlement: { queued: 0, cosigns: 0, flight: null }, watcher: { accounts: 0 } })
  t.match(text, /^waiting +0 trades\non its way +nothing\n/)
  await t.rejects(ran(settlement, ['settlement']), { name: 'UsageFault' })
  await alike(t, status, ['status'])
  await alike(t, pair, ['pair', 'list'])
  await alike(t, settlement, ['settlement', 'queue'])
})

t.test('money on its way out: whose, since when, and what holds it up', async (t) => {
  const usdc = file.assets[1]!.contract as ContractId
  books.deposit(alice, usdc, 90_000_000n)
  books.withdraw('b'.repeat(64), alice, usdc, 25_000_000n)
  const [asked] = books.effects.sent.map(({ message }) => message)
  connection.publish(subjects.peers(actors[2]!), encode({ from: vault, first: 1, items: [asked] } satisfies PeerPacket))
  await until('the settlement actor has the request, and has found that no endpoint answers', async () => {
    const { withdrawals: [row] } = (await ran(withdrawals, ['withdrawals'])).json as { withdrawals: { waitsFor: string }[] }
    return row?.waitsFor === 'chain'
  })
  const { json, text, failed } = await next('withdrawals')
  t.match(json, { counts: { requested: 1, cosigned: 0, exits: 0 }, withdrawals: [{ account: alice, asset: 'USDC', amount: '2.5', status: 'requested', stuck: true, why: /chain_unreachable/ }], exits: [], silent: [] })
  t.match(text, new RegExp(`^waiting +1 for the engine, 0 for their owners, 0 asked of the contract itself\n[^]* STUCK  requested +2.5  USDC   ${alice}  the chain`))
  t.ok(failed)
  t.notOk(JSON.stringify(json).includes('authorization'), 'the signature is its owner’s')
  await alike(t, withdrawals, ['withdrawals'])
  await alike(t, withdrawals, ['withdrawals', alice, '--all'])
  await alike(t, reconcile, ['reconcile'])
  await alike(t, settlement, ['settlement', 'queue'])
  t.match((await ran(status, ['status'])).json, { actors: [{}, {}, {}, { actor: 'settlement.0', alarms: ['chain_unreachable'] }, { actor: 'watcher.0', alarms: ['chain_unreachable'] }] })

  t.match(await ran(settlement, ['settlement', 'queue']), { failed: true, json: { settlement: { cosigns: 1 }, unreached: ['settlement.0', 'watcher.0'] }, text: /^endpoints +too few answer settlement\.0, watcher\.0$/m })
  t.match(await ran(reconcile, ['reconcile']), { failed: true, json: { reconciled: null } })
  t.match((await ran(withdrawals, ['withdrawals', Keypair.random().publicKey()])).json, { counts: { requested: 0 }, withdrawals: [] }, 'of one account alone')
  t.match((await ran(withdrawals, ['withdrawals', StrKey.encodeContract(Buffer.alloc(32, 7))])).json, { counts: { requested: 0 }, withdrawals: [] }, 'a wallet’s as well')
  books.cosigned(alice, 'b'.repeat(64), 900)
  t.match((await ran(withdrawals, ['withdrawals', alice])).json, { withdrawals: [{ status: 'cosigned', validUntil: 900, waitsFor: 'watcher' }] })
  books.ledger(901)
  t.match((await ran(withdrawals, ['withdrawals'])).json, { counts: { expired: 1 }, withdrawals: { length: 0 } })
  t.match(await ran(withdrawals, ['withdrawals', '--all', '--limit', '1']), { failed: false, json: { withdrawals: [{ status: 'expired', waitsFor: null, stuck: false }] } })
  for (const wrong of [['GA'], [alice, alice], ['--limit', '1001']]) await t.rejects(ran(withdrawals, ['withdrawals', ...wrong]), { name: 'UsageFault' })
})

t.test('a market is restricted, halted and opened; its journal keeps that', async (t) => {
  t.match((await next('pair cancel-only')).json, { market: 'XLM-USDC', state: 'cancelOnly' })
  t.match(await next('pair halt'), { text: 'XLM-USDC is halted', json: { state: 'halted' } })
  place('GHALTED')
  await until('the order is refused', () => heard.some((report) => report.kind === 'closed' && report.reason === 'market_halted'))
  t.match((await ran(pair, ['pair', 'list'])).json, { markets: [{ state: 'halted' }, { state: 'open' }] })
  t.match((await next('pair open')).json, { state: 'open' })
  t.match(await remotely(pair, ['pair', 'halt', 'XLM-USDC']), { text: 'XLM-USDC is halted' })
  await alike(t, pair, ['pair', 'list'])
  t.match(await remotely(pair, ['pair', 'resume', 'XLM-USDC']), { text: 'XLM-USDC is open', json: { state: 'open' } })
  for (const how of [ran, remotely]) await t.rejects(how(pair, ['pair', 'halt', 'BTC-USDC']), { name: 'UsageFault', message: /there is XLM-USDC, USDC-XLM/ })
})

t.test('the kill switch halts every market and takes every order out, of every account', async (t) => {
  const accounts = Array.from({ length: 1_230 }, (_, n) => `GACCOUNT${n}`)
  for (const account of [...accounts, accounts[0]!]) place(account)
  await until('all orders rest', () => heard.filter(({ kind }) => kind === 'rested').length === accounts.length + 1)
  const { json } = await next('kill-switch on')
  t.match(json, { markets: [{ market: 'XLM-USDC', state: 'halted', cancelled: 1_231 }, { market: 'USDC-XLM', state: 'halted', cancelled: 0 }] })
  await until('each is told', () => heard.filter((report) => report.kind === 'closed' && report.reason === 'cancelled').length === 1_231)
  place('GLATE')
  await until('a late one is refused', () => heard.filter((report) => report.kind === 'closed' && report.reason === 'market_halted').length === 2)
  t.match((await next('kill-switch off')).json, { markets: [{ state: 'open' }, { state: 'open' }] })
  await t.rejects(ran(killSwitch, ['kill-switch', 'off', '--cancel-orders']), { name: 'UsageFault' })
  await t.rejects(ran(killSwitch, ['kill-switch']), { name: 'UsageFault' })
})

t.test('a snapshot is taken at once, beside the actor; where it cannot be, the command says by name why', async (t) => {
  place('GBEFORE')
  await until('the order rests', () => heard.at(-1)?.kind === 'rested')
  const { json, text, failed } = await next('snapshot pair.XLM-USDC')
  t.match(json, { actor: xlm, node: 'a', written: true, former: null, bytes: Number, record: Number })
  t.match(text, /^pair\.XLM-USDC: a snapshot after record \d+ is stored, \d+ bytes; it is the first$/)
  t.notOk(failed)
  const again = await remotely(snapshot, ['snapshot', xlm])
  t.match(again, { text: /^pair\.XLM-USDC: nothing has happened since the snapshot after record \d+, \d+ bytes, \d+ s old$/, json: { written: false, record: json['record'], bytes: json['bytes'], former: { record: json['record'], age_s: Number } } })
  place('GAFTER')
  await until('the next order rests', () => heard.filter(({ kind }) => kind === 'rested').length === 1_233)
  const { records } = running.get(xlm)!
  t.match(await remotely(snapshot, ['snapshot', xlm]), { text: /; the one before is of record \d+, \d+ s old$/, json: { written: true, former: { record: json['record'] } } })
  t.equal(running.get(xlm)!.epoch, 1, 'the actor has not noticed')
  t.ok(records >= (json['record'] as number))
  for (const how of [ran, remotely]) await t.rejects(how(snapshot, ['snapshot', vault]), { name: 'Declined', message: 'nobody runs vault.0 now: actor_unavailable' })
  await t.rejects(ran(snapshot, ['snapshot', 'pair.BTC-USDC']), { name: 'UsageFault', message: /it has vault\.0, pair\.XLM-USDC/ })
  await t.rejects(ran(snapshot, ['snapshot']), { name: 'UsageFault' })

  const { OwnOperation } = await import('../../src/cli/ownOperation.ts')
  const { Place } = await import('../../src/cli/place.ts')
  const operation = await OwnOperation.open(new Place({ command: 'snapshot', words: [], options: {} }))
  await t.rejects(operation.askShard('a', { kind: 'snapshot', actor: vault }, 30_000), { name: 'Declined', message: 'the shard of node a refuses: actor_unavailable' })
  await t.rejects(operation.askShard('a', { kind: 'other' } as never, 30_000), { name: 'Declined', message: /request_malformed/ })
  await t.rejects(operation.askShard('z', { kind: 'snapshot', actor: xlm }, 300), { name: 'Unanswered' })
  // What cannot be read ends nothing.
  connection.publish(subjects.shard('a'), 'nonsense')
  t.match(await ran(snapshot, ['snapshot', xlm]), { json: { written: false } })
  await operation.close()
})

t.test('a node is emptied where another can take all, stays empty, and takes actors again', async (t) => {
  for (const how of [ran, remotely]) await t.rejects(how(drain, ['drain', 'a']), { name: 'Declined', message: /no other node may run pair\.XLM-USDC/ })
  t.same(await owners(), ['a', 'a', 'a', 'a'])
  startNode('b', actors)
  await until('b is there', async () => (await owners()).includes('b') || [...(await store.read()).keys()].includes('node.b'))
  t.match((await next('drain a')).json, { node: 'a', drained: true })
  await settledOn('b')
  t.same(await owners(), ['b', 'b', 'b', 'b'])
  t.match(await ran(status, ['status']), { json: { nodes: [{ node: 'a', state: 'leaving' }, { node: 'b', state: 'up' }] } })
  // A pin does not bring anything there meanwhile.
  for (const how of [ran, remotely]) await t.rejects(how(pair, ['pair', 'move', 'XLM-USDC', 'a']), /no node a is there that may run/)
  t.match(await marketState(), [{ state: 'open' }, { state: 'open' }])
  await next('drain a --undo')
  t.match(await remotely(pair, ['pair', 'move', 'XLM-USDC', 'a']), { json: { from: 'b', to: 'a', epoch: 3 }, said: /finishes what it has.*  a running/s })
  await settledOn('a', [xlm])
  t.equal(lines.length, 0, 'every example has run')
})

t.test('a node is upgraded as its page says: verified, drained, ended, started anew, and taken into use again', async (t) => {
  const steps = [...examplesOf('operations/upgrade.md')]
  const step = (start: string): Promise<Ran> => {
    const line = steps.shift() ?? ''
    if (!line.startsWith(`npx darkpool ${start}`)) throw new Error(`the page goes on with: ${line}`)
    // Nobody has the root key of three VMs; the journals alone are read with it, before.
    return example(commands[start.split(' ')[0]!]!, start.startsWith('journal') ? line : `${line} ${byDesk.join(' ')}`, {})
  }
  t.match((await step('status')).json, { nodes: [{ node: 'a', state: 'up' }, { node: 'b', state: 'up' }] })
  t.match(await step('journal verify'), { failed: false, json: [{ actor: xlm, faults: [] }] })
  t.match((await step('snapshot')).json, { actor: xlm, node: 'a' })
  t.match((await step('drain b')).json, { node: 'b', drained: true })
  await settledOn('a')
  const [old] = [nodes.get('b')!]
  old.kill('SIGTERM')
  t.equal((await once(old, 'close'))[0], 0)
  startNode('b', actors)
  await until('the new one has said that it is there', async () => (await ran(status, ['status'])).text.includes('b     leaving'))
  t.same(await owners(), ['a', 'a', 'a', 'a'], 'and is left alone')
  await step('drain b --undo')
  // Its share goes there, and the market that is replayed there has its orders.
  await ran(pair, ['pair', 'move', 'XLM-USDC', 'b'])
  await settledOn('b', [xlm])
  t.match((await step('status')).json, { nodes: [{ node: 'a', state: 'up' }, { node: 'b', state: 'up' }] })
  t.equal(steps.length, 0, 'every example has run')
  t.match((await remotely(killSwitch, ['kill-switch', 'on', '--cancel-orders'])).json, { markets: [{ market: 'XLM-USDC', state: 'halted', cancelled: 2 }, {}] }, 'both orders that rested before')
})

t.test('an operator’s key does what the venue file lets it, and no other key anything', async (t) => {
  const sees = (command: Command, args: readonly string[]): Promise<Ran> => ran(command, [...args, '--operator', 'sees.seed'])
  t.match((await sees(pair, ['pair', 'list'])).json, { markets: [{ state: 'halted' }, { state: 'halted' }] })
  for (const [command, args] of [[pair, ['pair', 'open', 'XLM-USDC']], [killSwitch, ['kill-switch', 'off']], [drain, ['drain', 'b', '--undo']], [snapshot, ['snapshot', xlm]], [pair, ['pair', 'free', 'XLM-USDC']]] as const) {
    await t.rejects(sees(command, args), { name: 'Declined', message: 'The venue file lets that operator’s key look, and not act. [operator_may_not]' })
  }
  t.match((await remotely(pair, ['pair', 'list'])).json, { markets: [{ state: 'halted', pin: 'b' }, { state: 'halted' }] }, 'nothing has changed')
  await t.rejects(ran(status, ['status', '--operator', 'stranger.seed']), { name: 'Declined', message: `NATS at ${nats.url} does not let ${operator.stranger.publicKey()} in: the venue file does not name it as an operator’s, or no gateway is there to say so` })
  await t.rejects(ran(status, ['status', '--operator', 'nobody.seed']), { name: 'UsageFault', message: /the key file nobody.seed cannot be read \(ENOENT\)/ })
  await t.rejects(ran(status, ['status', '--operator', '.darkpool/venue.json']), { name: 'UsageFault', message: /holds no Stellar secret key/ })
  await t.rejects(ran(status, ['status', '--state', 'elsewhere']), { name: 'UsageFault', message: /--operator FILE.*--url URL.*--state DIR/ })
  await t.rejects(ran(status, ['status', ...byDesk, '--url', `http://127.0.0.1:${file.gateway.port}`, '--nats', 'nats://127.0.0.1:1']), { name: 'NatsAway', message: /NATS at nats:\/\/127.0.0.1:1 cannot be reached/ })
  await t.rejects(ran(metrics, ['metrics']), { name: 'UsageFault', message: /--operator FILE/ })
  await t.rejects(ran(status, ['status', ...byDesk, '--nats', 'https://127.0.0.1:1']), { name: 'UsageFault', message: /tls:\/\/HOST:PORT/ })
  const { isOpen } = await import('../../src/cli/openOperation.ts')
  t.same(['http://pool.example', 'http://127.0.0.1.example:80/', 'http://localhost.example', 'nats://10.0.0.5:4222', 'nats://[fd00::5]:4222'].filter((address) => !isOpen(address)), [], 'he is told what others could hear')
  t.same(['https://pool.example', 'http://127.0.0.1:80', 'http://localhost/', 'http://[::1]:80', 'tls://10.0.0.5:4222', 'nats://localhost:4222'].filter(isOpen), [])
})

t.test('every process is on one page, by its name, and who is missing is said until it is back', async (t) => {
  const shown = await remotely(metrics, ['metrics'])
  t.notOk(shown.failed)
  const processes = shown.json['processes'] as readonly { readonly instance: string; readonly answered: boolean }[]
  const [gatewayName] = processes.map(({ instance }) => instance).filter((instance) => instance.startsWith('gw_'))
  t.same(processes, ['gateways', gatewayName, 'shard-a', 'shard-b'].map((instance) => ({ instance, answered: true })))
  const read = readPage(shown.json['page'] as string)
  for (const [name, { type, samples }] of read) {
    const wanted: MetricDefinition | undefined = catalogue[name as keyof typeof catalogue]
    t.equal(type, wanted?.type, name)
    for (const { labels } of samples) {
      t.same(Object.keys(labels).filter((label) => label !== 'le').sort(), ['instance', 'job', ...wanted.labels].sort(), name)
      t.equal(labels['job'], 'darkpool')
    }
  }
  t.same(read.get('darkpool_process_nats_connected')?.samples.map(({ labels, value }) => [labels['instance'], value]).sort(), [[gatewayName, 1], ['shard-a', 1], ['shard-b', 1]])
  t.equal(total(read, 'darkpool_open_orders', { market: 'XLM-USDC', instance: 'shard-b' }), 0)
  t.equal(total(read, 'darkpool_actor_heard', { actor: xlm, instance: gatewayName! }), 1)

  const collector = spawn(process.execPath, [join(import.meta.dirname, '../../src/cli/darkpool.ts'), 'metrics', '--serve', '0', '--operator', 'sees.seed'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  t.teardown(() => collector.kill('SIGKILL'))
  let told = ''
  collector.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()))
  await until('it listens', () => told.includes('/metrics'))
  const [url] = /http:\/\/127\.0\.0\.1:\d+\/metrics/.exec(told) ?? []
  const answered = async (instance: string): Promise<number | null> => total((await readMetrics(url!)).page, 'darkpool_collector_answered', { instance })
  await until('every process answers', async () => (await answered('shard-b')) === 1)
  // What no gateway hears is not answered; one that comes back answers it, and so does one behind a connection that was lost.
  const { openOperation } = await import('../../src/cli/openOperation.ts')
  const { readArguments } = await import('../../src/cli/arguments.ts')
  const { Place } = await import('../../src/cli/place.ts')
  const args = readArguments(['status', ...byDesk])
  const operation = await openOperation({ args, place: new Place(args), say: () => undefined })
  gateway.kill('SIGTERM')
  await once(gateway, 'close')
  await t.rejects(operation.ask(xlm, { kind: 'market' }, 2_000), { name: 'Unanswered', message: /no gateway of the venue hears operators: say the same again/ })
  await until('the gateways are missed, and the shards, which cannot be asked', async () => (await answered('gateways')) === 0 && (await answered('shard-b')) === 0)
  const asked = operation.ask(xlm, { kind: 'market' }, 120_000)
  gateway = await startGateway()
  t.match(await asked, { state: 'halted' })
  await until('they are back', async () => (await answered('gateways')) === 1 && (await answered('shard-b')) === 1)
  t.match(told, /\n(no gateway of the venue hears operators|The request was never sent: the gateway cannot be reached)/)
  collector.kill('SIGTERM')
  t.equal((await once(collector, 'close'))[0], 0)
  await nats.kill()
  const late = operation.ask(xlm, { kind: 'market' }, 120_000)
  await nats.restart()
  t.match(await late, { state: 'halted' })
  await operation.close()
})

t.test('who does not answer is named, and what can be told is told', async (t) => {
  writeFileSync(venueAt, JSON.stringify({ ...file, markets: [file.markets[0], { ...file.markets[0], base: 'USDC', quote: 'XLM' }], assets: file.assets, vaultPartitions: 2 }))
  const { OwnOperation } = await import('../../src/cli/ownOperation.ts')
  const { Place } = await import('../../src/cli/place.ts')
  const operation = await OwnOperation.open(new Place({ command: 'status', words: [], options: {} }))
  await t.rejects(operation.ask(vaultActor(1), { kind: 'market' }, 300), { name: 'Unanswered', message: /vault\.1 does not answer: say the same again/ })
  await t.rejects(operation.tell(xlm, { kind: 'control', state: 'open', lowTicks: 9, highTicks: 1 }), { name: 'Declined', message: /refuses: request_malformed/ })
  await operation.close()
})

t.test('each ends with the code that its page gives, and prints one JSON value, as a process', async (t) => {
  const run = promisify(execFile)
  const darkpool = async (...args: readonly string[]): Promise<{ readonly code: number; readonly json: unknown; readonly stderr: string }> => {
    const { code, stdout, stderr } = await run(process.execPath, [join(import.meta.dirname, '../../src/cli/darkpool.ts'), ...args, '--json'], { cwd: folder }).then((done) => ({ code: 0, ...done })).catch((error: unknown) => error as { readonly code: number; readonly stdout: string; readonly stderr: string })
    return { code, json: stdout === '' ? null : JSON.parse(stdout), stderr }
  }
  // Nobody runs vault.1, which the venue file has by now; no endpoint of the chain answers.
  t.match(await darkpool('pair', 'list'), { code: 0, json: { markets: { length: 2 } }, stderr: '' })
  t.match(await darkpool('status'), { code: 1, json: { actors: Array }, stderr: '' })
  t.match(await darkpool('snapshot', 'vault.1'), { code: 3, json: null, stderr: 'darkpool: nobody runs vault.1 now: actor_unavailable\n' })
  t.match(await darkpool('pair', 'halt', 'BTC-USDC'), { code: 2, json: null, stderr: /there is no market BTC-USDC/ })
  t.match(await darkpool('status', ...byDesk, '--nats', 'nats://127.0.0.1:1'), { code: 4, json: null, stderr: /cannot be reached/ })
  t.match(await darkpool('withdrawals'), { code: 5, json: { silent: ['vault.1'] }, stderr: /no answer from vault\.1: say the same again/ })
})
