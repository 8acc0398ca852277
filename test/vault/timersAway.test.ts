import t from 'tap'
import type { Test } from 'tap'
import { PairMachine } from '../../src/actors/pair/pairMachine.ts'
import type { Actor } from '../../src/actors/runtime/actor.ts'
import { clearEnvelope } from '../../src/actors/runtime/envelope.ts'
import type { Machine } from '../../src/actors/runtime/machine.ts'
import { VaultMachine } from '../../src/actors/vault/vaultMachine.ts'
import { encode } from '../../src/protocol/codec.ts'
import type { AccountId, ActorName, Amount, ContractId, Lots, MessageId, OrderId, Seconds, Ticks } from '../../src/protocol/identity.ts'
import { pairActor, watcherActor } from '../../src/protocol/subjects.ts'
import { plainTerms } from '../../src/protocol/terms.ts'
import type { BalanceState, OrderState, PlaceOrder, SetDeadMan, TimerState, VaultCommand, VaultQuery } from '../../src/protocol/vault.ts'
import { account, AQ, assetA, assetQ, marketOf, smallVenue } from '../pair/smallVenue.ts'
import { settle, subjects, World } from '../runtime/world.ts'

// A vault actor and a market as they run, over their journals, that are away while a dead-man timer runs out.

const venue = smallVenue()
const vault = 'vault.0' as ActorName
const pair = pairActor(AQ)
const [ann, ben] = ['ANN', 'BEN'].map(account) as [AccountId, AccountId]
const TIMER_s = 30
/** Longer than an actor waits before it asks again whom it has not heard of. */
const QUIET_s = 6

/** As traders have them: 32 bytes of hex. */
const orderId = (name: string): OrderId => Buffer.from(name).toString('hex').padEnd(64, '0') as OrderId

class Venue {
  readonly #world = new World()
  readonly #running = new Map<ActorName, { readonly actor: Actor; readonly machine: Machine }>()
  readonly #snapshots: boolean
  #requests = 0
  #deposits = 0

  /** @param snapshots whether who comes back begins from a snapshot */
  constructor(snapshots: boolean) {
    this.#snapshots = snapshots
  }

  async start(name: ActorName): Promise<void> {
    const machine = machineOf(name)
    const actor = this.#world.actor(name, machine, this.#snapshots ? { snapshots: { store: this.#world.snapshots(name), envelope: clearEnvelope } } : {})
    await actor.start()
    this.#running.set(name, { actor, machine })
    await settle()
  }

  /** As a crash does. */
  async stop(name: ActorName): Promise<void> {
    this.#running.get(name)!.actor.stop()
    if (this.#snapshots) await this.#world.snapshot(name, machineOf(name), 3)
    await settle()
  }

  pass(span_s: number): Promise<void> {
    return this.#world.clock.pass(span_s * 1_000)
  }

  async deposit(owner: AccountId, asset: ContractId): Promise<void> {
    const item = { kind: 'deposited', account: owner, asset, amount: 10_000n as Amount, transaction: 'tx', ledger: ++this.#deposits }
    this.#world.network.deliver({ subject: subjects.peers(vault), data: encode({ from: watcherActor, first: this.#deposits, items: [item] }) })
    await this.pass(1)
  }

  place(id: string, owner: AccountId, side: PlaceOrder['side']): Promise<number> {
    const terms = { market: AQ, side, type: 'limit', ticks: 10 as Ticks, lots: 5 as Lots, spend: 0n as Amount, timeInForce: 'GTC', terms: plainTerms } as const
    return this.#command({ kind: 'place', id: orderId(id), clientOrderId: id, account: owner, signer: owner, ...terms, expires: this.#expires(600) })
  }

  async arm(): Promise<TimerState> {
    const request = await this.#command({ kind: 'deadMan', id: 'd' as MessageId, account: ann, signer: ann, timeout_s: TIMER_s, expires: this.#expires(50) } satisfies SetDeadMan)
    return this.#answer<TimerState>(request)
  }

  async read<Value>(query: VaultQuery): Promise<Value> {
    this.#world.ask(vault, { request: ++this.#requests, query })
    await settle()
    return this.#answer<Value>(this.#requests)
  }

  get trades(): number {
    return this.#world.feed(vault).messages.filter(({ type }) => type === 'fill').length
  }

  /** What each has become, byte for byte. */
  get states(): readonly string[] {
    return [vault, pair].map((name) => Buffer.from(this.#running.get(name)!.machine.snapshot()).toString('hex'))
  }

  async #command(command: VaultCommand): Promise<number> {
    this.#world.ask(vault, { request: ++this.#requests, command })
    await settle()
    await this.pass(0.5)
    return this.#requests
  }

  #answer<Value>(request: number): Value {
    const answer = this.#world.answered(request)
    if (answer === undefined || 'refused' in answer) throw new Error(`request ${request}: ${answer?.refused ?? 'no answer'}`)
    return answer.ok as Value
  }

  #expires(later_s: number): Seconds {
    return (Math.floor(this.#world.clock.now() / 1_000) + later_s) as Seconds
  }
}

const machineOf = (name: ActorName): Machine => name === vault ? new VaultMachine(0, venue) : new PairMachine(marketOf(venue, AQ), venue)

interface Absence {
  readonly what: string
  /** Who goes, in this order; what opposite order comes in between; and who comes back, in this order. */
  readonly go: readonly (ActorName | 'order')[]
  readonly back: readonly (ActorName | 'order')[]
}

const absences: readonly Absence[] = [
  { what: 'the market, while the vault actor takes an order for it', go: [pair, 'order'], back: [pair] },
  { what: 'both, the market first, with an order on its way', go: [pair, 'order', vault], back: [pair, vault] },
  { what: 'both, and the vault actor is back first', go: [pair, 'order', vault], back: [vault, pair] },
  { what: 'both, and the order comes when the vault actor is back', go: [pair, vault], back: [vault, 'order', pair] },
  { what: 'the vault actor alone', go: [vault], back: [vault, 'order'] },
  { what: 'both, the vault actor first', go: [vault, pair], back: [pair, vault, 'order'] },
]

async function live({ go, back }: Absence, away_s: number, snapshots: boolean): Promise<Venue> {
  const scene = new Venue(snapshots)
  await scene.start(vault)
  await scene.start(pair)
  await scene.deposit(ann, assetA)
  await scene.deposit(ben, assetQ)
  await scene.place('ask', ann, 'sell')
  const timer = await scene.arm()
  if (timer.waiting.length > 0 || timer.deadline === null) throw new Error('the timer is in force before anybody goes')
  for (const step of go) await (step === 'order' ? scene.place('bid', ben, 'buy') : scene.stop(step))
  await scene.pass(away_s)
  for (const step of back) await (step === 'order' ? scene.place('bid', ben, 'buy') : scene.start(step))
  await scene.pass(QUIET_s)
  return scene
}

async function check(t: Test, scene: Venue, traded: boolean): Promise<void> {
  const order = (owner: AccountId, id: string): Promise<OrderState> => scene.read<OrderState>({ kind: 'order', account: owner, id: orderId(id) })
  t.equal(scene.trades, traded ? 2 : 0)
  t.match(await order(ann, 'ask'), traded ? { status: 'filled' } : { status: 'cancelled', reason: 'dead_man', filledLots: 0 })
  t.match(await order(ben, 'bid'), { status: traded ? 'filled' : 'open' })
  const [asset] = await scene.read<BalanceState[]>({ kind: 'balances', account: ann })
  t.match(asset, { asset: assetA, settled: 10_000n, reserved: 0n, available: traded ? 9_950n : 10_000n })
}

for (const snapshots of [false, true])
  for (const absence of absences) {
    const from = snapshots ? ', from snapshots' : ''
    t.test(`away longer than the timer: ${absence.what}${from}`, async (t) => {
      const scene = await live(absence, TIMER_s + 5, snapshots)
      await check(t, scene, false)
      // Once more over what they have journaled since.
      const before = scene.states
      for (const name of [pair, vault]) {
        await scene.stop(name)
        await scene.start(name)
      }
      t.strictSame(scene.states, before, 'a replay is what was lived')
      await check(t, scene, false)
    })

    t.test(`back in time, the orders meet: ${absence.what}${from}`, async (t) => {
      await check(t, await live(absence, TIMER_s / 3, snapshots), true)
    })
  }
