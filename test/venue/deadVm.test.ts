import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Keypair } from '@stellar/stellar-sdk'
import t from 'tap'
import { paths } from '../../scripts/setup/paths.ts'
import { EnclaveParts } from '../../scripts/venue/enclaveParts.ts'
import { checkout } from '../../scripts/venue/programs.ts'
import { ServerProcess } from '../../scripts/venue/serverProcess.ts'
import { StateFolder } from '../../scripts/venue/stateFolder.ts'
import { KvStore } from '../../src/actors/placement/kvStore.ts'
import { setPin } from '../../src/actors/placement/pins.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import { engineKeys } from '../../src/settlement/engines.ts'
import { KeyLink } from '../../src/enclave/holder/keyLink.ts'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import type { ActorStatus, AnswerPacket, ClientPacket } from '../../src/protocol/packets.ts'
import { settlementActor, Subjects } from '../../src/protocol/subjects.ts'
import type { SettlementQuery, SettlementStatus } from '../../src/settlement/settlementStatus.ts'
import { VaultContract } from '../../src/settlement/vaultContract.ts'
import { until } from '../settlement/waiting.ts'
import { VenueUnderTest } from './venueUnderTest.ts'

// Two VMs of one app run the shards of one venue, each with a guest agent and a key holder of its own: one dies, or sleeps, while a batch is on its way to the chain.

const MARKET = 'XLM-USDC'
const PRICE = '0.5'
const LOT = '0.1'
const CHANNEL = 0
const settlement = settlementActor(CHANNEL)
/** As long as a network may take to apply a transaction: it is on its way most of the time. */
const LEDGER_TIME_s = 2

t.setTimeout(900_000)
const under = await VenueUnderTest.start(2, { ledgerTime_s: LEDGER_TIME_s })
const { venue } = under
const books = await under.books('alice', 'bob')

/** The second VM: nothing of the first one's is in its folder but the root of the key management service, which both ask. */
const folder = mkdtempSync(join(tmpdir(), 'darkpool-vm-'))
for (const name of ['keys', 'logs', 'run']) mkdirSync(join(folder, name), { mode: 0o700 })
copyFileSync(venue.keysPath, join(folder, 'keys', 'root'))
const events = { say: () => undefined, changed: () => undefined }
const state = new StateFolder(folder)
const enclave = new EnclaveParts(state, venue.venuePath, checkout, events)
const shard = new ServerProcess(
  {
    name: 'shard-b',
    start: checkout.venue(paths.shard),
    args: () => ['--venue', venue.venuePath, '--keys', `unix:${enclave.socket('shard')}`, '--node', 'b'],
    log: state.file('logs', 'shard.log'),
    ipc: true,
    grace_ms: 40_000,
  },
  events,
)
const connection = await connectNats(await venue.natsAccess(), 'test')
const subjects = new Subjects('local')
const store = await KvStore.open(connection, subjects, 1)
t.teardown(async () => {
  await books.close()
  await connection.close()
  for (const server of [shard, ...enclave.servers]) await server.kill()
  enclave.forget()
  await under.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** The latest owner of each actor, as it says itself. */
const owners = new Map<ActorName, ActorStatus>()
/** Who settled in each of the settlement actor's lives. */
const settlers = new Map<number, string>()
connection.subscribe(subjects.allStatus, {
  callback: (_, { data }) => {
    const status = decode<ActorStatus>(data)
    if (status.actor === settlement && status.state === 'running') settlers.set(status.epoch, status.node)
    // One that was stopped, and does not know that it was replaced, says so too.
    if (status.state === 'running' && status.epoch >= (owners.get(status.actor)?.epoch ?? 0)) owners.set(status.actor, status)
  },
})

const settlesOn = (node: string) => until(`${node} settles`, () => owners.get(settlement)?.node === node)

let asked = 0
/** What the settlement actor says of itself; null where nobody answers. */
async function settlementStatus(): Promise<SettlementStatus | null> {
  const request = ++asked
  const packet: ClientPacket<never, SettlementQuery> = { gateway: `test${request}`, items: [{ request, query: { kind: 'status' } }] }
  const answers = connection.subscribe(subjects.answers(packet.gateway), { max: 1, timeout: 2_000 })
  connection.publish(subjects.clients(settlement), encode(packet))
  try {
    for await (const { data } of answers) {
      const answer = decode<AnswerPacket>(data).answers[0]?.answer
      return answer !== undefined && 'ok' in answer ? (answer.ok as SettlementStatus) : null
    }
  } catch {
    // Between two owners.
  }
  return null
}

/** Trades until a transaction of the settlement actor is on its way, and then lets it happen. */
async function inTheMidst(happen: () => unknown): Promise<void> {
  let trading = true
  const trades = (async () => {
    while (trading) await trade()
  })()
  const midst = until('a batch is on its way', async () => {
    if (((await settlementStatus())?.flight?.hash ?? null) === null) return false
    await happen()
    return true
  })
  try {
    await Promise.race([midst, trades])
  } finally {
    trading = false
  }
  await Promise.all([midst, trades])
}

async function trade(): Promise<void> {
  await books.limit('alice', MARKET, 'sell', LOT, PRICE)
  await books.limit('bob', MARKET, 'buy', LOT, PRICE)
  books.traded('bob', 'alice', MARKET, LOT, PRICE)
}

const vault = new VaultContract(venue.deployment.vault, venue.deployment.passphrase)
const channel = () => vault.getChannel(venue.chain.server, CHANNEL)
/** Transactions that settled something, by what traders were told: every trade here is between the same two. */
const transactions = (): number => new Set(books.feed('alice').messages.flatMap((message) => (message.type === 'settled' ? [message.transaction] : []))).size

await enclave.start()
await shard.start()

t.test('both have the same engine’s key from guest agents of their own', async (t) => {
  const keyOf = async (parts: EnclaveParts): Promise<Keypair> => (await engineKeys(new KeyLink(parts.socket('shard'), 0), venue.venueFile()))[0]!.key
  t.equal((await keyOf(enclave)).publicKey(), (await keyOf(venue.enclave)).publicKey())
  t.equal((await keyOf(enclave)).publicKey(), venue.deployment.engine)
})

t.test('a VM is killed in the midst of settlement: the other one goes on, and each trade settles once', async (t) => {
  await setPin(store, settlement, 'a')
  await settlesOn('a')
  await inTheMidst(() => Promise.all([venue.shard, ...venue.enclave.servers].map((server) => server.kill())))
  await settlesOn('b')
  for (let n = 0; n < 3; n++) await trade()
  await books.check(t)
  t.equal((await channel()).sequence, transactions(), 'as many batches as traders were told of')
})

t.test('a VM is stopped in the midst of settlement, replaced, and woken up: it settles nothing any more', async (t) => {
  await venue.enclave.start()
  await venue.shard.start()
  await settlesOn('a')
  const { pid } = venue.shard
  if (pid === undefined) throw new Error('the shard does not run')
  t.teardown(() => process.kill(pid, 'SIGCONT'))
  await inTheMidst(() => process.kill(pid, 'SIGSTOP'))
  await settlesOn('b')
  const replaced = owners.get(settlement)!.epoch
  // Where it is there again, it is not to be given back what it had.
  await setPin(store, settlement, 'b')
  await books.check(t)
  process.kill(pid, 'SIGCONT')
  for (let n = 0; n < 3; n++) await trade()
  await books.check(t)
  t.same(new Set([...settlers].filter(([epoch]) => epoch >= replaced).map(([, node]) => node)), new Set(['b']), 'the journal has had no other writer since')
  t.equal((await channel()).sequence, transactions(), 'as many batches as traders were told of')
})
