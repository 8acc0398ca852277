import { spawn } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import t from 'tap'
import { runCommand } from '../../scripts/setup/command.ts'
import { paths } from '../../scripts/setup/paths.ts'
import { pythonTool } from '../../scripts/setup/pythonTools.ts'
import { VenueUnderTest } from './venueUnderTest.ts'

// The documents, held against a whole venue: the commands of docs/api/getting-started.md, and the program in Python.

t.setTimeout(900_000)
const under = await VenueUnderTest.start(3)
t.teardown(() => under.stop())
const { venue } = under
const [alice, bob, carol] = [under.trader(), under.trader(), under.trader()]
const folder = mkdtempSync(join(tmpdir(), 'darkpool-documents-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
/** The Python of the tests, which has what the examples ask for. */
const PATH = [dirname(pythonTool('python')), paths.bin, process.env.PATH].join(delimiter)

t.test('getting started: every command of the page, one after another', async (t) => {
  const page = readFileSync(join(paths.root, 'docs', 'api', 'getting-started.md'), 'utf8')
  const commands = [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block]) => block!)
  t.ok(commands.length > 6)
  copyFileSync(venue.keyPath(alice.name), join(folder, 'alice.seed'))
  copyFileSync(venue.keyPath(bob.name), join(folder, 'bob.seed'))
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', commands.join('\necho\n')], {
    cwd: paths.root, env: { ...process.env, PATH, VENUE: venue.gatewayUrl, KEYS: folder, RPC: venue.chain.url }, stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => void shell.kill('SIGKILL'))
  let said = ''
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const code = await new Promise((resolve) => shell.once('close', resolve))
  t.equal(code, 0, said)
  for (const wanted of [/"ready":true/, /"asset":"USDC".*"available":"100[05]"/, /"side":"sell".*"status":"open"/, /"side":"buy".*"status":"filled"/, /"status":"settled","transaction":"[0-9a-f]{64}","ledger":\d+/, /"status":"cancelled"/]) t.match(said, wanted)
  t.match(await alice.balance('XLM'), { settled: '1025' })
})

t.test('an order by a program in Python', async (t) => {
  const place = (...words: string[]) => runCommand(pythonTool('python'), ['examples/placeOrder.py', venue.gatewayUrl, venue.keyPath(carol.name), ...words], { cwd: paths.root, timeout_ms: 60_000 })
  const { code, output } = await place('XLM-USDC', 'buy', '25', '0.1')
  t.equal(code, 0, output)
  const placed = JSON.parse(output) as { id: string }
  t.match(await (await carol.client()).order(placed.id), { market: 'XLM-USDC', side: 'buy', quantity: '25', price: '0.1', status: 'open' })
  const refused = await place('XLM-USDC', 'buy', '25', '0.10000001')
  t.equal(refused.code, 1)
  t.match(JSON.parse(refused.output), { code: 'price_off_tick' })
})
