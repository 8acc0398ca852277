import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { join } from 'node:path'
import { Asset, Keypair, Operation, xdr } from '@stellar/stellar-sdk'
import t from 'tap'
import { vault as vaultCommand } from '../../src/cli/commands/vault.ts'
import { ChainRefused, NeverSent, OutcomeUnknown } from '../../src/client/errors.ts'
import type { ContractId } from '../../src/protocol/identity.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import type { VenueFile } from '../../src/protocol/venue.ts'
import { contractErrors } from '../../src/settlement/contractErrors.ts'
import { deposit } from '../../src/settlement/deployment.ts'
import { readEnvelope } from '../../src/settlement/governance/envelope.ts'
import { VaultGovernance } from '../../src/settlement/governance/vaultGovernance.ts'
import { execute } from '../../src/settlement/transaction.ts'
import { venueFile } from '../gateway/stage.ts'
import { LocalChain, PASSPHRASE } from '../settlement/localChain.ts'
import { example, examplesOf, ran } from './exampleRun.ts'
import type { Ran } from './exampleRun.ts'

t.setTimeout(600_000)

const DAY_S = 86_400
const page = 'operations/vault.md'
const chain = await LocalChain.start('0.1', true)
t.teardown(() => chain.end())
// Examples name files as an operator's folder has them.
process.chdir(t.testdir())

const names = ['admin', 'pauser', 'treasury', 'ada', 'bob', 'issuer', 'engine', 'nextEngine', 'trader'] as const
const keys = Object.fromEntries(names.map((name) => [name, Keypair.random()])) as Record<(typeof names)[number], Keypair>
for (const [name, key] of Object.entries(keys)) {
  await chain.server.requestAirdrop(key.publicKey())
  writeFileSync(`${name}.seed`, `${key.secret()}\n`, { mode: 0o600 })
}
const signer = (name: (typeof names)[number]) => ({ server: chain.server, passphrase: PASSPHRASE, key: keys[name] })
const [usdc, eurc] = ['USDC', 'EURC'].map((code) => new Asset(code, keys.issuer.publicKey())) as [Asset, Asset]
const spelt = (asset: Asset): string => `${asset.getCode()}:${asset.getIssuer()}`
// The issuer may freeze: what `--accept revocation` is for.
await execute(signer('issuer'), Operation.setOptions({ setFlags: 2 }))
const variables: Record<string, string> = {
  NETWORK: PASSPHRASE,
  RPC: chain.url,
  ADMIN: keys.admin.publicKey(),
  PAUSER: keys.pauser.publicKey(),
  TREASURY: keys.treasury.publicKey(),
  ENGINE: keys.engine.publicKey(),
  NEXT_ENGINE: keys.nextEngine.publicKey(),
  USDC: spelt(usdc),
  EURC: spelt(eurc),
}

/** The page's examples in their order: each test goes on where the one before it ended. */
const lines = [...examplesOf(page)]
let governance: VaultGovernance
async function next(start: string): Promise<Ran> {
  const line = lines.shift() ?? ''
  if (!line.startsWith(`npx darkpool vault ${start}`)) throw new Error(`the page goes on with: ${line}`)
  return example(vaultCommand, line, variables)
}
const command = (...args: string[]): Promise<Ran> => ran(vaultCommand, ['vault', ...args])
const at = (): string[] => ['--network', PASSPHRASE, '--rpc', chain.url]
const sequenceOf = async (name: (typeof names)[number]): Promise<bigint> => (await chain.server.getAccountEntry(keys[name].publicKey())).seqNum
const refusal = (promise: Promise<unknown>): Promise<Error> => promise.then(() => new Error('it was done'), (error: unknown) => error as Error)

t.test('founding: shown first, then done, and found when repeated', async (t) => {
  const before = await sequenceOf('admin')
  const dry = await next('deploy')
  t.match(dry.text, /upload the code [0-9a-f]{64}/)
  t.match(dry.text, /costs +at most [0-9.]+ XLM: \d+ stroops for what it uses, 1000 for its place/)
  t.match(dry.text, /nothing was sent: --key FILE or --prompt signs and sends it/)
  const [shown] = dry.json['steps'] as [{ fee_stroops: { most: string; resources: string; bid: string }; instructions: number; signatures: object }]
  t.equal(BigInt(shown.fee_stroops.most), BigInt(shown.fee_stroops.resources) + 1_000n)
  t.ok(shown.instructions > 0)
  t.match(shown.signatures, { weight: 0, needed: 1 })
  t.equal(await sequenceOf('admin'), before, 'no transaction was made')

  const made = await next('deploy')
  t.match(made.json, { sent: true, admin: keys.admin.publicKey(), fromLedger: Number })
  variables['VAULT'] = made.json['vault'] as string
  governance = new VaultGovernance({ server: chain.server, passphrase: PASSPHRASE }, made.json['vault'] as ContractId)
  t.equal(await governance.admin(), keys.admin.publicKey())
  const again = await command('deploy', ...at(), '--key', 'admin.seed')
  t.match(again.json, { sent: false, vault: variables['VAULT'], fromLedger: null })
  t.not((await command('deploy', ...at(), '--key', 'admin.seed', '--name', 'another', '--xdr')).text, '', 'another name is another vault')

  const refused = await refusal(command('add-asset', spelt(usdc), ...at(), '--vault', variables['VAULT'], '--key', 'admin.seed'))
  t.match(refused, { name: 'Declined', message: /revocation; --accept revocation/ })
  t.match((await next('add-asset native')).json, { asset: { code: 'XLM', index: 0, decimals: 7 } })
  const added = await next('add-asset')
  t.match(added.json, { asset: { code: 'USDC', contract: usdc.contractId(PASSPHRASE), index: 1, decimals: 7 } })
  t.equal((added.json['steps'] as unknown[]).length, 3, 'its contract, its admission, its issuer')
  t.equal(await governance.issuerFlags(usdc.contractId(PASSPHRASE) as ContractId), 2)
  t.match((await next('register-engine')).json, { registered: true })
  await next('apply fee-cap')
  await next('apply treasury')
  await next('apply pauser')
  const { json, text } = await next('show')
  t.match(json, {
    admin: keys.admin.publicKey(),
    pauser: keys.pauser.publicKey(),
    treasury: keys.treasury.publicKey(),
    engines: [{ channel: 0, engine: keys.engine.publicKey() }],
    feeCap_ppm: 2_000,
    accounts: 0,
    assets: [{ index: 0, issuerFlags: 0 }, { index: 1, issuerFlags: 2 }],
    changes: [],
  })
  t.match(text, /1 +C[A-Z2-7]{55} +revocation +open/)
})

t.test('a market is added where the contract and the venue file agree', async (t) => {
  const file = venueFile({ url: 'nats://127.0.0.1:4222', user: 'darkpool' })
  const listed = (code: string, contract: string, index: number) => ({ code, contract, index, decimals: 7 })
  const first: VenueFile = {
    ...file,
    network: { passphrase: PASSPHRASE, rpc: chain.url },
    vault: { contract: governance.id, fromLedger: 2 },
    assets: [listed('XLM', Asset.native().contractId(PASSPHRASE), 0), listed('USDC', usdc.contractId(PASSPHRASE), 1)],
    markets: [{ ...file.markets[0]!, base: 'USDC', quote: 'XLM' }],
  }
  writeFileSync('venue.json', JSON.stringify(first))
  const text = readFileSync('venue.json', 'utf8')
  const add = (...args: string[]): Promise<Error> => refusal(command('market', 'add', 'XLM-USDC', '--lot', '0.1', '--max-quantity', '1000', '--max-price', '10', '--venue', 'venue.json', ...args))
  t.match(await add('--tick', '0.0001', '--taker-ppm', '2001'), { name: 'Declined', message: /would charge 2001 parts per million, and the vault lets it take 2000/ })
  t.match(await add('--tick', '0.0000001'), { name: 'UsageFault', message: /less than a smallest unit of USDC/ })
  t.match(await add('--tick', '0.3'), { name: 'UsageFault', message: /no whole number of ticks/ })
  t.match(await add('--tick', '0'), { name: 'UsageFault', message: /more than zero/ })
  t.match(await add('--tick', '0.0001', '--min-quantity', '0.15'), { name: 'UsageFault', message: /no whole number of lots/ })
  writeFileSync('swapped.json', JSON.stringify({ ...first, assets: first.assets.map((asset) => ({ ...asset, index: 1 - asset.index })) }))
  t.match(await add('--tick', '0.0001', '--venue', 'swapped.json'), { name: 'Declined', message: /would move another asset/ })

  const dry = await next('market add')
  t.match(dry.text, /\+ {5}\{\n\+ {7}"base": "XLM",\n\+ {7}"quote": "USDC",\n\+ {7}"lotSize": "1000000",\n\+ {7}"tickSize": "100",/)
  t.match(dry.text, /a lot is 0\.1 XLM, a tick 0\.0001 USDC per XLM\nnothing was written$/)
  t.equal(readFileSync('venue.json', 'utf8'), text)
  t.match((await next('market add')).json, { written: true })
  const venue = readVenue(JSON.parse(readFileSync('venue.json', 'utf8')))
  t.same(venue.markets.get('XLM-USDC' as never)?.rules.fees, { maker_ppm: 500, taker_ppm: 1_000 })
  t.match(await add('--tick', '0.0001'), { name: 'Declined', message: /there is a market XLM-USDC already/ })
  // The issuer cannot freeze any more; the asset is admitted, and listed.
  await execute(signer('issuer'), Operation.setOptions({ clearFlags: 2 }))
  t.match((await next('add-asset')).text, /\+ {7}"code": "EURC"/)
  t.equal(readVenue(JSON.parse(readFileSync('venue.json', 'utf8'))).assets.length, 3)
})

t.test('once somebody has an account, what could harm is announced, and what stops is at once', async (t) => {
  await deposit(signer('trader'), governance.id, Asset.native().contractId(PASSPHRASE) as ContractId, 1_000n)
  const at = ['--venue', 'venue.json']
  t.match((await next('announce delay')).json, { change: { delay_s: 5 * DAY_S }, due: Number })
  t.match((await refusal(command('apply', 'delay', '5d', ...at, '--key', 'admin.seed'))).message, /contract error 123, ChangeNotDue/)
  await next('cancel delay')
  t.same(await governance.changes(), [])

  t.match((await next('register-engine')).json, { registered: false, due: Number })
  const engine = ['register-engine', keys.nextEngine.publicKey(), ...at, '--key', 'admin.seed']
  t.match(await refusal(command(...engine)), { name: 'Declined', message: /announced, and due at/ })
  t.equal(await governance.engine(0), keys.engine.publicKey())
  await chain.jump(3 * DAY_S)
  t.match((await command(...engine)).json, { registered: true, sent: true })
  t.equal(await governance.engine(0), keys.nextEngine.publicKey())
  t.match((await command(...engine)).json, { registered: true, sent: false })

  t.match(await refusal(command('pause', ...at, '--key', 'admin.seed')), { name: 'Declined', message: /which does not sign for/ })
  t.match((await next('pause')).json, { paused: true })
  t.ok(await governance.paused(null))
  t.match((await command('pause', ...at, '--key', 'pauser.seed')).json, { sent: false, paused: true })
  t.match((await next('resume')).json, { paused: false })
  await next('pause USDC')
  t.same([await governance.paused(null), await governance.paused(usdc.contractId(PASSPHRASE) as ContractId)], [false, true])
  await next('resume USDC')
  t.notOk(await governance.paused(usdc.contractId(PASSPHRASE) as ContractId))
  t.match((await next('collect-fees')).json, { amount: '0', sent: false })
  await next('remove-engine')
  t.equal(await governance.engine(0), null)
  t.match(await refusal(command('announce', 'code', 'ab'.repeat(32), ...at, '--key', 'admin.seed')), { name: 'Declined', message: /the network has no code/ })

  // A new administrator accepts by its own key; until then nothing has changed.
  await command('announce', 'admin', keys.ada.publicKey(), ...at, '--key', 'admin.seed')
  await chain.jump(3 * DAY_S)
  t.match(await refusal(command('apply', 'admin', keys.ada.publicKey(), ...at, '--key', 'admin.seed')), { name: 'Declined' })
  t.equal(await governance.admin(), keys.admin.publicKey())
})

t.test('several hands sign one transaction, and nothing is sent with too few', async (t) => {
  const [ada, bob] = [keys.ada.publicKey(), keys.bob.publicKey()]
  await execute(signer('admin'), Operation.setOptions({ signer: { ed25519PublicKey: ada, weight: 1 } }))
  await execute(signer('admin'), Operation.setOptions({ masterWeight: 0, lowThreshold: 1, medThreshold: 2, highThreshold: 2, signer: { ed25519PublicKey: bob, weight: 1 } }))
  const alone = ['announce', 'fee-cap', '3000', '--venue', 'venue.json', '--key', 'ada.seed']
  t.match(await refusal(command(...alone)), { name: 'Declined', message: /a weight of 1, and the account asks for 2/ })
  t.match(await refusal(command('announce', 'fee-cap', '3000', '--venue', 'venue.json', '--key', 'admin.seed')), { message: /which does not sign for/ }, 'the master key has no weight')

  const made = await next('announce fee-cap')
  t.match(made.said, /announce: fee-cap 3000 ppm/)
  // Whatever the endpoint's simulation says, what is signed is authority over this one call.
  const { operations } = readEnvelope(made.text, PASSPHRASE)
  const [{ auth = [] }] = operations as unknown as [{ auth?: xdr.SorobanAuthorizationEntry[] }]
  t.same(auth.map(({ credentials, rootInvocation }) => [credentials.type, rootInvocation.subInvocations.length]), [['sorobanCredentialsSourceAccount', 0]])
  t.match((await next('sign')).said, /calls +announce_change\(\["FeeCap",3000\]\) of C/)
  t.match((await refusal(command('submit', 'ada.xdr', '--venue', 'venue.json'))).message, /a weight of 1/)
  await next('sign')
  t.match((await next('submit')).json, { sent: false, signatures: { weight: 2, needed: 2 } })
  t.match((await next('submit')).json, { sent: true })
  t.match(await governance.changes(), [{ change: { admin: ada } }, { change: { feeCap_ppm: 3_000 } }])
  t.match((await command('submit', 'ada.xdr', 'bob.xdr', '--venue', 'venue.json')).text, /^applied already/)
  t.equal(lines.length, 0, 'every example has run')

  // A stranger's signature, and one for another network, make the network refuse: so it is not sent.
  const other = await command('cancel', 'fee-cap', '3000', '--venue', 'venue.json', '--xdr')
  writeFileSync('other.xdr', other.text)
  t.match(await refusal(command('sign', 'other.xdr', '--venue', 'venue.json', '--key', 'trader.seed')), { name: 'Declined', message: /does not sign for/ })
  t.match(await refusal(command('submit', 'ada.xdr', 'other.xdr', '--venue', 'venue.json')), { name: 'UsageFault', message: /only copies of one are joined/ })
  t.match(await refusal(command('submit', 'AAAA', '--venue', 'venue.json')), { name: 'UsageFault', message: /no transaction in XDR/ })
  writeFileSync('elsewhere.xdr', (await command('sign', 'other.xdr', '--venue', 'venue.json', '--key', 'ada.seed')).text)
  // The account makes another transaction meanwhile: what was handed out is dead, and says why.
  const signedOther = (await command('sign', 'elsewhere.xdr', '--venue', 'venue.json', '--key', 'bob.seed')).text
  const bump = await command('announce', 'fee-cap', '4000', '--venue', 'venue.json', '--xdr', '--key', 'ada.seed')
  await command('submit', (await command('sign', bump.text, '--venue', 'venue.json', '--key', 'bob.seed')).text, '--venue', 'venue.json')
  const late = await refusal(command('submit', signedOther, '--venue', 'venue.json'))
  t.ok(late instanceof ChainRefused)
  t.match(late.message, /txBadSeq.*make this one anew/)
})

t.test('an endpoint that fails, or is of another network', async (t) => {
  t.match(await refusal(command('show', '--network', 'testnet', '--rpc', chain.url, '--vault', governance.id)), { name: 'Declined', message: /of another network/ })
  t.match(await refusal(command('show', '--network', 'public', '--vault', governance.id)), { name: 'UsageFault', message: /--rpc is missing/ })
  const fault = await fetch(`${chain.url}/admin/faults`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ fault: 'drop', methods: ['sendTransaction'] }) })
  t.equal(fault.status, 200)
  const doubtful = await refusal(command('pause', '--venue', 'venue.json', '--key', 'pauser.seed'))
  t.ok(doubtful instanceof OutcomeUnknown)
  t.match(doubtful.message, /^Transaction [0-9a-f]{64} was sent, and what became of it is not known/)
  await fetch(`${chain.url}/admin/faults`, { method: 'DELETE' })
})

/** An endpoint in front of the chain that says of every account that it has no flags. */
async function lyingEndpoint(): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const answer = async (): Promise<void> => {
      const response = await fetch(chain.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: await textOf(incoming) })
      const said = (await response.json()) as { result?: { entries?: { xdr: string }[] } }
      for (const entry of said.result?.entries ?? []) {
        const data = xdr.LedgerEntryData.fromXdr(entry.xdr, 'base64')
        if (data.type === 'account') entry.xdr = xdr.LedgerEntryData.account(new xdr.AccountEntry({ ...data.value, flags: 0 })).toXdr('base64')
      }
      outgoing.setHeader('content-type', 'application/json').end(JSON.stringify(said))
    }
    answer().catch(() => outgoing.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('of several endpoints a quorum is believed, and one that lies is named', async (t) => {
  await execute(signer('issuer'), Operation.setOptions({ setFlags: 2 }))
  const [liar, twin, away] = [await lyingEndpoint(), chain.url.replace('127.0.0.1', 'localhost'), 'http://127.0.0.1:9']
  const look = (...urls: string[]): Promise<Ran> => command('add-asset', `GBP:${keys.issuer.publicKey()}`, '--network', PASSPHRASE, '--vault', governance.id, '--rpc', urls.join(','))
  t.match((await look(liar)).text, /nothing was sent/, 'alone it is believed')
  t.match(await refusal(look(chain.url, liar, twin)), { name: 'Declined', message: /revocation; --accept revocation/ })
  const torn = await refusal(look(chain.url, liar))
  t.ok(torn instanceof NeverSent)
  t.match(torn.message, /^Nothing was sent: the RPC endpoints contradict each other about entries, and too few agree\.$/)
  const shown = await command('show', '--venue', 'venue.json', '--rpc', [chain.url, away, twin].join(','))
  t.match(shown.json, { vault: governance.id })
  t.match(shown.said, /an endpoint does not answer \(127\.0\.0\.1:9/)
  t.match((await refusal(look(chain.url, away))).message, /^Nothing was sent: only 1 of 2 RPC endpoints answer, and 2 have to agree\.$/)
  // The file's own endpoints and its own quorum, where no other is named.
  const file = JSON.parse(readFileSync('venue.json', 'utf8')) as VenueFile
  writeFileSync('several.json', JSON.stringify({ ...file, network: { ...file.network, rpc: [liar, chain.url, twin] } }))
  t.match(await refusal(command('add-asset', `GBP:${keys.issuer.publicKey()}`, '--venue', 'several.json')), { name: 'Declined' })
})

t.test('every refusal of the contract has its name', async (t) => {
  const source = readFileSync(join(import.meta.dirname, '../../contract/vault/src/errors.rs'), 'utf8')
  t.strictSame(contractErrors, Object.fromEntries([...source.matchAll(/^ {4}(\w+) = (\d+),$/gm)].map(([, name, number]) => [number, name])))
})

t.test('as a process: a key that is asked for, and exit codes', async (t) => {
  const darkpool = async (input: string, ...args: string[]): Promise<{ code: number | null; out: string; err: string }> => {
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../src/cli/darkpool.ts'), 'vault', ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
    child.stdin.end(input)
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, out, err }
  }
  const prompted = await darkpool(`${keys.pauser.secret()}\n`, 'pause', 'USDC', '--venue', 'venue.json', '--prompt', '--json')
  t.match(prompted, { code: 0, err: /^secret key/ })
  t.match(JSON.parse(prompted.out), { sent: true, paused: true })
  t.notMatch(prompted.out + prompted.err, keys.pauser.secret())
  t.match(await darkpool('', 'apply', 'fee-cap', '3000', '--venue', 'venue.json'), { code: 3, out: '', err: /contract error 123, ChangeNotDue/ })
  t.match(await darkpool('', 'dance'), { code: 2, err: /darkpool vault takes show, deploy/ })
  t.match(await darkpool('', 'show', '--network', PASSPHRASE, '--rpc', 'http://127.0.0.1:9', '--vault', governance.id), { code: 4, err: /endpoint does not answer/ })
})
