import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '@nats-io/transport-node'
import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { keyPaths } from '../../src/enclave/keys.ts'
import { developmentKeys } from '../../src/enclave/simulator/developmentKeys.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import type { PlaceOrder } from '../../src/protocol/vault.ts'
import { startNats } from '../nats/server.ts'
import { call, refused } from './call.ts'
import { FakeVault, resting } from './fakeVault.ts'
import { trader, venueFile } from './stage.ts'

const folder = mkdtempSync(join(tmpdir(), 'darkpool-gateway-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const keys = join(folder, 'root')
const password = Buffer.from(await developmentKeys(keys).secret(keyPaths.nats)).toString('hex')
const nats = await startNats({ password })
t.teardown(() => nats.stop())

let files = 0
const written = (contents: unknown): string => {
  const file = join(folder, `venue-${++files}.json`)
  writeFileSync(file, typeof contents === 'string' ? contents : JSON.stringify(contents))
  return file
}

interface Run {
  readonly child: ChildProcess
  readonly ended: Promise<{ code: number | null; stderr: string }>
}

function run(...args: string[]): Run {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../src/gateway/main.ts'), ...args], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let stderr = ''
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  t.teardown(() => child.kill('SIGKILL'))
  return { child, ended: once(child, 'close').then(([code]) => ({ code: code as number | null, stderr })) }
}

t.test('what cannot work is one clear sentence and an exit code, before anything listens', async (t) => {
  const good = written(venueFile(nats))
  const busy = createServer().listen(0, '127.0.0.1')
  await once(busy, 'listening')
  t.teardown(() => busy.close())
  const { port } = busy.address() as AddressInfo
  const cases: [number, RegExp, string[]][] = [
    [2, /usage: /, []],
    [2, /--frob/, ['--frob']],
    [2, /there is no venue file .*none\.json/, ['--venue', join(folder, 'none.json'), '--keys', keys]],
    [2, /is not JSON/, ['--venue', written('{'), '--keys', keys]],
    [2, /venue configuration: .*vaultPartitions/, ['--venue', written({ ...venueFile(nats), vaultPartitions: 0 }), '--keys', keys]],
    [2, /--port 70000/, ['--venue', good, '--keys', keys, '--port', '70000']],
    [2, /--metrics example\.com:9464: a port of loopback, or an address and a port/, ['--venue', good, '--keys', keys, '--metrics', 'example.com:9464']],
    [2, /not a development root key/, ['--venue', good, '--keys', good]],
    [3, /NATS does not answer at nats:\/\/127\.0\.0\.1:9/, ['--venue', written(venueFile({ ...nats, url: 'nats://127.0.0.1:9' })), '--keys', keys]],
    [3, /NATS does not answer/, ['--venue', good, '--keys', join(folder, 'other-root')]],
    [4, new RegExp(`metrics cannot be shown at 127\\.0\\.0\\.1:${port} \\(EADDRINUSE\\)`), ['--venue', good, '--keys', keys, '--metrics', String(port)]],
    [4, new RegExp(`port ${port} of 127\\.0\\.0\\.1 is in use`), ['--venue', good, '--keys', keys, '--port', String(port)]],
  ]
  for (const [code, sentence, args] of cases) {
    const { code: ended, stderr } = await run(...args).ended
    t.equal(ended, code, `${sentence}`)
    t.match(stderr, sentence)
    t.equal(stderr.trim().split('\n').length, 1, 'one line')
  }
})

t.test('from ready to SIGTERM: every order that was taken is answered', async (t) => {
  const file = venueFile(nats)
  const { child, ended } = run('--venue', written(file), '--keys', keys)
  const [ready] = (await once(child, 'message')) as [{ type: string; url: string }]
  t.match(ready, { type: 'ready', url: /^http:\/\/127\.0\.0\.1:\d+$/ })
  const connection = await connect({ servers: nats.url, user: nats.user, pass: nats.password })
  t.teardown(() => connection.close())
  const vault = new FakeVault(connection, readVenue(file))
  await vault.open()

  const client = await Client.open(ready.url, trader('alice'))
  const order = () => client.signOrder('XLM-USDC', { side: 'sell', type: 'limit', price: '0.9', quantity: '5', timeInForce: 'GTC' })
  t.match(await client.sendOrder(await order()), { status: 'open' })

  // The answer waits until the gateway was told to stop.
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => {
    vault.script = (asked) => {
      release = vault.later(asked, resting(asked as PlaceOrder))
      vault.script = (next) => resting(next as PlaceOrder)
      resolve()
      return null
    }
  })
  const answer = client.sendOrder(await order())
  await held
  child.kill('SIGTERM')
  // The signal takes its time to arrive.
  let refusal = await call(ready.url, 'POST', '/api/v1/orders', await order())
  while (refusal.status === 201) refusal = await call(ready.url, 'POST', '/api/v1/orders', await order())
  refused(t, refusal, 'venue_not_ready')
  release()
  t.match(await answer, { status: 'open' }, 'the order in flight is answered')
  const { code, stderr } = await ended
  t.equal(code, 0)
  for (const line of stderr.trim().split('\n')) t.match(JSON.parse(line), { at: String, message: String, time: String })
  // A line's own time may read like the price: ten seconds and nine tenths.
  const said = stderr.replaceAll(/"time":"[^"]*"/g, '')
  t.notMatch(said, new RegExp(`0\\.9|XLM|${client.binding.account}`), 'nothing of an order in the log')
})
