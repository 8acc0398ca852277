import fc from 'fast-check'
import t from 'tap'
import { Refusal } from '../../src/protocol/errors.ts'
import type { Amount, ContractId, Lots, MarketName, Ticks } from '../../src/protocol/identity.ts'
import { Market, MAX_VALUE, noFees } from '../../src/protocol/market.ts'
import type { MarketRules } from '../../src/protocol/market.ts'

const rules = (changed: Partial<MarketRules> = {}): MarketRules => ({
  name: 'XLM-USDC' as MarketName,
  base: { code: 'XLM', contract: 'CBASE' as ContractId, index: 0, decimals: 7 },
  quote: { code: 'USDC', contract: 'CQUOTE' as ContractId, index: 1, decimals: 7 },
  selfTrade: 'cancelNewest',
  fees: noFees,
  tape: null,
  maxOrders: 1_000,
  maxOrdersPerAccount: 1_000,
  maxConditionalOrders: 100,
  lotSize: 10_000_000n,
  tickSize: 100n,
  minLots: 1,
  maxLots: 1_000_000,
  maxTicks: 10_000_000,
  maxValue: MAX_VALUE,
  maxLifetime_s: 86_400,
  ...changed,
})

t.test('a market that charges has bounds under which every fee is exact', async (t) => {
  const fees = { maker_ppm: 0, taker_ppm: 1 }
  const exact = { maxValue: Math.floor(MAX_VALUE / 100), maxLots: Math.floor(MAX_VALUE / 10_000_000) }
  t.doesNotThrow(() => new Market(rules({ ...exact, fees })))
  t.throws(() => new Market(rules({ ...exact, fees, maxValue: exact.maxValue + 1 })), /with fees, maxValue × tickSize is at most 9007199254740991/)
  t.throws(() => new Market(rules({ ...exact, fees, maxLots: exact.maxLots + 1 })), /with fees, maxLots × lotSize is at most 9007199254740991/)
  t.doesNotThrow(() => new Market(rules({ fees: noFees })))
})

t.test('prices and quantities of a market', async (t) => {
  const market = new Market(rules())
  t.equal(market.parsePrice('0.12345'), 12_345)
  t.equal(market.formatPrice(12_345 as Ticks), '0.12345')
  t.equal(market.parseQuantity('25'), 25)
  t.equal(market.quoteAmount(12_345 as Ticks, 25 as Lots), 30_862_500n, '25 XLM at 0.12345 cost 3.08625 USDC')
  t.equal(market.baseAmount(25 as Lots), 250_000_000n)
  t.equal(market.affordableLots(12_345 as Ticks, 30_862_499n as Amount), 24)
  t.throws(() => market.parsePrice('0.123456'), new Refusal('price_off_tick'))
  t.throws(() => market.parsePrice('0'), new Refusal('price_out_of_range'))
  t.throws(() => market.parsePrice('100.00001'), new Refusal('price_out_of_range'))
  t.throws(() => market.parseQuantity('0.5'), new Refusal('quantity_off_lot'))
  t.throws(() => market.parseQuantity('0'), new Refusal('quantity_out_of_range'))
  t.throws(() => market.parseQuantity('1000001'), new Refusal('quantity_out_of_range'))
  t.throws(() => market.parseQuantity('1.0'), new Refusal('decimal_malformed'))
})

t.test('a market that cannot be exact is refused when it is made', async (t) => {
  t.throws(() => new Market(rules({ lotSize: 3n })), /terminating/)
  t.throws(() => new Market(rules({ lotSize: 0n })), /at least 1/)
  t.throws(() => new Market(rules({ minLots: 2, maxLots: 1 })), /minLots/)
  t.throws(() => new Market(rules({ maxTicks: 2 ** 31 })), /maxTicks/)
  t.throws(() => new Market(rules({ maxValue: 2 ** 53 })), /maxValue/)
  t.throws(() => new Market(rules({ minLots: 5, maxValue: 4 })), /maxValue/)
  t.throws(() => new Market(rules({ quote: rules().base })), /same asset/)
})

t.test('the value of an order is bounded exactly, up to the last one that a number can hold', async (t) => {
  const market = new Market(rules({ maxValue: 1_000 }))
  t.ok(market.takes(500 as Ticks, 2 as Lots))
  t.notOk(market.takes(143 as Ticks, 7 as Lots), '1001')
  t.ok(market.takesBudget(100_099n as Amount), 'what does not pay for a whole tick and lot does not count')
  t.notOk(market.takesBudget(100_100n as Amount))
  const widest = new Market(rules({ maxLots: 2 ** 31 - 1, maxTicks: 2 ** 31 - 1 }))
  // 2^53 − 1 = 6361 × 69431 × 20394401
  t.ok(widest.takes((6_361 * 69_431) as Ticks, 20_394_401 as Lots))
  t.notOk(widest.takes(2 ** 27 as Ticks, 2 ** 26 as Lots), '2^53')
  t.notOk(widest.takes((2 ** 31 - 1) as Ticks, (2 ** 31 - 1) as Lots))
})

t.test('decimal price × decimal quantity is the quote amount, whatever the market', async () => {
  const power = (max: number): fc.Arbitrary<bigint> => fc.integer({ min: 0, max }).map((n) => 10n ** BigInt(n))
  fc.assert(
    fc.property(
      power(9),
      fc.bigInt({ min: 1n, max: 10n ** 6n }),
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      (lotSize, tickSize, baseDecimals, quoteDecimals, ticks, lots) => {
        const market = new Market(
          rules({
            lotSize,
            tickSize,
            base: { ...rules().base, decimals: baseDecimals },
            quote: { ...rules().quote, decimals: quoteDecimals },
            maxLots: 2 ** 31 - 1,
            maxTicks: 2 ** 31 - 1,
          }),
        )
        const price = market.formatPrice(ticks as Ticks)
        const quantity = market.formatQuantity(lots as Lots)
        const scaled = (text: string): [bigint, number] => {
          const [whole, fraction = ''] = text.split('.')
          return [BigInt(whole + fraction), fraction.length]
        }
        const [p, pScale] = scaled(price)
        const [q, qScale] = scaled(quantity)
        const exact = p * q * 10n ** BigInt(quoteDecimals) === market.quoteAmount(ticks as Ticks, lots as Lots) * 10n ** BigInt(pScale + qScale)
        return exact && market.parsePrice(price) === ticks && market.parseQuantity(quantity) === lots
      },
    ),
  )
})
