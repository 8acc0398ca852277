// `npm run bench:settlement`: what settling trades costs and how many settle in a second. The venue's settlement actor with its driver, its journal in
// JetStream, a vault on a local Stellar network. One JSON line per figure after a line with machine and versions. Fees are what the chain has charged.
//   --only NAME,NAME   some of: dense, widest, sustained, scattered (default: all, in this order)
//   --scale N          the number of trades (of sustained: of seconds) as a share of the usual one, for a quick look (default 1)
import { parseArgs } from 'node:util'
import { Fault, main } from '../scripts/setup/fault.ts'
import { NATS_VERSION } from '../scripts/setup/natsServer.ts'
import { setUp } from '../scripts/setup/setup.ts'
import { Steps } from '../scripts/setup/steps.ts'
import { systemRandom } from '../src/actors/runtime/random.ts'
import type { Log } from '../src/actors/runtime/log.ts'
import type { AccountId } from '../src/protocol/identity.ts'
import type { Trade } from '../src/protocol/pair.ts'
import { Subjects } from '../src/protocol/subjects.ts'
import { openServer } from './journal/server.ts'
import { stderrLog } from './journal/stderrLog.ts'
import { machine, report } from './report.ts'
import { BenchActor } from './settlement/actor.ts'
import type { SettledBatch } from './settlement/actor.ts'
import { Deals } from './settlement/deals.ts'
import { chargedFeesOf } from './settlement/fees.ts'
import { settleTradeByTrade } from './settlement/tradeByTrade.ts'
import { BenchVault } from './settlement/vault.ts'

const TRADES = 10_000
const FEW = { accounts: 150, assets: 2 }
const MANY = { accounts: 2_000, assets: 20 }
/** Accounts whose indexes follow one another, all in one transaction. */
const WIDEST = 1_900
/** Trades of the other way that are measured; the rest is reckoned from them. */
const SAMPLE = 50
const LEDGER_s = 5
const SUSTAINED_s = 60
/** Trades that wait while the rate is measured, so that each ledger's batch is as large as the actor makes it. */
const WAITING = 200_000
const PORTION = 8_192
/** A case's trades are handed in at once: far from as many as an actor lets wait. */
const MOST_SCALE = 10
const PEER = 'one transaction a trade (settle_trade)'
const CASES = ['dense', 'widest', 'sustained', 'scattered'] as const
type Case = (typeof CASES)[number]
type Note = (text: string) => void

function wanted(): { cases: readonly Case[]; scale: number } {
  const { values } = parseArgs({ options: { only: { type: 'string', default: CASES.join() }, scale: { type: 'string', default: '1' } } })
  const unknown = values.only.split(',').find((name) => !CASES.some((known) => known === name))
  if (unknown !== undefined) throw new Fault(`--only ${unknown}: ${CASES.join(', ')}`)
  const scale = Number(values.scale)
  if (!(scale > 0 && scale <= MOST_SCALE)) throw new Fault(`--scale ${values.scale} is no share`)
  return { cases: CASES.filter((name) => values.only.split(',').includes(name)), scale }
}

const figure = (name: string, metric: string, value: number, unit: string, peer?: string): void => report({ bench: 'settlement', case: name, metric, value, unit, ...(peer !== undefined && { peer }) })

const most = (batches: readonly SettledBatch[]): number => Math.max(...batches.map(({ accounts }) => accounts))

/** A batch that turns out too large is a warning each time, and part of what is measured. */
const log: Log = { ...stderrLog, warn: () => undefined }

await main(async () => {
  const { cases, scale } = wanted()
  const trades = Math.ceil(TRADES * scale)
  // Beside the figures, which are the only thing on standard output.
  const steps = new Steps(process.stderr)
  await setUp(steps)
  const vault = await BenchVault.open(cases.includes('scattered') ? MANY.assets : FEW.assets, steps)
  // A name of its own, as every run of a bench with a journal has.
  const subjects = new Subjects(`bench_${Buffer.from(systemRandom(4)).toString('hex')}`)
  try {
    const server = await openServer(subjects, null, 1)
    try {
      const deals = new Deals(vault.deployment.assets)
      const actor = await BenchActor.start(server, subjects, vault, deals.assetsOf, log)
      try {
        await measure(actor, deals)
      } finally {
        await actor.stop()
      }
    } finally {
      await server.stop()
    }
  } finally {
    await vault.stop()
  }
  return 0

  async function measure(actor: BenchActor, deals: Deals): Promise<void> {
    const needed: Readonly<Record<Case, number>> = { dense: FEW.accounts, widest: WIDEST, sustained: FEW.accounts, scattered: MANY.accounts }
    const count = Math.max(...cases.map((name) => needed[name]))
    const opened = await steps.run('accounts', (note) => vault.openAccounts(count, note), () => String(count))
    await actor.register([vault.treasurer, ...opened])
    const accounts = opened.map(({ account }) => account)
    const give = (from: number, to: number): Promise<SettledBatch[]> =>
      steps.run(`assets ${from + 1} to ${to} given`, (note) => settle(actor, deals.gifts(vault.treasurer.account, accounts, from, to), note), (batches) => `${batches.length} transactions`)
    await give(0, FEW.assets)

    machine({ 'nats-server': NATS_VERSION })
    const run: Readonly<Record<Case, (note: Note) => Promise<void>>> = {
      dense: (note) => costs(actor, deals, accounts.slice(0, FEW.accounts), FEW.assets, note),
      widest: (note) => widest(actor, deals, accounts.slice(0, WIDEST), note),
      sustained: () => sustained(actor, deals, accounts.slice(0, FEW.accounts)),
      scattered: (note) => costs(actor, deals, accounts, MANY.assets, note),
    }
    for (const name of cases) {
      if (name === 'scattered') await give(FEW.assets, MANY.assets)
      await steps.run(name, run[name])
    }
  }

  /** What the same trades cost in the actor's batches and one by one. */
  async function costs(actor: BenchActor, deals: Deals, accounts: readonly AccountId[], assets: number, note: Note): Promise<void> {
    const made = Array.from({ length: trades }, () => deals.drawn(accounts, assets))
    const name = `${trades} trades, ${accounts.length} accounts, ${assets} assets`
    const batches = await settle(actor, made, note)
    const { all, rent } = await chargedFeesOf(vault.chain.server, batches.map(({ transaction }) => transaction))
    figure(name, 'transactions', batches.length, 'transactions')
    figure(name, 'ledgers', new Set(batches.map(({ ledger }) => ledger)).size, 'ledgers')
    figure(name, 'most accounts in one transaction', most(batches), 'accounts')
    figure(name, 'charged', Number(all), 'stroops')
    figure(name, 'of that rent', Number(rent), 'stroops')
    figure(name, 'charged without rent', Number(all - rent) / trades, 'stroops/trade')

    // Other trades of the same accounts: a trade settles once.
    const sample = Array.from({ length: SAMPLE }, () => deals.drawn(accounts, assets))
    const single = await settleTradeByTrade(vault, sample, deals.assetsOf)
    const reckoned = `${name}, reckoned from ${SAMPLE}`
    figure(reckoned, 'transactions', trades, 'transactions', PEER)
    figure(reckoned, 'charged', (Number(single.all) / SAMPLE) * trades, 'stroops', PEER)
    figure(reckoned, 'of that rent', (Number(single.rent) / SAMPLE) * trades, 'stroops', PEER)
    figure(reckoned, 'charged without rent', Number(single.all - single.rent) / SAMPLE, 'stroops/trade', PEER)
  }

  /** Every account trades, one neighbour with the next. */
  async function widest(actor: BenchActor, deals: Deals, accounts: readonly AccountId[], note: Note): Promise<void> {
    const made: Trade[] = []
    for (let n = 0; n < accounts.length; n += 2) made.push(deals.between(accounts[n] as AccountId, accounts[n + 1] as AccountId, FEW.assets))
    const batches = await settle(actor, made, note)
    const { all, rent } = await chargedFeesOf(vault.chain.server, batches.map(({ transaction }) => transaction))
    const name = `${accounts.length} accounts, ${FEW.assets} assets, each in one trade`
    figure(name, 'transactions', batches.length, 'transactions')
    figure(name, 'most accounts in one transaction', most(batches), 'accounts')
    figure(name, 'charged without rent', Number(all - rent), 'stroops')
  }

  /** As many trades as settle while there are always more. */
  async function sustained(actor: BenchActor, deals: Deals, accounts: readonly AccountId[]): Promise<void> {
    await vault.pace(LEDGER_s)
    const [first, end] = [actor.settled.length, performance.now() + SUSTAINED_s * scale * 1_000]
    let cpu: NodeJS.CpuUsage | undefined
    while (performance.now() < end || actor.settled.length < first + 3) {
      await actor.trade(Array.from({ length: PORTION }, () => deals.drawn(accounts, FEW.assets)))
      await actor.until(WAITING)
      // The first batch is smaller: it took what there was.
      if (cpu === undefined && actor.settled.length > first) cpu = process.cpuUsage()
    }
    const used = process.cpuUsage(cpu)
    const [begun, ...batches] = actor.settled.slice(first)
    const last = batches.at(-1)
    if (!begun || !last) throw new Error('no batch has settled')
    const settled = batches.reduce((sum, { trades: count }) => sum + count, 0)
    const name = `${accounts.length} accounts, ${FEW.assets} assets, ledgers of ${LEDGER_s} s`
    figure(name, 'settled', settled / ((last.at_ms - begun.at_ms) / 1_000), 'trades/s')
    figure(name, 'batch', settled / batches.length, 'trades')
    figure(name, 'ledgers', last.ledger - begun.ledger, 'ledgers')
    figure(name, 'transactions', batches.length, 'transactions')
    figure(name, 'cpu of the actor, and of what makes its trades', (used.user + used.system) / settled, 'µs/trade')
    const { all } = await chargedFeesOf(vault.chain.server, batches.map(({ transaction }) => transaction))
    figure(name, 'charged', Number(all) / settled, 'stroops/trade')
    await actor.until(0)
    await vault.pace()
  }

  /** Hands trades in and waits for all of them; the batches that they became. */
  async function settle(actor: BenchActor, made: readonly Trade[], note: Note): Promise<SettledBatch[]> {
    const before = actor.settled.length
    await actor.trade(made)
    for (; actor.open > 0; note(`${actor.open} trades open`)) await actor.until(actor.open - 1)
    return actor.settled.slice(before)
  }
})
