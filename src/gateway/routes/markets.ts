import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import type { Amount, Lots, Ticks } from '../../protocol/identity.ts'
import { formatAmount } from '../../protocol/market.ts'
import type { Asset, Market } from '../../protocol/market.ts'
import type { VenueFile } from '../../protocol/venue.ts'
import type { Gateway } from '../gateway.ts'
import { AssetShape, MarketShape, NoQuery } from '../schemas.ts'

const Nats = Type.Object({ addresses: Type.Array(Type.String()), tls: Type.Boolean(), auth: Type.Literal('nkey'), sealed: Type.Boolean(), authorities: Type.Union([Type.String(), Type.Null()], { description: 'PEM: whoever signs the certificates of its servers. Trust these and no others there, and begin with TLS at once, before the server has spoken; null where it is otherwise' }) })
const Answer = Type.Object({
  venue: Type.String(),
  network: Type.String(),
  vault: Type.String(),
  nats: Type.Union([Nats, Type.Null()], { description: 'Where traders reach the venue’s NATS; null where they do not' }),
  assets: Type.Array(AssetShape),
  markets: Type.Array(MarketShape),
})
const schema = { summary: 'Markets, assets, network and vault: what messages are bound to', querystring: NoQuery, response: { 200: Answer } }

/** GET /api/v1/markets: everything a message must be bound to, and the steps and bounds of prices and quantities. Public. */
export const marketsRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { file, assets, markets } = gateway.venue
  const answer = {
    venue: file.venue,
    network: file.network.passphrase,
    vault: file.vault.contract,
    nats: natsView(file.nats, gateway.natsAuthorities),
    assets: assets.map(assetView),
    markets: [...markets.values()].map(marketView),
  }
  app.get('/api/v1/markets', { schema }, async () => answer)
  done()
}

const withTls = /^(tls|wss):/
const natsView = ({ addresses, sealed }: VenueFile['nats'], authorities: string | null) =>
  (addresses === undefined ? null : { addresses, tls: addresses.every((address) => withTls.test(address)), auth: 'nkey' as const, sealed: sealed !== undefined, authorities })

const assetView = ({ code, contract, decimals }: Asset) => ({ code, contract, decimals })

function marketView(market: Market) {
  const { name, base, quote, minLots, maxLots, maxTicks, maxValue, maxLifetime_s, selfTrade, maxOrdersPerAccount, fees, tape } = market.rules
  return {
    name,
    base: assetView(base),
    quote: assetView(quote),
    tickSize: market.formatPrice(1 as Ticks),
    lotSize: market.formatQuantity(1 as Lots),
    minQuantity: market.formatQuantity(minLots as Lots),
    maxQuantity: market.formatQuantity(maxLots as Lots),
    maxPrice: market.formatPrice(maxTicks as Ticks),
    maxValue: formatAmount((BigInt(maxValue) * market.rules.tickSize) as Amount, quote),
    maxLifetime_s,
    maxOpenOrders: maxOrdersPerAccount,
    selfTrade,
    fees,
    tape: tape === null ? null : { delay_s: tape.delay_s, quantityStep: market.formatQuantity(tape.roundLots), priceStep: market.formatPrice(tape.roundTicks) },
  }
}
