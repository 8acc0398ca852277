import fc from 'fast-check'
import t from 'tap'
import { feesOf, net } from '../../src/settlement/netting.ts'
import { accountOf, anyTrades, assets, assetsOf, trade } from './trades.ts'

t.test('a buy and a sell', async (t) => {
  const netted = net([trade(1, { buyer: 1, seller: 2, base: 10n, quote: 35n })], assetsOf)
  t.same(netted, [
    { account: accountOf(1), trades: ['A0-A1:1'], moves: [{ asset: assets[0], in: 10n, out: 0n }, { asset: assets[1], in: 0n, out: 35n }] },
    { account: accountOf(2), trades: ['A0-A1:1'], moves: [{ asset: assets[0], in: 0n, out: 10n }, { asset: assets[1], in: 35n, out: 0n }] },
  ])
})

t.test('in and out stay apart, so that a vault actor can take back exactly what it held as pending', async (t) => {
  const [first] = net([trade(1, { buyer: 1, seller: 2, base: 10n, quote: 35n }), trade(2, { buyer: 2, seller: 1, base: 10n, quote: 30n })], assetsOf)
  t.same(first?.moves, [
    { asset: assets[0], in: 10n, out: 10n },
    { asset: assets[1], in: 30n, out: 35n },
  ])
})

t.test('an account on both sides of a trade has the trade once', async (t) => {
  const netted = net([trade(1, { buyer: 1, seller: 1, base: 10n, quote: 35n })], assetsOf)
  t.equal(netted.length, 1)
  t.same(netted[0]?.trades, ['A0-A1:1'])
  t.same(netted[0]?.moves, [
    { asset: assets[0], in: 10n, out: 10n },
    { asset: assets[1], in: 35n, out: 35n },
  ])
})

t.test('a fee comes off what its side receives, and is summed per asset with what it was taken from', async (t) => {
  const trades = [
    trade(1, { buyer: 1, seller: 2, base: 1_000n, quote: 3_500n, buyerFee: 2n, sellerFee: 4n }),
    trade(2, { buyer: 2, seller: 1, base: 10n, quote: 30n }),
    trade(3, { market: 'A5-A3', buyer: 2, seller: 1, base: 10n, quote: 1n, sellerFee: 1n }),
  ]
  const [first, second] = net(trades, assetsOf)
  t.same(first?.moves.slice(0, 2), [{ asset: assets[0], in: 998n, out: 10n }, { asset: assets[1], in: 30n, out: 3_500n }])
  t.same(second?.moves.slice(0, 2), [{ asset: assets[0], in: 10n, out: 1_000n }, { asset: assets[1], in: 3_496n, out: 30n }])
  t.same(feesOf(trades, assetsOf), [
    { asset: assets[0], amount: 2n, turnover: 1_010n },
    { asset: assets[1], amount: 4n, turnover: 3_530n },
    { asset: assets[3], amount: 1n, turnover: 1n },
  ])
})

t.test('a fee is no more than what its side receives, and no less than nothing', async (t) => {
  const amounts = { buyer: 1, seller: 2, base: 10n, quote: 35n }
  for (const fees of [{ buyerFee: 11n }, { sellerFee: 36n }, { buyerFee: -1n }, { sellerFee: -1n }]) t.throws(() => net([trade(1, { ...amounts, ...fees })], assetsOf))
  t.same(net([trade(1, { ...amounts, buyerFee: 10n })], assetsOf)[0]?.moves[0], { asset: assets[0], in: 0n, out: 0n })
})

t.test('an amount that is not above zero is refused', async (t) => {
  t.throws(() => net([trade(1, { buyer: 1, seller: 2, base: 0n, quote: 35n })], assetsOf))
  t.throws(() => net([trade(1, { buyer: 1, seller: 2, base: 1n, quote: -1n })], assetsOf))
})

t.test('any trades: what accounts gain and the fees sum to zero per asset, and every account and asset equals a slow model', async () => {
  fc.assert(
    fc.property(anyTrades(), (trades) => {
      const netted = net(trades, assetsOf)
      const fees = feesOf(trades, assetsOf)
      for (const asset of assets) {
        const sum = netted.flatMap(({ moves }) => moves).filter((move) => move.asset === asset).reduce((total, move) => total + move.in - move.out, 0n)
        const charged = trades.reduce((total, { market, buyerFee, sellerFee }) => total + (assetsOf(market).base === asset ? buyerFee : 0n) + (assetsOf(market).quote === asset ? sellerFee : 0n), 0n)
        if (sum !== -charged || (fees.find((fee) => fee.asset === asset)?.amount ?? 0n) !== charged) return false
      }
      for (let n = 0; n < 10; n++) {
        const account = accountOf(n)
        const mine = netted.filter((entry) => entry.account === account)
        const own = trades.filter(({ buyer, seller }) => buyer === account || seller === account)
        if (mine.length !== (own.length > 0 ? 1 : 0)) return false
        if (own.length > 0 && JSON.stringify(mine[0]?.trades) !== JSON.stringify(own.map(({ id }) => id))) return false
        for (const asset of assets) {
          let into = 0n
          let out = 0n
          for (const { market, buyer, seller, base, quote, buyerFee, sellerFee } of own) {
            const sides = assetsOf(market)
            if (buyer === account && sides.base === asset) into += base - buyerFee
            if (seller === account && sides.quote === asset) into += quote - sellerFee
            if (buyer === account && sides.quote === asset) out += quote
            if (seller === account && sides.base === asset) out += base
          }
          const move = mine[0]?.moves.find((candidate) => candidate.asset === asset)
          if ((move?.in ?? 0n) !== into || (move?.out ?? 0n) !== out) return false
        }
      }
      return true
    }),
  )
})
