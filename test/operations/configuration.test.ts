import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Keypair } from '@stellar/stellar-sdk'
import t from 'tap'
import { config } from '../../src/cli/commands/config.ts'
import { openVenue } from '../../src/configuration/venueFile.ts'
import { venueFaults } from '../../src/protocol/venue.ts'
import type { VenueFile } from '../../src/protocol/venue.ts'
import { startNats } from '../nats/server.ts'
import { venueFile } from '../runtime/venueFile.ts'
import { DeployedVault } from '../settlement/deployedVault.ts'
import { LocalChain, PASSPHRASE } from '../settlement/localChain.ts'
import { example, examplesOf, ran } from './exampleRun.ts'

t.setTimeout(300_000)
process.chdir(t.testdir())

type Loose = Record<string, Record<string, unknown> & { [at: number]: Record<string, unknown> }>
/** A sound file with something done to it. */
const changed = (change: (file: Loose) => void): unknown => {
  const file = structuredClone(venueFile('nats://127.0.0.1:4222')) as unknown as Loose
  change(file)
  return file
}
const paths = (json: unknown): string[] => venueFaults(json).map(({ path }) => path)

t.test('every fault is named at once, by its member', async (t) => {
  t.same(venueFaults(changed(() => undefined)), [])
  const many = changed((file) => {
    file['colour'] = {}
    delete file['vault']!['fromLedger']
    file['network']!['rpc'] = ['https://one.example', 'ftp://two.example']
    file['nats']!['replicas'] = 2
    file['assets']![0]!['decimals'] = 1.5
    file['markets']![0]!['lotSize'] = '0.1'
    file['markets']![0]!['selfTrade'] = 'never'
    file['settlement']!['maxAccounts'] = '5'
    file['settlement']!['maxTrades'] = 0
    file['gateway']!['port'] = 70_000
    delete file['gateway']!['host']
  })
  t.same(paths(many).sort(), ['/assets/0/decimals', '/colour', '/gateway/host', '/gateway/port', '/markets/0/lotSize', '/markets/0/selfTrade', '/nats/replicas', '/network/rpc/1', '/settlement/maxAccounts', '/settlement/maxTrades', '/vault/fromLedger'])
  const of = (path: string) => venueFaults(many).find((fault) => fault.path === path)
  t.match(of('/nats/replicas'), { wrong: 'is 2', right: /^1 or 3 \(/ })
  t.match(of('/gateway/port'), { wrong: 'is 70000', right: 'a whole number 0 to 65535' })
  t.match(of('/colour'), { right: /^one of venue, network, vault/ })
})

t.test('what does not go together is named too, as far as its parts are sound', async (t) => {
  const together = changed((file) => {
    file['network']!['rpcQuorum'] = 2
    file['nats']!['addresses'] = ['tls://pool.example:4222']
    file['assets']![1]!['index'] = 0
    const market = file['markets']![0]!
    file['markets'] = [{ ...market, quote: 'EUR' }, market, market, { ...market, base: 'USDC', quote: 'XLM', minLots: 9, maxLots: 8 }] as never
  })
  t.same(paths(together), ['/network/rpcQuorum', '/nats/addresses', '/assets/1/index', '/markets/0', '/markets/3', '/markets/2'])
  const [key, wrong] = [Keypair.random().publicKey(), 'G'.repeat(56)]
  const operated = changed((file) => {
    file['nats']!['addresses'] = ['tls://pool.example:4222']
    file['nats']!['user'] = 'operator'
    file['operators'] = [{ key, may: 'act' }, { key, may: 'see' }, { key: wrong, may: 'see' }] as never
  })
  t.match(venueFaults(operated), [{ path: '/nats/user' }, { path: '/operators/2/key', wrong: `${wrong} has wrong check digits` }, { path: '/operators/1/key', wrong: `is ${key} again` }], 'addresses are operators’ too')
  const shapes = [[{ key, may: 'halt' }], [{ key }], [{ key: 'GA', may: 'see' }], Array.from({ length: 33 }, () => ({ key, may: 'see' }))] as const
  t.same(shapes.map((operators) => paths(changed((file) => { file['operators'] = operators as never }))), [['/operators/0/may'], ['/operators/0/may'], ['/operators/0/key'], ['/operators']])
  t.same(paths(changed((file) => { file['operators'] = [] as never; file['nats']!['addresses'] = ['tls://pool.example:4222'] })), ['/nats/addresses'])
  t.same(paths(changed((file) => { file['assets']![0]!['code'] = 'X M'; file['markets']![0]!['quote'] = 'EUR' })), ['/assets/0/code'], 'markets rest on assets')
  for (const [keys, right] of [[{ journal: 2, journalOldest: 3 }, '1 to 2'], [{ journalOldest: 2 }, '1 to 1'], [{ journal: 20, journalOldest: 12 }, '13 to 20']] as const) {
    t.match(venueFaults(changed((file) => { file['keys'] = keys })), [{ path: '/keys/journalOldest', right }])
  }
  t.same(venueFaults(changed((file) => { file['keys'] = { journal: 20, journalOldest: 13 } })), [])
  for (const json of [null, [], 5, 'venue', undefined]) t.same(paths(json), [''], JSON.stringify(json))
})

t.test('a process that starts names all of them', async (t) => {
  process.env['FAULTY'] = JSON.stringify(changed((file) => { file['gateway']!['port'] = -1; file['vault']!['fromLedger'] = 0 }))
  t.throws(() => openVenue('env:FAULTY'), { message: /^env:FAULTY: venue configuration: \/vault\/fromLedger is 0: a whole number 1 or more \(.*; \/gateway\/port is -1/ })
  const { failed, text } = await ran(config, ['config', 'check', '--venue', 'env:FAULTY'])
  t.ok(failed)
  t.match(text, /^env:FAULTY: 2 faults\n\/vault\/fromLedger\n {4}is 0\n {4}right: /)
})

t.test('addresses are looked at more closely than a start does', async (t) => {
  writeFileSync('typo.json', JSON.stringify(changed((file) => { file['network']!['rpc'] = ['https://one.example', 'http://two.example']; file['vault']!['contract'] = `C${'A'.repeat(55)}` })))
  const { failed, json } = await ran(config, ['config', 'check', '--venue', 'typo.json'])
  t.ok(failed)
  t.same((json['faults'] as { path: string }[]).map(({ path }) => path), ['/vault/contract', '/network/rpc/1'])
  await t.rejects(ran(config, ['config', 'check', '--venue', 'none.json']), { name: 'UsageFault', message: /there is no venue file/ })
  writeFileSync('half.json', '{')
  await t.rejects(ran(config, ['config', 'check', '--venue', 'half.json']), { name: 'UsageFault', message: /is not JSON/ })
  await t.rejects(ran(config, ['config']), { name: 'UsageFault' })
})

t.test('what the file speaks of is asked', async (t) => {
  const [chain, nats] = await Promise.all([LocalChain.start('0.1'), startNats()])
  t.teardown(() => Promise.all([chain.end(), nats.stop()]))
  const vault = await DeployedVault.deploy(chain)
  const file: VenueFile = {
    ...venueFile(nats.url),
    network: { passphrase: PASSPHRASE, rpc: chain.url },
    vault: { contract: vault.contract.id, fromLedger: vault.fromLedger },
    assets: [...vault.assets],
    markets: [{ ...venueFile(nats.url).markets[0]!, quote: 'USD' }],
  }
  writeFileSync('venue.json', JSON.stringify(file))
  process.env['VENUE'] = JSON.stringify(file)
  for (const line of examplesOf('operations/configuration.md')) t.notOk((await example(config, line, {})).failed, line)

  const online = async (change: Partial<VenueFile>): Promise<{ failed: boolean; findings: { subject: string; state: string; found: string }[] }> => {
    writeFileSync('other.json', JSON.stringify({ ...file, ...change }))
    const { failed, json } = await ran(config, ['config', 'check', '--venue', 'other.json', '--online'])
    return { failed, findings: json['findings'] as never }
  }
  const contradicting = async (change: Partial<VenueFile>): Promise<string[]> => {
    const { failed, findings } = await online(change)
    t.ok(failed)
    return findings.filter(({ state }) => state === 'contradicts').map(({ subject, found }) => `${subject}: ${found}`)
  }
  t.same((await online({})).findings.map(({ state }) => state), ['fits', 'fits', 'fits', 'fits', 'fits', 'fits'])
  t.match(await contradicting({ network: { ...file.network, passphrase: 'Another network' } }), [/^endpoint .*: is of another network/])
  t.match(await contradicting({ assets: file.assets.map((asset) => ({ ...asset, index: 1 - asset.index })) }), [/^asset XLM: is asset 0 in the vault, and 1/, /^asset USD: is asset 1/])
  t.match(await contradicting({ assets: file.assets.map((asset) => ({ ...asset, decimals: 6 })) }), [/^asset XLM: has 7 decimals, and 6/, /^asset USD/])
  t.match(await contradicting({ vault: { ...file.vault, contract: vault.assets[1].contract } }), [/^vault: a contract there does not answer as a vault/])
  t.match(await contradicting({ markets: [{ ...file.markets[0]!, fees: { maker_ppm: 1, taker_ppm: 5 } }] }), [/^market XLM-USD: charges up to 5 parts per million, and the vault lets it take 0/])
  t.match(await contradicting({ settlement: { ...file.settlement, channel: 1 } }), [/^engine: channel 1 has none/, /^withdrawals: channel 0 has another engine/])
  t.match(await contradicting({ vault: { ...file.vault, fromLedger: 4_000_000_000 } }), [/before \/vault\/fromLedger/])

  const open = createServer((socket) => void socket.end('INFO {"version":"0","jetstream":true}\r\n')).listen(0, '127.0.0.1')
  await once(open, 'listening')
  t.teardown(() => open.close())
  const port = (open.address() as AddressInfo).port
  t.match(await contradicting({ nats: { ...file.nats, servers: [nats.url, `nats://someone:secret@127.0.0.1:${port}`] } }), [`nats 127.0.0.1:${port}: asks nobody who they are`])
  await t.rejects(online({ nats: { ...file.nats, servers: ['nats://127.0.0.1:9'] } }), { name: 'Unasked', message: 'could not be asked: nats 127.0.0.1:9' })
  await t.rejects(online({ network: { ...file.network, rpc: [chain.url, 'http://127.0.0.1:9'] } }), { name: 'Unasked', message: /endpoint 127.0.0.1:9$/ })
})
