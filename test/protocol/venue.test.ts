import t from 'tap'
import { Subjects, vaultOf } from '../../src/protocol/subjects.ts'
import type { AccountId, ActorName } from '../../src/protocol/identity.ts'
import { readVenue } from '../../src/protocol/venue.ts'

const contract = (letter: string): string => `C${letter.repeat(55)}`
const file = {
  venue: 'local',
  network: { passphrase: 'Test', rpc: 'http://127.0.0.1:8000' },
  vault: { contract: contract('V'), fromLedger: 2 },
  nats: { servers: ['nats://127.0.0.1:4222'], user: 'venue' },
  vaultPartitions: 2,
  assets: [
    { code: 'XLM', contract: contract('A'), index: 0, decimals: 7 },
    { code: 'USDC', contract: contract('B'), index: 1, decimals: 7 },
  ],
  markets: [{ base: 'XLM', quote: 'USDC', lotSize: '10000000', tickSize: '100', minLots: 1, maxLots: 1000, maxTicks: 1000, maxLifetime_s: 86_400 }],
  settlement: { maxAge_ms: 1000, maxAccounts: 500, maxTrades: 5000 },
  gateway: { host: '127.0.0.1', port: 8080, homeDomain: 'localhost', signatureThreads: 1, tokenLifetime_s: 900 },
}

t.test('a venue is read with everything that follows from it', async (t) => {
  const key = 'GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF'
  t.strictSame([...readVenue({ ...file, operators: [{ key, may: 'see' }] }).operators], [[key, 'see']])
  t.equal(readVenue(file).operators.size, 0, 'nobody, unless it says so')
  const venue = readVenue(file)
  t.strictSame(venue.actors, ['vault.0', 'vault.1', 'pair.XLM-USDC', 'settlement.0', 'watcher.0'])
  t.equal([...venue.markets.values()][0]?.rules.base.code, 'XLM')
})

t.test('a venue settles on channel 0, or on the one that it names', async (t) => {
  t.equal(readVenue(file).channel, 0)
  const venue = readVenue({ ...file, settlement: { ...file.settlement, channel: 31 } })
  t.equal(venue.channel, 31)
  t.ok(venue.actors.includes('settlement.31' as ActorName))
  for (const channel of [-1, 32, 0.5, '1']) t.throws(() => readVenue({ ...file, settlement: { ...file.settlement, channel } }), /settlement\/channel/)
})

t.test('a market charges nothing unless it says so, and what it takes is bounded where it does', async (t) => {
  const rulesOf = (market: object) => [...readVenue({ ...file, markets: [{ ...file.markets[0], ...market }] }).markets.values()][0]!.rules
  t.match(rulesOf({}), { fees: { maker_ppm: 0, taker_ppm: 0 }, maxValue: Number.MAX_SAFE_INTEGER })
  t.match(rulesOf({ fees: { maker_ppm: 100, taker_ppm: 10_000 } }), { fees: { maker_ppm: 100, taker_ppm: 10_000 }, maxValue: Math.floor(Number.MAX_SAFE_INTEGER / 100) })
  t.match(rulesOf({ fees: { maker_ppm: 100, taker_ppm: 0 }, maxValue: 1_000 }), { maxValue: 1_000 })
})

t.test('a faulty configuration is one sentence that names the member', async (t) => {
  const broken: [Record<string, unknown>, RegExp][] = [
    [{ venue: 'a.b' }, /venue/],
    [{ vaultPartitions: 0 }, /vaultPartitions/],
    [{ colour: 'red' }, /venue configuration/],
    [{ assets: [file.assets[0], file.assets[0]] }, /asset codes must be unique/],
    [{ markets: [{ ...file.markets[0], quote: 'EURC' }] }, /EURC/],
    [{ markets: [file.markets[0], file.markets[0]] }, /markets must be unique/],
    [{ markets: [{ ...file.markets[0], lotSize: '1.5' }] }, /lotSize/],
    [{ markets: [{ ...file.markets[0], fees: { maker_ppm: 0, taker_ppm: 10_001 } }] }, /taker_ppm/],
    [{ markets: [{ ...file.markets[0], fees: { taker_ppm: 1 } }] }, /fees/],
    [{ markets: [{ ...file.markets[0], fees: { maker_ppm: 1, taker_ppm: 1 }, maxValue: Number.MAX_SAFE_INTEGER }] }, /with fees, maxValue/],
    [{ nats: { ...file.nats, addresses: ['tls://pool.example:4222'] } }, /addresses/],
    [{ nats: { ...file.nats, traders: true, addresses: ['http://pool.example'] } }, /addresses/],
    [{ gateway: { ...file.gateway, port: 65_536 } }, /port/],
  ]
  for (const [change, message] of broken) t.throws(() => readVenue({ ...file, ...change }), message, JSON.stringify(change).slice(0, 60))
})

t.test('accounts are spread over the vault actors, each always to the same one', async (t) => {
  const counts = [0, 0, 0, 0]
  for (let n = 0; n < 4000; n++) {
    const account = `G${n.toString(32).toUpperCase().padStart(55, 'A')}` as AccountId
    const owner = vaultOf(account, 4)
    t.equal(owner, vaultOf(account, 4))
    counts[Number(owner.split('.')[1])]! += 1
  }
  t.ok(counts.every((count) => count > 800), `spread: ${counts.join(' ')}`)
})

t.test('a venue name cannot widen a subject', async (t) => {
  for (const name of ['', 'a.b', '*', '>', 'a b', 'x'.repeat(33)]) t.throws(() => new Subjects(name), /venue name/)
})
