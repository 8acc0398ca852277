import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Keypair } from '@stellar/stellar-sdk/base'
import t from 'tap'
import type { PlaceOrder } from '../../src/protocol/vault.ts'
import { KeypairSigner } from '../../src/client/signer.ts'
import { SecretSigner } from '../../src/client/secretSigner.ts'
import { marketName, resting } from '../gateway/fakeVault.ts'
import { FeedWriter } from '../gateway/streams/feedWriter.ts'
import { openStage } from '../gateway/stage.ts'
import { until } from '../settlement/waiting.ts'
import { addressFor, keypairFor, openSubscriberStage } from '../subscribers/stage.ts'

// The client as somebody has it who installed the package: compiled, beside nothing but its own dependencies.

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'darkpool-client-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const installed = join(folder, 'node_modules', 'darkpool-client')
await run(process.execPath, [join(root, 'scripts/buildClient.ts'), installed])
interface Manifest {
  readonly dependencies: Record<string, string>
  readonly peerDependencies: Record<string, string>
  readonly exports: Record<string, { readonly types: string; readonly default: string }>
}
const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest
// And, for who reads over NATS, a library that speaks it.
for (const name of [...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }), '@nats-io/transport-node']) {
  mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true })
  symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
}
writeFileSync(join(folder, 'package.json'), '{"type":"module"}')

/** Every module that one loads, and everything outside the package that these name. */
function reach(file: string, modules = new Set<string>(), outside = new Set<string>()): { modules: Set<string>; outside: Set<string> } {
  if (modules.has(file)) return { modules, outside }
  modules.add(file)
  for (const [, name] of readFileSync(file, 'utf8').matchAll(/(?:from|import) ["']([^"']+)["']/g)) {
    if (name!.startsWith('.')) reach(join(dirname(file), name!), modules, outside)
    else outside.add(name!)
  }
  return { modules, outside }
}

t.test('what the manifest promises is there', async (t) => {
  for (const { types, default: code } of Object.values(manifest.exports)) for (const file of [types, code]) t.ok(existsSync(join(installed, file)), file)
})

t.test('a browser can load it: nothing of Node, nothing but its dependencies', async (t) => {
  for (const entry of ['.', './enclave', './enclave/development']) {
    const { modules, outside } = reach(join(installed, manifest.exports[entry]!.default))
    t.ok(modules.size > 5)
    t.same([...outside].filter((name) => !Object.keys(manifest.dependencies).some((dependency) => name === dependency || name.startsWith(`${dependency}/`))), [])
    for (const file of modules) t.notMatch(readFileSync(file, 'utf8'), /\b(Buffer|process|require|__dirname)\b\s*[.(]/, file.slice(installed.length + 1))
  }
  // What verifies evidence is loaded by those who ask for it.
  t.notOk([...reach(join(installed, manifest.exports['.']!.default)).modules].some((file) => file.includes('/enclave/')))
})

t.test('a program that has only the package trades', async (t) => {
  const stage = await openStage()
  t.teardown(() => stage.close())
  stage.vault.script = (asked) => resting(asked as PlaceOrder)
  const secret = Keypair.random().secret()
  const program = `
    import { Client, KeypairSigner, Refused } from 'darkpool-client'
    import { StreamTransport } from 'darkpool-client'
    import { SecretSigner, TlsTransport } from 'darkpool-client/node'
    import { NatsTransport, readFeed } from 'darkpool-client/nats'
    for (const offered of [TlsTransport, NatsTransport, readFeed]) if (typeof offered !== 'function') throw new Error('something is missing')
    const orders = []
    const stream = new StreamTransport(process.argv[2])
    for (const Signer of [KeypairSigner, SecretSigner]) {
      const client = await Client.open(process.argv[2], new Signer(process.argv[3]))
      orders.push((await client.over(stream).placeOrder(process.argv[4], { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' })).price)
      await client.placeOrder(process.argv[4], { side: 'buy', type: 'limit', price: '0.120', quantity: '10', timeInForce: 'GTC' }).catch((error) => {
        if (!(error instanceof Refused)) throw error
        orders.push(error.code)
      })
    }
    stream.close()
    console.log(JSON.stringify(orders))`
  writeFileSync(join(folder, 'program.js'), program)
  const { stdout } = await run(process.execPath, [join(folder, 'program.js'), stage.url, secret, marketName])
  t.same(JSON.parse(stdout), ['0.12', 'message_malformed', '0.12', 'message_malformed'])
})

t.test('its types are enough for a strict program', async (t) => {
  const program = `
    import { Client, Refused, OutcomeUnknown, type BatchResult, type OrderView, type Signer } from 'darkpool-client'
    export async function trade(url: string, wallet: Signer): Promise<string> {
      const client = await Client.open(url, wallet)
      const results: readonly BatchResult<OrderView>[] = await client.placeOrders('XLM-USDC', [{ side: 'buy', type: 'limit', price: '1', quantity: '2', timeInForce: 'GTC' }])
      const [first] = results
      if (first?.error instanceof Refused) return first.error.code
      return first?.error instanceof OutcomeUnknown ? 'unknown' : first?.order?.status ?? 'none'
    }
    // @ts-expect-error a market buy by budget has no price
    export const wrong: Parameters<Client['placeOrder']>[1] = { side: 'buy', type: 'market', spend: '1', price: '1', timeInForce: 'FOK' }`
  writeFileSync(join(folder, 'program.ts'), program)
  const options = ['--noEmit', '--strict', '--module', 'NodeNext', '--target', 'ES2022', '--lib', 'ES2024,DOM', '--skipLibCheck', 'program.ts']
  await t.resolves(run(join(root, 'node_modules/.bin/tsc'), options, { cwd: folder }).catch((error: { stdout: string }) => Promise.reject(new Error(error.stdout))))
})

t.test('both signers sign alike', async (t) => {
  const secret = Keypair.random().secret()
  const [slow, fast] = [new KeypairSigner(secret), new SecretSigner(secret)]
  t.equal(slow.address, fast.address)
  for (const text of ['', '{"action":"order"}', 'ünïcödé 🌊']) t.equal(slow.signMessage(text), fast.signMessage(text))
  t.throws(() => new KeypairSigner('SNONSENSE'), { message: 'that is no Stellar secret key (S…, 56 characters)' })
})

/** The blocks of a page that are in a language. */
const blocks = (page: string, language: string): string[] => [...readFileSync(join(root, page), 'utf8').matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(([, block]) => block!)

t.test('what docs/api/nats.md shows reads a feed as it stands there', async (t) => {
  const stage = await openSubscriberStage((file) => ({ ...file, nats: { ...file.nats, addresses: file.nats.servers } }))
  const writer = await FeedWriter.open(stage)
  t.teardown(async () => {
    await writer.close()
    await stage.close()
  })
  const [snippet] = blocks('docs/api/nats.md', 'ts')
  writeFileSync(join(folder, 'feed.js'), snippet!.replace('https://pool.example', stage.url))
  for (let n = 0; n < 3; n++) writer.write(addressFor('alice'))
  await writer.flush()
  const child = spawn(process.execPath, [join(folder, 'feed.js')], { env: { ...process.env, SECRET: keypairFor('alice').secret() }, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  for (const output of [child.stdout, child.stderr]) output.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await until('it has read what is kept', () => said.split('\n').length > 3)
  writer.write(addressFor('alice'))
  await until('it has read what came', () => said.split('\n').length > 4)
  t.equal(said, '1 fill\n2 fill\n3 fill\n4 fill\n')
})

t.test('and its lines in Python are those of programs that tests run, in their order', async (t) => {
  const linesOf = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter((line) => line !== '')
  const shown = blocks('docs/api/nats.md', 'python').map(linesOf)
  const programs = ['examples/subscriber.py', 'examples/openFeed.py'].map((path) => linesOf(readFileSync(join(root, path), 'utf8')))
  t.equal(shown.length, programs.length)
  for (const [n, program] of programs.entries()) {
    let from = 0
    for (const line of shown[n] ?? []) {
      const at = program.indexOf(line, from)
      t.ok(at >= from, line)
      from = Math.max(from, at)
    }
    t.ok(from > 5)
  }
})
