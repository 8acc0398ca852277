import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { VaultMachine } from '../../src/actors/vault/vaultMachine.ts'
import { encode } from '../../src/protocol/codec.ts'
import type { AccountId, Amount, ContractId, Lots, MarketName, MessageId, Seconds, Side, Ticks, TradeId } from '../../src/protocol/identity.ts'
import type { KeyState, OrderState } from '../../src/protocol/vault.ts'
import { account, AQ, assetA, assetB, assetQ, BQ, marketOf } from '../pair/smallVenue.ts'
import { interrupted } from '../runtime/interrupted.ts'
import { openVault, START, venue } from './openVault.ts'

const accounts = ['ANN', 'BEN', 'CAS'].map(account)
/** Keys that act for others: one that is nobody's account, and one that is. */
const keys = [account('BOT'), account('CAS')]
const assets = [assetA, assetB, assetQ]
const markets = [AQ, BQ]

interface ModelOrder {
  readonly id: string
  readonly clientOrderId: string
  readonly owner: AccountId
  readonly market: MarketName
  readonly side: Side
  readonly ticks: number
  readonly spend: bigint
  left: number
  spent: bigint
  open: boolean
}
interface ModelTrade {
  readonly buy: ModelOrder
  readonly sell: ModelOrder
  readonly lots: number
  readonly ticks: number
  reported: boolean
  settled: boolean
}
interface ModelWithdrawal {
  readonly id: string
  readonly owner: AccountId
  readonly asset: ContractId
  readonly amount: bigint
  state: 'requested' | 'cosigned' | 'over'
}
interface ModelDelegation {
  readonly id: string
  readonly owner: AccountId
  readonly key: AccountId
  readonly scope: 'trade' | 'read'
  readonly market: MarketName | null
  readonly until: number
}

const assetsOf = (market: MarketName): { base: ContractId; quote: ContractId } => ({ base: market === AQ ? assetA : assetB, quote: assetQ })
const baseOf = (market: MarketName, lots: number): bigint => BigInt(lots) * (market === AQ ? 10n : 1n)
const quoteOf = (market: MarketName, ticks: number, lots: number): bigint => BigInt(ticks) * BigInt(lots) * (market === AQ ? 2n : 1n)

/** What happened, as plain lists; every figure is added up from them anew. */
class Model {
  deposits: { owner: AccountId; asset: ContractId; amount: bigint }[] = []
  paid: ModelWithdrawal[] = []
  orders: ModelOrder[] = []
  trades: ModelTrade[] = []
  withdrawals: ModelWithdrawal[] = []
  /** Cancels by client order id that found an open order, with that order. */
  cancels: { readonly id: string; readonly order: ModelOrder }[] = []
  /** Everything that was ever delegated or revoked (null), in its order: the last word on a key is what holds. */
  delegations: (ModelDelegation | { readonly id: string; readonly owner: AccountId; readonly key: AccountId; readonly scope: null })[] = []

  /** What a key may do for an account by the last word on it. */
  delegated(owner: AccountId, key: AccountId): ModelDelegation | null {
    const last = this.delegations.findLast((one) => one.owner === owner && one.key === key)
    return last === undefined || last.scope === null ? null : last
  }

  mayTrade(signer: AccountId, owner: AccountId, market: MarketName, time: number): boolean {
    if (signer === owner) return true
    const delegated = this.delegated(owner, signer)
    return delegated !== null && delegated.scope === 'trade' && (delegated.market === null || delegated.market === market) && time < delegated.until * 1000
  }

  /** What the trades that `which` picks bring an account and take from it, in one asset. */
  #moved(owner: AccountId, asset: ContractId, which: (trade: ModelTrade) => boolean): { into: bigint; out: bigint } {
    let [into, out] = [0n, 0n]
    for (const trade of this.trades.filter(which)) {
      const { market } = trade.buy
      const [base, quote] = [baseOf(market, trade.lots), quoteOf(market, trade.ticks, trade.lots)]
      const { base: baseAsset, quote: quoteAsset } = assetsOf(market)
      if (trade.buy.owner === owner && asset === baseAsset) into += base
      if (trade.buy.owner === owner && asset === quoteAsset) out += quote
      if (trade.sell.owner === owner && asset === baseAsset) out += base
      if (trade.sell.owner === owner && asset === quoteAsset) into += quote
    }
    return { into, out }
  }

  settled(owner: AccountId, asset: ContractId): bigint {
    const { into, out } = this.#moved(owner, asset, (trade) => trade.settled)
    const sum = (list: readonly { owner: AccountId; asset: ContractId; amount: bigint }[]): bigint =>
      list.reduce((total, item) => (item.owner === owner && item.asset === asset ? total + item.amount : total), 0n)
    return sum(this.deposits) - sum(this.paid) + into - out
  }

  pending(owner: AccountId, asset: ContractId): bigint {
    const reported = this.#moved(owner, asset, (trade) => trade.reported)
    const settled = this.#moved(owner, asset, (trade) => trade.settled)
    return reported.into - reported.out - settled.into + settled.out
  }

  /** What unsettled trades take from the account; for those its vault actor has not heard of, the order still holds it. */
  owed(owner: AccountId, asset: ContractId): bigint {
    return this.#moved(owner, asset, (trade) => trade.reported && !trade.settled).out
  }

  /** Orders hold what they have not traded as far as the vault actor knows. */
  heldByOrders(owner: AccountId, asset: ContractId): bigint {
    return this.orders.reduce((held, order) => {
      const { base, quote } = assetsOf(order.market)
      if (order.owner !== owner || asset !== (order.side === 'buy' ? quote : base) || !order.open) return held
      const unheard = this.trades.filter((trade) => !trade.reported && (trade.buy === order || trade.sell === order))
      if (order.spend > 0n) return held + order.spend - order.spent + unheard.reduce((sum, trade) => sum + quoteOf(order.market, trade.ticks, trade.lots), 0n)
      const lots = order.left + unheard.reduce((sum, trade) => sum + trade.lots, 0)
      return held + (order.side === 'buy' ? quoteOf(order.market, order.ticks, lots) : baseOf(order.market, lots))
    }, 0n)
  }

  /** What orders still hold for trades that the chain has already settled. */
  stale(owner: AccountId, asset: ContractId): bigint {
    return this.trades.reduce((held, { buy, sell, lots, ticks, settled, reported }) => {
      if (!settled || reported) return held
      const { base, quote } = assetsOf(buy.market)
      if (buy.owner === owner && asset === quote) held += quoteOf(buy.market, buy.spend > 0n ? ticks : buy.ticks, lots)
      if (sell.owner === owner && asset === base) held += baseOf(buy.market, lots)
      return held
    }, 0n)
  }

  reserved(owner: AccountId, asset: ContractId): bigint {
    return this.withdrawals.reduce(
      (held, item) => (item.owner === owner && item.asset === asset && item.state !== 'over' ? held + item.amount : held),
      this.heldByOrders(owner, asset),
    )
  }

  available(owner: AccountId, asset: ContractId): bigint {
    return this.settled(owner, asset) + this.pending(owner, asset) - this.reserved(owner, asset)
  }
}

const step = fc.record({
  what: fc.constantFrom('deposit', 'deposit', 'order', 'order', 'order', 'order', 'spend', 'trade', 'trade', 'trade', 'trade', 'report', 'settle', 'settle', 'close', 'withdraw', 'cosign', 'refuse', 'pay', 'repeat', 'delegate', 'delegate', 'revoke', 'signed', 'signed', 'signed', 'again', 'named', 'named', 'named', 'named again'),
  passed_ms: fc.nat(1_100),
  who: fc.nat(2),
  asset: fc.nat(2),
  market: fc.nat(1),
  side: fc.constantFrom<Side>('buy', 'sell'),
  ticks: fc.integer({ min: 1, max: 6 }),
  lots: fc.integer({ min: 1, max: 9 }),
  amount: fc.bigInt({ min: 1n, max: 250n }),
  which: fc.nat(),
})
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const pick = <Item>(items: readonly Item[], which: number): Item | undefined => items[which % Math.max(1, items.length)]
const seen: Record<string, number> = {}

function run(steps: readonly Step[], check: (vault: ReturnType<typeof openVault>, model: Model) => void, vault = openVault()): ReturnType<typeof openVault> {
  const model = new Model()
  const count = (what: string): void => void (seen[what] = (seen[what] ?? 0) + 1)
  let next = 0
  for (const now of steps) {
    const owner = accounts[now.who] ?? assert.fail()
    const asset = assets[now.asset] ?? assert.fail()
    const market = markets[now.market] ?? assert.fail()
    const key = pick(keys, now.which) ?? assert.fail()
    vault.at(vault.effects.time + now.passed_ms)
    const fill = (trade: ModelTrade): void => {
      for (const order of [trade.buy, trade.sell]) vault.filled(order.owner, order.id, trade.lots, trade.ticks, order.market)
      trade.reported = true
      for (const order of [trade.buy, trade.sell]) {
        const unheard = model.trades.some((other) => !other.reported && (other.buy === order || other.sell === order))
        if (order.spend > 0n || order.left > 0 || unheard) continue
        vault.closed(order.owner, order.id, 'filled', order.market)
        order.open = false
      }
    }
    switch (now.what) {
      case 'deposit':
        // Enough to trade for a while, not so much that nothing is ever short.
        vault.deposit(owner, asset, now.amount * 2n)
        model.deposits.push({ owner, asset, amount: now.amount * 2n })
        break
      case 'order':
      case 'spend': {
        const spends = now.what === 'spend'
        const side = spends ? 'buy' : now.side
        const { base, quote } = assetsOf(market)
        const cost = side === 'sell' ? baseOf(market, now.lots) : spends ? now.amount : quoteOf(market, now.ticks, now.lots)
        const known = model.deposits.some((deposit) => deposit.owner === owner)
        const signer = now.which % 3 === 0 ? key : owner
        const may = model.mayTrade(signer, owner, market, vault.effects.time)
        if (signer !== owner) count(may ? 'order by key' : 'order refused')
        const id = `o${next++}`
        const clientOrderId = now.lots % 2 === 0 ? `same ${now.ticks % 2}` : id
        const taken = model.orders.some((order) => order.owner === owner && order.open && order.clientOrderId === clientOrderId)
        const expected = !may ? 'signer_not_allowed' : !known ? 'account_unknown' : taken ? 'client_order_id_in_use' : model.available(owner, side === 'sell' ? base : quote) < cost ? 'funds_insufficient' : null
        const terms = spends ? ({ type: 'market', spend: now.amount as Amount, timeInForce: 'IOC', market, signer, clientOrderId } as const) : { market, signer, clientOrderId }
        assert.equal(vault.place(id, owner, side, spends ? 0 : now.lots, spends ? 0 : now.ticks, terms), expected)
        count(expected ?? now.what)
        if (expected !== null) break
        const amounts = spends ? { ticks: 0, spend: now.amount, left: 1_000 } : { ticks: now.ticks, spend: 0n, left: now.lots }
        model.orders.push({ id, clientOrderId, owner, market, side, ...amounts, spent: 0n, open: true })
        break
      }
      case 'trade': {
        const buy = pick(model.orders.filter((order) => order.open && order.side === 'buy' && order.left > 0), now.which)
        if (buy === undefined) break
        const budget = (ticks: number): bigint => (buy.spend === 0n ? 1_000n : (buy.spend - buy.spent) / quoteOf(buy.market, ticks, 1))
        const fits = (sell: ModelOrder): boolean =>
          sell.open && sell.side === 'sell' && sell.left > 0 && sell.market === buy.market && sell.owner !== buy.owner && (buy.spend > 0n || sell.ticks <= buy.ticks) && budget(sell.ticks) > 0n
        const sell = pick(model.orders.filter(fits), now.which)
        if (sell === undefined) break
        const lots = Math.min(now.lots, buy.left, sell.left, Number(budget(sell.ticks)))
        const trade = { buy, sell, lots, ticks: sell.ticks, reported: false, settled: false }
        buy.left -= lots
        sell.left -= lots
        buy.spent += quoteOf(buy.market, sell.ticks, lots)
        model.trades.push(trade)
        count('trade')
        // A market's reports come in order, so a trade is heard of only after all before it; now and then it takes a while.
        if (now.which % 3 !== 0) for (const waiting of model.trades.filter((other) => !other.reported)) fill(waiting)
        break
      }
      case 'report':
        for (const waiting of model.trades.filter((trade) => !trade.reported)) fill(waiting)
        break
      case 'settle': {
        const batch = model.trades.filter((trade, index) => !trade.settled && ((now.which >> (index % 16)) & 1) === 0)
        // As on chain: a batch that would take a balance below zero does not settle.
        for (const trade of batch) trade.settled = true
        if (accounts.some((who) => assets.some((what) => model.settled(who, what) < 0n))) {
          for (const trade of batch) trade.settled = false
          break
        }
        for (const who of accounts) {
          const mine = batch.filter((trade) => trade.buy.owner === who || trade.sell.owner === who)
          if (mine.length === 0) continue
          if (mine.some((trade) => !trade.reported)) count('settled before it was heard of')
          const moves = mine.map((trade): (readonly [ContractId, bigint, bigint])[] => {
            const { base, quote } = assetsOf(trade.buy.market)
            const [lots, cost] = [baseOf(trade.buy.market, trade.lots), quoteOf(trade.buy.market, trade.ticks, trade.lots)]
            return trade.buy.owner === who ? [[base, lots, 0n], [quote, 0n, cost]] : [[base, 0n, lots], [quote, cost, 0n]]
          })
          vault.settled(who, mine.map((_, index) => `t${index}` as TradeId), moves.flat())
        }
        break
      }
      case 'close': {
        const order = pick(model.orders.filter((candidate) => candidate.open), now.which)
        if (order === undefined) break
        for (const waiting of model.trades.filter((trade) => !trade.reported)) fill(waiting)
        if (!order.open) break
        vault.closed(order.owner, order.id, order.spend > 0n ? 'no_liquidity' : 'cancelled', order.market)
        order.open = false
        break
      }
      case 'withdraw': {
        const id = `w${next++}`
        const known = model.deposits.some((deposit) => deposit.owner === owner)
        const inFlight = model.withdrawals.filter((item) => item.owner === owner && item.state !== 'over').length
        const refused = vault.refusal(vault.withdraw(id, owner, asset, now.amount))
        count(`withdraw ${refused ?? 'accepted'}`)
        // With this one paid, the chain still has all that unsettled trades take and all that is reserved.
        const rest = model.settled(owner, asset) - model.reserved(owner, asset) - model.owed(owner, asset) - now.amount
        if (!known) assert.equal(refused, 'account_unknown')
        else if (inFlight >= 16) assert.equal(refused, 'withdrawals_exceeded')
        // A settled trade that the vault actor has not heard of may make it more careful, never less.
        else if (model.trades.every((trade) => trade.reported || !trade.settled)) assert.equal(refused, rest >= 0n ? null : 'funds_insufficient')
        else assert(refused === 'funds_insufficient' || rest + model.stale(owner, asset) >= 0n)
        if (refused === null) model.withdrawals.push({ id, owner, asset, amount: now.amount, state: 'requested' })
        break
      }
      case 'cosign':
      case 'refuse': {
        const item = pick(model.withdrawals.filter((candidate) => candidate.state === 'requested'), now.which)
        if (item === undefined) break
        if (now.what === 'cosign') vault.cosigned(item.owner, item.id, 100)
        else vault.cosignRefused(item.owner, item.id)
        item.state = now.what === 'cosign' ? 'cosigned' : 'over'
        break
      }
      case 'pay': {
        const wanted = pick(model.withdrawals.filter((candidate) => candidate.state === 'cosigned'), now.which)
        if (wanted === undefined || model.settled(wanted.owner, wanted.asset) < wanted.amount) break
        const oldest = model.withdrawals.find((item) => item.state === 'cosigned' && item.owner === wanted.owner && item.asset === wanted.asset && item.amount === wanted.amount)
        vault.withdrawn(wanted.owner, wanted.asset, wanted.amount)
        model.paid.push(wanted)
        if (oldest !== undefined) oldest.state = 'over'
        count('paid')
        break
      }
      case 'delegate':
      case 'revoke': {
        const id = `k${next++}`
        const time = vault.effects.time
        const known = model.deposits.some((deposit) => deposit.owner === owner)
        if (now.what === 'delegate') {
          const scope = now.lots < 3 ? 'read' : 'trade'
          const one: ModelDelegation = { id, owner, key, scope, market: scope === 'read' || now.asset === 0 ? null : market, until: Math.floor(time / 1000) + now.ticks * 4 }
          const expected = key === owner ? 'message_malformed' : known ? null : 'account_unknown'
          assert.equal(vault.refusal(vault.delegate(id, owner, key, { ...one, id: id as MessageId, until: one.until as Seconds })), expected)
          count(expected ?? 'delegated')
          if (expected === null) model.delegations.push(one)
          break
        }
        // What is over is no longer there once another key was named; until then it can be revoked.
        const refused = vault.refusal(vault.revoke(id, owner, key))
        const delegated = model.delegated(owner, key)
        if (delegated === null) assert.equal(refused, 'key_unknown')
        else if (time < delegated.until * 1000) assert.equal(refused, null)
        if (refused === null) count('revoked')
        if (refused === null) model.delegations.push({ id, owner, key, scope: null })
        break
      }
      case 'signed': {
        // Another key's signature: on what takes an order back, of whichever market, or on what it never may.
        if (key === owner) break
        const order = pick(model.orders.filter((candidate) => candidate.open && candidate.owner === owner), now.lots)
        if (order !== undefined && now.side === 'buy') {
          const may = model.mayTrade(key, owner, order.market, vault.effects.time)
          assert.equal(vault.cancel(owner, order.id, { signer: key }), may ? null : 'signer_not_allowed')
          count(may ? 'cancelled by key' : 'cancel refused')
          break
        }
        assert.equal(vault.refusal(vault.withdraw(`w${next++}`, owner, asset, now.amount, { signer: key })), 'signer_not_allowed')
        break
      }
      case 'named': {
        const named = pick(model.orders.filter((order) => order.owner === owner), now.which)
        if (named === undefined) break
        const last = model.orders.findLast((order) => order.owner === owner && order.clientOrderId === named.clientOrderId) ?? assert.fail()
        const found = vault.machine.query({ kind: 'clientOrder', account: owner, clientOrderId: named.clientOrderId })
        assert('ok' in found && (found.ok as OrderState).id === last.id, 'a client order id finds the last order under it')
        const id = `c${next++}`
        assert.equal(vault.refusal(vault.cancelNamed(id, owner, named.clientOrderId)), last.open ? null : 'order_not_open')
        if (last.open) model.cancels.push({ id, order: last })
        count(last === named ? 'named' : 'named another')
        break
      }
      case 'named again': {
        const cancel = pick(model.cancels, now.which)
        if (cancel === undefined) break
        const sent = vault.effects.sent.length
        const { order } = cancel
        assert.equal(vault.refusal(vault.cancelNamed(cancel.id, order.owner, order.clientOrderId)), order.open ? null : 'order_not_open')
        for (const { message } of vault.effects.sent.slice(sent)) assert.equal((message as { order: string }).order, order.id, 'a cancel means one order for ever')
        count('named again')
        break
      }
      case 'again': {
        // An old word is no new one.
        const old = pick(model.delegations.filter(({ owner: of }) => of === owner), now.which)
        if (old === undefined) break
        const fed = vault.effects.feed.length
        const answer = old.scope === null ? vault.revoke(old.id, owner, old.key) : vault.delegate(old.id, owner, old.key, { ...old, id: old.id as MessageId, until: old.until as Seconds })
        assert(answer !== null && 'ok' in answer)
        const { status } = answer.ok as KeyState
        count(status === 'active' ? 'answered active' : 'answered no more')
        if (status === 'active') assert(vault.effects.time < (model.delegated(owner, old.key)?.until ?? 0) * 1000)
        assert.equal(vault.effects.feed.length, fed)
        break
      }
      case 'repeat': {
        const order = pick(model.orders, now.which)
        if (order === undefined) break
        const sent = vault.effects.sent.length
        const terms = order.spend > 0n ? { market: order.market, type: 'market' as const, spend: order.spend as Amount, timeInForce: 'IOC' as const } : { market: order.market }
        const answer = vault.command(vault.order(order.id, order.owner, order.side, 1, 1, terms))
        assert(answer !== null && 'ok' in answer, 'the same message gets its order')
        const withdrawal = pick(model.withdrawals, now.which)
        if (withdrawal !== undefined) assert.equal(vault.refusal(vault.withdraw(withdrawal.id, withdrawal.owner, withdrawal.asset, withdrawal.amount)), null)
        assert.equal(vault.effects.sent.length, sent, 'and nothing else happens')
        break
      }
    }
    check(vault, model)
  }
  return vault
}

const runs = fc.array(step, { minLength: 120, maxLength: 240, size: 'max' })

t.test('balances are what plain addition gives; money is never made, lost or promised twice', async (t) => {
  fc.assert(
    fc.property(runs, (steps) => {
      run(steps, (vault, model) => {
        for (const asset of assets) {
          let [sum, chain] = [0n, 0n]
          for (const owner of accounts) {
            const [settled = 0n, pending = 0n, reserved = 0n, available = 0n] = vault.balance(owner, asset)
            assert.deepEqual([settled, pending, reserved, available], [model.settled(owner, asset), model.pending(owner, asset), model.reserved(owner, asset), model.available(owner, asset)])
            assert(available >= 0n, 'nothing is promised that is not there')
            sum += settled + pending
            chain += model.settled(owner, asset)
          }
          assert.equal(sum, chain, 'trades move money, they do not make it')
        }
        // Every reservation belongs to an open order or a withdrawal in flight, in the machine's own books too.
        for (const account of vault.machine.state.accounts.values()) {
          const held = new Map<ContractId, bigint>()
          const hold = (asset: ContractId, amount: bigint): unknown => held.set(asset, (held.get(asset) ?? 0n) + amount)
          for (const order of account.open.values()) hold(order.side === 'buy' ? assetsOf(order.market).quote : assetsOf(order.market).base, order.reserved)
          for (const withdrawal of account.inFlight) hold(withdrawal.asset, withdrawal.amount)
          for (const [asset, balance] of account.balances) assert.equal(balance.reserved, held.get(asset) ?? 0n)
        }
        for (const order of vault.machine.state.orders.values()) assert.equal(order.reason === null, vault.machine.state.accounts.get(order.account)?.open.has(order.id))
        assert.equal(vault.machine.state.alarmCount, 0)
      })
    }),
    { numRuns: 500 },
  )
  for (const what of ['order', 'spend', 'trade', 'funds_insufficient', 'account_unknown', 'settled before it was heard of', 'withdraw accepted', 'withdraw funds_insufficient', 'paid', 'delegated', 'message_malformed', 'revoked', 'order by key', 'order refused', 'cancelled by key', 'cancel refused', 'answered active', 'answered no more', 'client_order_id_in_use', 'named', 'named another', 'named again']) {
    t.ok((seen[what] ?? 0) > 20, `the runs came across: ${what}`)
  }
})

t.test('feeds are numbered from 1 without a gap', async () => {
  fc.assert(
    fc.property(runs, (steps) => {
      const { effects } = run(steps, () => undefined)
      for (const owner of accounts) {
        const numbers = effects.feed.filter((message) => message.account === owner).map((message) => message.seq)
        assert.deepEqual(numbers, numbers.map((_, index) => index + 1))
      }
    }),
    { numRuns: 30 },
  )
})

t.test('the same inputs at the same times give the same state and the same effects', async () => {
  fc.assert(
    fc.property(runs, (steps) => {
      const [one, other] = [run(steps, () => undefined), run(steps, () => undefined)]
      for (const vault of [one, other]) vault.at(START + 300_000)
      assert.deepEqual(one.machine.state, other.machine.state)
      assert.deepEqual(one.effects, other.effects)
    }),
    { numRuns: 30 },
  )
})

t.test('a vault actor that goes on from snapshots does what one does that never stopped', async () => {
  fc.assert(
    fc.property(runs, fc.integer({ min: 1, max: 40 }), (steps, every) => {
      const one = run(steps, () => undefined)
      const other = run(steps, () => undefined, openVault(interrupted(() => new VaultMachine(0, venue), (call) => call % every === 0)))
      for (const vault of [one, other]) {
        vault.ledger(60)
        vault.at(START + 300_000)
        // Beyond the last co-signature: what lapses, lapses in the order of the signatures.
        vault.ledger(101)
        vault.at(START + 700_000)
      }
      assert.deepEqual(one.effects, other.effects)
      assert.deepEqual(one.machine.snapshot(), other.machine.snapshot())
    }),
    { numRuns: 60 },
  )
})

t.test('a snapshot of another version, or one that is none, is refused, and the machine stays as it was', async (t) => {
  const machine = new VaultMachine(0, venue)
  const before = machine.snapshot()
  t.throws(() => machine.restore(encode({ version: 99 })), { message: /version 99/ })
  t.throws(() => machine.restore(new Uint8Array([1, 2, 3])))
  t.same(machine.snapshot(), before)
})

t.test('the arithmetic of this test is that of the markets', async (t) => {
  for (const market of markets) {
    t.equal(baseOf(market, 7), marketOf(venue, market).baseAmount(7 as Lots))
    t.equal(quoteOf(market, 3, 7), marketOf(venue, market).quoteAmount(3 as Ticks, 7 as Lots))
  }
})
