import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { OutcomeUnknown, Refused } from '../../src/client/errors.ts'
import { verifyReceipt } from '../../src/client/receipt.ts'
import type { FeedEvent, ReceiptPlaces } from '../../src/protocol/feed.ts'
import type { AccountId, Amount, Lots, MarketName, Milliseconds, OrderId, Ticks, TradeId } from '../../src/protocol/identity.ts'
import { formatAmount } from '../../src/protocol/market.ts'
import type { Trade } from '../../src/protocol/pair.ts'
import { toHex } from '../../src/protocol/hex.ts'
import { LeafWriter } from './leafWriter.ts'
import { openStage, trader } from './stage.ts'

// Receipts as traders fetch them, of what a settlement actor stores and a vault actor tells.

const stage = await openStage()
t.teardown(() => stage.close())
await stage.feeds.open()
const writer = new LeafWriter(stage.gateway.connection, stage.venue)
const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map((name) => Client.open(stage.url, trader(name))))
const accountOf = (client: Client | undefined): AccountId => client!.binding.account as AccountId

/** Of two traders who buy and sell by turns. */
function trade(n: number, market = 'XLM-USDC'): Trade {
  const found = stage.venue.markets.get(market as MarketName)!
  const [buyer, seller] = n % 2 === 0 ? [alice, bob] : [bob, alice]
  const [ticks, lots] = [(1_000 + (n % 900)) as Ticks, (2 + (n % 50)) as Lots]
  const order = (side: number): OrderId => (2 * n + side).toString(16).padStart(64, '0') as OrderId
  return {
    kind: 'trade', id: `${market}:${n}` as TradeId, market: found.name, buyer: accountOf(buyer), seller: accountOf(seller), buyOrder: order(0), sellOrder: order(1),
    ticks, lots, base: found.baseAmount(lots), quote: found.quoteAmount(ticks, lots), buyerFee: BigInt(n) as Amount, sellerFee: BigInt(2 * n) as Amount, time: (1_700_000_000_000 + n) as Milliseconds, journal: Buffer.alloc(32, n),
  }
}

type Fill = Extract<FeedEvent, { type: 'fill' }>
function fillOf({ id, market, buyer, buyOrder, sellOrder, ticks, lots, quote, buyerFee, sellerFee }: Trade, account: AccountId): Fill {
  const { rules } = stage.venue.markets.get(market)!
  const bought = buyer === account
  const found = stage.venue.markets.get(market)!
  const charged = bought ? rules.base : rules.quote
  return { type: 'fill', trade: id, order: bought ? buyOrder : sellOrder, market, side: bought ? 'buy' : 'sell', role: 'maker', price: found.formatPrice(ticks), quantity: found.formatQuantity(lots), quote: formatAmount(quote, rules.quote), fee: formatAmount(bought ? buyerFee : sellerFee, charged), feeAsset: charged.code }
}
const settledOf = (trades: readonly Trade[], receipts: ReceiptPlaces): FeedEvent => ({ type: 'settled', trades: trades.map(({ id }) => id), transaction: 'cd'.repeat(32), ledger: 7, receipts })

async function refusal(asked: Promise<unknown>): Promise<string> {
  try {
    await asked
    return 'answered'
  } catch (error) {
    if (error instanceof Refused) return error.code
    if (error instanceof OutcomeUnknown && error.cause instanceof Refused) return error.cause.code
    throw error
  }
}

t.test('both sides get a receipt of each trade that their batch’s root proves, in small batches and large', async (t) => {
  let n = 0
  for (const size of [1, 3, 300]) {
    const trades = Array.from({ length: size }, () => trade(++n))
    const { root, places } = await writer.store(trades)
    for (const client of [alice, bob]) {
      const account = accountOf(client)
      await stage.feeds.store(account, ...trades.map((one) => fillOf(one, account)), settledOf(trades, places(account)))
    }
    for (const one of trades.filter((_, at) => at % 37 === 0 || at === size - 1)) {
      for (const client of [alice, bob]) {
        const receipt = await client!.receipt(one.id)
        t.equal(verifyReceipt(receipt, toHex(root)), receipt, one.id)
        const { vault, network } = stage.venue.file
        t.match(receipt, { trade: one.id, account: accountOf(client), vault: vault.contract, network: network.passphrase, transaction: 'cd'.repeat(32), ledger: 7, journal: toHex(one.journal), size: 2 * size, fee: fillOf(one, accountOf(client)).fee })
        const verifyElsewhere = verifyReceipt({ ...receipt, ledger: 8 }, toHex(root))
        t.equal(verifyElsewhere.ledger, 8, 'where to look is not under the root')
      }
    }
  }
  t.equal(await refusal(carol!.receipt('XLM-USDC:1')), 'trade_unknown', 'another’s is like one that never was')
  t.equal(await refusal(alice!.receipt('XLM-USDC:9999')), 'trade_unknown')
  t.equal(await refusal(alice!.receipt('AAA-BBB:1')), 'trade_unknown')
  t.equal(await refusal(alice!.receipt('nonsense')), 'request_malformed')
})

t.test('no receipt before its time', async (t) => {
  const one = trade(1, 'EURC-USDC')
  const account = accountOf(alice)
  await stage.feeds.store(account, fillOf(one, account))
  t.equal(await refusal(alice!.receipt(one.id)), 'trade_not_settled')
  // Settled, and its leaves are not stored yet: they are another actor's.
  await stage.feeds.store(account, settledOf([one], { sequence: 4, size: 2, from: 1_000, leaves: [0] }))
  t.equal(await refusal(alice!.history.receipt(one.id, { retry: false })), 'history_unavailable')
})

t.test('what settled before there were receipts is shown, and has none', async (t) => {
  const one = trade(2, 'EURC-USDC')
  const account = accountOf(bob)
  const { receipts: _receipts, ...old } = settledOf([one], { sequence: 1, size: 2, from: 1, leaves: [0] }) as Extract<FeedEvent, { type: 'settled' }>
  await stage.feeds.store(account, fillOf(one, account), old as FeedEvent)
  t.equal(await refusal(bob!.receipt(one.id)), 'receipt_absent')
  t.match(await bob!.history.trade(one.id), { status: 'settled', ledger: 7 })
})

t.test('what is stored must be of that trade', async (t) => {
  const account = accountOf(carol)
  const [one, other] = [trade(7), { ...trade(8), buyer: accountOf(carol), seller: accountOf(bob) }]
  const { places } = await writer.store([other])
  await stage.feeds.store(account, { ...fillOf({ ...one, buyer: account }, account) }, settledOf([one], places(account)))
  t.equal(await refusal(carol!.receipt(one.id, { retry: false })), 'internal_error')
  t.match(stage.log(), /Receipts.of/)
  t.notMatch(stage.log(), new RegExp(account), 'nobody is named')
})
