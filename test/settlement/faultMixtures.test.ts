import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { Random } from '../../simulator/random.ts'
import type { AccountId } from '../../src/protocol/identity.ts'
import { DeployedVault } from './deployedVault.ts'
import type { Trader } from './deployedVault.ts'
import { LocalChain } from './localChain.ts'
import { SettlementRig } from './settlementRig.ts'
import type { Deal } from './settlementRig.ts'
import { until } from './waiting.ts'

// Trades settle once each, whatever mixture of faults the network and its RPC are in, and however often the settlement actor is killed meanwhile.
// DARKPOOL_SETTLED_BATCHES=3000 makes it as many batches; DARKPOOL_SEED repeats a run's draws. What happens when is the machine's to say.

const BATCHES = Number(process.env['DARKPOOL_SETTLED_BATCHES'] ?? 40)
const SEED = process.env['DARKPOOL_SEED'] ?? String(Date.now())
/** A successor replays the whole journal, and so all of them together the square of it. */
const KILLS = 16
const FUNDS = 100_000_000n
/** Trades that may wait: more come once some have settled. */
const WAITING = 60

t.setTimeout(280_000 + BATCHES * 4_000)

const random = new Random(`settlement ${SEED}`)
t.comment(`DARKPOOL_SEED=${SEED}`)

/** What each may be told, and how much of it: all of these are faults that one endpoint, which is trusted, may have without anything being settled that is not. */
const faults: Readonly<Record<string, () => object>> = {
  delay: () => ({ fault: 'delay', ms: 20 + random.below(300), probability: 0.3, seed: random.below(1_000) }),
  drop: () => ({ fault: 'drop', probability: 0.3, seed: random.below(1_000) }),
  lose: () => ({ fault: 'lose', probability: 0.3, seed: random.below(1_000) }),
  'the submission is lost': () => ({ fault: 'drop', methods: ['sendTransaction'], probability: 0.7, seed: random.below(1_000) }),
  'the submission’s answer is lost': () => ({ fault: 'lose', methods: ['sendTransaction'], probability: 0.7, seed: random.below(1_000) }),
  timeOut: () => ({ fault: 'timeOut', ms: 100 + random.below(1_000), count: 1 }),
  duplicate: () => ({ fault: 'duplicate', methods: ['sendTransaction'], probability: 0.7, seed: random.below(1_000) }),
  'thrown away': () => ({ fault: 'lie', about: 'status', says: 'PENDING', methods: ['sendTransaction'], count: 1 }),
  'taken in, called an error': () => ({ fault: 'lie', about: 'status', says: 'ERROR', methods: ['sendTransaction'], count: 1 }),
  'taken in, to be sent again': () => ({ fault: 'lie', about: 'status', says: 'TRY_AGAIN_LATER', methods: ['sendTransaction'], count: 1 }),
  'settled, called unknown': () => ({ fault: 'lie', about: 'status', says: 'NOT_FOUND', methods: ['getTransaction'], probability: 0.7, seed: random.below(1_000) }),
  'settled, called failed': () => ({ fault: 'lie', about: 'status', says: 'FAILED', methods: ['getTransaction'], count: 1 }),
  'behind the others': () => ({ fault: 'lie', about: 'ledger', by: -3, probability: 0.3, seed: random.below(1_000) }),
}
const kinds = Object.keys(faults)

t.test(`${BATCHES} batches under mixtures of faults`, async (t) => {
  const chain = await LocalChain.start('0.05', true)
  t.teardown(() => chain.end())
  const vault = await DeployedVault.deploy(chain)
  const traders: readonly Trader[] = [await vault.trader(), await vault.trader(), await vault.trader()]
  const books = new Map<AccountId, [native: bigint, usd: bigint]>()
  for (const trader of traders) {
    for (const asset of [0, 1] as const) await vault.deposit(trader, asset, FUNDS)
    books.set(trader.account, [FUNDS, FUNDS])
  }

  const rig = new SettlementRig(vault)
  t.teardown(() => rig.end())
  rig.lifetime_s = 2
  rig.register(...traders)
  rig.start()

  const sides = new Map<string, number>()
  const trade = (): void => {
    const deals = Array.from({ length: 1 + random.below(5) }, (): Deal => {
      const buyer = random.below(traders.length)
      const seller = (buyer + 1 + random.below(traders.length - 1)) % traders.length
      return [traders[buyer]!, traders[seller]!, BigInt(1 + random.below(1_000)), BigInt(1 + random.below(1_000))]
    })
    for (const { id } of rig.trades(deals)) sides.set(id, 2)
    for (const [{ account: buyer }, { account: seller }, base, quote] of deals) {
      const [bought, sold] = [books.get(buyer)!, books.get(seller)!]
      books.set(buyer, [bought[0] + base, bought[1] - quote])
      books.set(seller, [sold[0] - base, sold[1] + quote])
    }
  }

  /** How often each kind has struck. */
  const struck = new Map<string, number>(kinds.map((kind) => [kind, 0]))
  let set = new Map<number, string>()
  const change = async (): Promise<void> => {
    const { faults: standing } = (await chain.admin('GET', 'faults')) as { faults: readonly { id: number; struck: number }[] }
    for (const fault of standing) struck.set(set.get(fault.id)!, struck.get(set.get(fault.id)!)! + fault.struck)
    await chain.admin('DELETE', 'faults')
    set = new Map()
    // Now and then there is none.
    for (let n = random.below(4); n > 0; n--) {
      const kind = random.pick(kinds)
      const { id } = (await chain.admin('POST', 'faults', faults[kind]!())) as { id: number }
      set.set(id, kind)
    }
  }

  let kills = 0
  for (let last = 0; (rig.status.settled?.sequence ?? 0) < BATCHES; ) {
    await change()
    const sequence = rig.status.settled?.sequence ?? 0
    if (kills < (sequence * KILLS) / BATCHES && sequence > last) {
      rig.kill()
      rig.start()
      kills++
      last = sequence
    }
    for (let n = 0; n < 4; n++) {
      if (rig.status.queued < WAITING) trade()
      await setTimeout(20 + random.below(100))
    }
  }

  await change()
  await chain.admin('DELETE', 'faults')
  await until('everything has settled', () => rig.status.queued === 0 && rig.status.flight === null && rig.status.aside.trades === 0)
  rig.kill()
  for (const report of rig.reports) if (report.kind === 'settled') for (const id of report.trades) sides.set(id, (sides.get(id) ?? 0) - 1)
  t.same([...sides].filter(([, left]) => left !== 0), [], `each of ${sides.size} trades is told of once to each of its sides`)
  for (const trader of traders) t.same([await vault.balance(trader, 0), await vault.balance(trader, 1)], books.get(trader.account))
  const { sequence, stateRoot } = rig.actor.machine.standing
  const onChain = await vault.contract.getChannel(chain.server, 0)
  t.same([onChain.sequence, Buffer.from(onChain.stateRoot)], [sequence, Buffer.from(stateRoot)])
  t.same(rig.status.alarms, [])
  t.comment(`${sequence} batches, ${kills} kills; ${[...struck].map(([kind, count]) => `${kind}: ${count}`).join(', ')}`)
  t.ok([...struck.values()].filter((count) => count > 0).length > kinds.length / 2, 'most of them struck')
})
