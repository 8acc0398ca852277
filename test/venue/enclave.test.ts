import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { StrKey } from '@stellar/stellar-sdk'
import t from 'tap'
import { verifyLocalVenue } from '../../scripts/venue/verification.ts'
import { pathsOf } from '../../src/enclave/holder/roles.ts'
import { engineKeyPath, feedKeyPath, journalKeyPath, keyPaths, tokenKeyPath } from '../../src/enclave/keys.ts'
import type { VenueFile } from '../../src/protocol/venue.ts'
import { memoryOf } from './memory.ts'
import { VenueUnderTest } from './venueUnderTest.ts'

t.setTimeout(600_000)

/** What is looked for, by what it is, in every spelling in which it could stand somewhere. */
type Needles = ReadonlyMap<string, readonly Buffer[]>

const spellings = (bytes: Uint8Array): Buffer[] => {
  const raw = Buffer.from(bytes)
  const texts = [raw.toString('hex'), raw.toString('hex').toUpperCase(), raw.toString('base64').replace(/=+$/, ''), raw.toString('base64url'), StrKey.encodeEd25519SecretSeed(raw)]
  return [raw, ...texts.map((text) => Buffer.from(text))]
}

/** @returns what was found, as "what in where" */
function found(needles: Needles, haystacks: Iterable<readonly [where: string, bytes: Buffer]>): string[] {
  const hits: string[] = []
  for (const [where, bytes] of haystacks) {
    for (const [what, texts] of needles) if (texts.some((text) => bytes.includes(text))) hits.push(`${what} in ${where}`)
  }
  return hits.sort()
}

function* filesOf(folder: string): Generator<readonly [string, Buffer]> {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = join(folder, name)
    if (statSync(file).isFile()) yield [relative(folder, file), readFileSync(file)]
  }
}

t.test('after trading no secret of the venue and nothing that was signed for it stands in any file, log, metric or journal, in an environment or on a command line, and no process has a key that is another’s in its memory', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'darkpool-secrets-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const under = await VenueUnderTest.start(2, { state: folder, sealed: 1 })
  const { venue } = under
  t.teardown(() => venue.stop())
  const { ok, checks } = await verifyLocalVenue(venue.state, venue.deployment, venue.gatewayUrl, venue.chain.url)
  t.same(checks.filter((check) => !check.ok), [], 'its evidence passes every check')
  t.ok(ok)
  const [alice, bob] = venue.traders as [(typeof venue.traders)[number], (typeof venue.traders)[number]]
  const [seller, buyer] = await Promise.all([alice.client(), bob.client()])
  const plain = { type: 'limit', price: '0.1234', quantity: '12.3', timeInForce: 'GTC' } as const
  const orders = [
    await seller.signOrder('XLM-USDC', { ...plain, side: 'sell' }, { nonce: 'resting-order-of-the-seller' }),
    await seller.signOrder('XLM-USDC', { ...plain, side: 'sell', quantity: '20' }, { nonce: 'traded-order-of-the-seller' }),
    await buyer.signOrder('XLM-USDC', { ...plain, side: 'buy', quantity: '30' }, { nonce: 'traded-order-of-the-buyer' }),
  ]
  const placed = [await seller.sendOrder(orders[0]!), await seller.sendOrder(orders[1]!), await buyer.sendOrder(orders[2]!)]
  t.equal(placed[2]!.status, 'filled')
  await seller.cancelOrder(placed[1]!.id)
  await Promise.all([alice.settled(), bob.settled()])
  // An end in the middle of work, and another life.
  await venue.gateway.kill()
  await venue.shard.kill()
  await venue.shard.start()
  await venue.gateway.start()
  await venue.ready()
  t.match(await (await alice.client()).orders({ status: 'all' }), { length: 2 })

  const secrets = new Map<string, Buffer[]>()
  const versioned = { engine: engineKeyPath, journal: journalKeyPath, tokens: tokenKeyPath }
  const next = Object.entries(versioned).map(([name, path]) => [`next ${name}`, path(2)] as const)
  const named = [...Object.entries({ ...keyPaths, engine: engineKeyPath(1), journal: journalKeyPath(1), tokens: tokenKeyPath(1), feeds: feedKeyPath(1) }), ...next]
  for (const [name, path] of named) secrets.set(`the ${name} key`, spellings(await venue.keys.secret(path)))
  secrets.set('the root key', spellings(Buffer.from(readFileSync(join(folder, 'keys', 'root'), 'utf8').trim(), 'hex')))
  for (const trader of venue.traders) secrets.set(`the key of ${trader.name}`, spellings(trader.key.rawSecretKey()))
  const said = new Map<string, Buffer[]>(orders.map(({ message, signature }, n) => [`order ${n}`, [Buffer.from(message.nonce!), Buffer.from(signature), Buffer.from(signature, 'base64'), Buffer.from(placed[n]!.id), Buffer.from(placed[n]!.id, 'hex')]]))
  const all: Needles = new Map([...secrets, ...said])

  const processes = venue.servers.flatMap(({ plan, pid }) => ['environ', 'cmdline'].map((what) => [`${what} of ${plan.name}`, readFileSync(`/proc/${pid}/${what}`)] as const))
  t.ok(processes.length >= 2 * 6)
  t.same(found(all, processes), [])
  const shown = await Promise.all(venue.nodes[0].metricsUrls.map(async (url) => [url, Buffer.from(await (await fetch(url)).text())] as const))
  t.same(found(all, shown), [], 'nor in what operators read')
  const file = JSON.parse(readFileSync(join(folder, 'venue.json'), 'utf8')) as VenueFile
  const memories = [['gateway', venue.gateway], ['shard', venue.shard], ['nats', venue.nodes[0].nats]] as const
  for (const [role, { plan, pid }] of memories) {
    const own = pathsOf(role, file)
    const isOwn = (name: string): boolean => named.some(([one, path]) => name === `the ${one} key` && own.includes(path))
    const control = role === 'shard' ? 'the journal key' : 'the nats key'
    // As bytes, and as digits where it is read from a file or told nats-server: memory is long.
    const needles = new Map([...secrets].filter(([name]) => !isOwn(name) || name === control).map(([name, [raw, hex]]) => [name, name === control || name === 'the root key' ? [raw!, hex!] : [raw!]]))
    const held = found(needles, memoryOf(pid!, plan.name))
    t.same([...new Set(held)], [`${control} in ${plan.name}`], `what a core of the ${plan.name} would hold: no key but its own`)
  }
  await venue.stop()
  const files = [...filesOf(folder)]
  const names = files.map(([name]) => name)
  for (const wanted of [/^logs\/shard\.log$/, /^logs\/gateway\.log$/, /^logs\/key-holder\.log$/, /^nats\/jetstream\/VENUE\/.*\.blk$/, /^chain\//]) t.ok(names.some((name) => wanted.test(name)), `${wanted} was looked at`)
  const where = found(all, files.filter(([name]) => !name.startsWith('keys/')))
  // nats-server takes the password of the venue's own user from its configuration, which only its owner may read: deploy it to memory.
  t.same(where, ['the nats key in nats.conf'])
  t.equal(statSync(join(folder, 'nats.conf')).mode & 0o777, 0o600)
  // What is looked for would be found.
  t.same(found(all, files.filter(([name]) => name.startsWith('keys/'))), [...secrets.keys()].filter((name) => /root|of trader/.test(name)).map((name) => `${name} in keys/${name === 'the root key' ? 'root' : `${name.split(' ').at(-1)}.seed`}`).sort())
})
