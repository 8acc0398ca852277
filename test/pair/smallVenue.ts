import type { AccountId, ContractId, MarketName } from '../../src/protocol/identity.ts'
import type { Market } from '../../src/protocol/market.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import type { Venue } from '../../src/protocol/venue.ts'

const contract = (letter: string): string => `C${letter.repeat(55)}`

/** Assets A, B and Q; markets A-Q (lot 10, tick 2) and B-Q (lot 1, tick 1, prices over the whole range). */
export function smallVenue(vaultPartitions = 1): Venue {
  const market = { quote: 'Q', minLots: 1, maxLots: 1_000, maxLifetime_s: 3_600 }
  return readVenue({
    venue: 'test',
    network: { passphrase: 'Test', rpc: 'http://127.0.0.1:1' },
    vault: { contract: contract('V'), fromLedger: 1 },
    nats: { servers: ['127.0.0.1:1'], user: 'test' },
    vaultPartitions,
    assets: ['A', 'B', 'Q'].map((code, index) => ({ code, contract: contract(code), index, decimals: code === 'Q' ? 2 : 1 })),
    markets: [
      { base: 'A', ...market, lotSize: '10', tickSize: '2', maxTicks: 1_000_000 },
      { base: 'B', ...market, lotSize: '1', tickSize: '1', maxTicks: 2_147_483_647 },
    ],
    settlement: { maxAge_ms: 1_000, maxAccounts: 100, maxTrades: 1_000 },
    gateway: { host: '127.0.0.1', port: 0, homeDomain: 'localhost', signatureThreads: 1, tokenLifetime_s: 60 },
  })
}

export const assetA = contract('A') as ContractId
export const assetB = contract('B') as ContractId
export const assetQ = contract('Q') as ContractId
export const AQ = 'A-Q' as MarketName
export const BQ = 'B-Q' as MarketName

export function marketOf(venue: Venue, name: MarketName): Market {
  const market = venue.markets.get(name)
  if (market === undefined) throw new Error(`no market ${name}`)
  return market
}

/** Names are enough where nobody signs. */
export const account = (name: string): AccountId => `G${name}` as AccountId
