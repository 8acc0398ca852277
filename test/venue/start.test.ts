import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { paths } from '../../scripts/setup/paths.ts'
import { freePort } from '../../scripts/venue/ports.ts'
import { identityOf, isAlive } from '../../scripts/venue/processIdentity.ts'
import type { ProcessIdentity } from '../../scripts/venue/processIdentity.ts'

const UP = 'Ctrl-C ends it.'
const TIMEOUT_ms = 180_000

t.setTimeout(900_000)
const state = mkdtempSync(join(tmpdir(), 'darkpool-start-'))
t.teardown(() => rmSync(state, { recursive: true, force: true }))
const ports = { gateway: await freePort(), nats: await freePort(), rpc: await freePort(), metrics: await twoFreePorts() }

/** The first of two. */
async function twoFreePorts(): Promise<number> {
  let [first, second] = [await freePort(), await freePort()]
  while (second !== first + 1) [first, second] = [second, await freePort()]
  return first
}

/** `npm start`, but for npm. */
class Start {
  readonly process: ChildProcess
  output = ''

  constructor(...args: readonly string[]) {
    const all = ['--port', String(ports.gateway), '--nats-port', String(ports.nats), '--rpc-port', String(ports.rpc), '--metrics-port', String(ports.metrics), '--ledger-time', '0.5', '--state', state, ...args]
    this.process = spawn('sh', [join(paths.root, 'scripts', 'bootstrap.sh'), 'scripts/start.ts', ...all], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.process.stdout, this.process.stderr]) stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()))
    t.teardown(() => void this.process.kill('SIGKILL'))
  }

  /** Resolves when it has said that. */
  async says(text: string, times = 1): Promise<void> {
    for (const end = Date.now() + TIMEOUT_ms; this.output.split(text).length <= times; await delay(50)) {
      if (Date.now() > end) throw new Error(`it did not say "${text}":\n${this.output}`)
      if (this.process.exitCode !== null) throw new Error(`it ended with ${this.process.exitCode}:\n${this.output}`)
    }
  }

  async ended(): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit')
    return this.process.exitCode
  }

  /** @throws with all that it said, where it did not end well */
  async endsWell(): Promise<void> {
    const code = await this.ended()
    if (code !== 0) throw new Error(`it ended with ${code}:\n${this.output}`)
  }
}

const servers = (): Record<string, ProcessIdentity> => JSON.parse(readFileSync(join(state, 'processes.json'), 'utf8')) as Record<string, ProcessIdentity>
const vaultOf = (output: string): string | undefined => /vault {4}(C[A-Z2-7]{55})/.exec(output)?.[1]

t.test('brings a venue up, trades, and ends all of it at Ctrl-C', async (t) => {
  const start = new Start()
  await start.says(UP)
  t.match(start.output, /✓ settled on chain .*ledger \d+, transaction [0-9a-f]{64}/)
  for (const line of [/alice +XLM +5000 +5100 +\+100\n/, /alice +USDC +10000 +9990 +-10\n/, /bob +XLM +5000 +4900 +-100\n/, /bob +USDC +10000 +10010 +\+10\n/]) t.match(start.output, line)
  const running = servers()
  t.same(Object.keys(running).sort(), ['gateway', 'guest-agent', 'key-holder', 'localnet', 'nats-server', 'shard'])
  start.process.kill('SIGINT')
  // As a terminal and npm do it together.
  start.process.kill('SIGINT')
  await start.endsWell()
  for (const [name, identity] of Object.entries(running)) t.notOk(isAlive(identity), `${name} is gone`)
  t.notOk(existsSync(join(state, 'lock')))
})

t.test('goes on from what was kept, and starts again what dies', async (t) => {
  const vault = vaultOf(readFileSync(join(state, 'deployment.json'), 'utf8').replace(/"vault": "/, 'vault    '))
  const start = new Start()
  await start.says(UP)
  t.match(start.output, 'state kept')
  t.equal(vaultOf(start.output), vault, 'the same contract')
  t.match(start.output, /XLM-USDC:2: 100 XLM for 10 USDC/, 'the second trade of the market')

  const second = new Start()
  t.equal(await second.ended(), 1)
  t.match(second.output, /A venue is running in .* already \(process \d+\): end it, or choose another folder with --state DIR\./)

  for (const [name, { pid }] of Object.entries(servers())) {
    process.kill(pid, 'SIGKILL')
    await start.says(`${name} ended unexpectedly (SIGKILL)`)
    await start.says(`${name} serves again`)
    t.ok(identityOf(servers()[name]!.pid), `${name} was started again`)
  }
  const trade = spawn('sh', [join(paths.root, 'scripts', 'bootstrap.sh'), 'scripts/trade.ts', '--state', state], { stdio: ['ignore', 'pipe', 'inherit'] })
  let traded = ''
  trade.stdout.on('data', (chunk: Buffer) => (traded += chunk.toString()))
  await once(trade, 'exit')
  t.match(traded, /✓ settled on chain/, 'and it trades')

  // Killed without a chance to end what it started: the next one does.
  const left = servers()
  start.process.kill('SIGKILL')
  await start.ended()
  t.ok(isAlive(left.localnet!), 'localnet is still there')
  const next = new Start('--once')
  await next.endsWell()
  t.match(next.output, /Ending localnet \(process \d+\), which an earlier run left behind/)
  for (const [name, identity] of Object.entries(left)) t.notOk(isAlive(identity), `${name} is gone`)
})

t.test('--fresh begins anew', async (t) => {
  const before = readFileSync(join(state, 'deployment.json'), 'utf8')
  const start = new Start('--fresh', '--once')
  await start.endsWell()
  t.match(start.output, /XLM-USDC:1: 100 XLM for 10 USDC/, 'the first trade of the market')
  t.not(readFileSync(join(state, 'deployment.json'), 'utf8'), before)
})

t.test('an interrupted first start leaves nothing running, and the next one works', async (t) => {
  const start = new Start('--fresh')
  await start.says('✓ vault on chain')
  start.process.kill('SIGTERM')
  await start.endsWell()
  t.notOk(existsSync(join(state, 'processes.json')))
  const again = new Start('--once')
  await again.endsWell()
  t.match(again.output, /✓ settled on chain/)
})

t.test('what cannot work is one sentence', async (t) => {
  const busy = createServer().listen(ports.nats, '127.0.0.1')
  await once(busy, 'listening')
  const start = new Start()
  t.equal(await start.ended(), 1)
  t.match(start.output, `Port ${ports.nats}, wanted for nats-server, is in use by another program: end that, or choose another port with --nats-port N.`)
  busy.close()
  const wrong = new Start('--ledger-time', 'soon')
  t.equal(await wrong.ended(), 1)
  t.match(wrong.output, '--ledger-time soon: a number from 0.1 to 60 is wanted.')
  const unknown = new Start('--fast')
  t.equal(await unknown.ended(), 1)
  t.match(unknown.output, "Unknown option '--fast'")
  t.notOk(readdirSync(state).includes('lock'))
})
