import { StrKey } from '@stellar/stellar-sdk'
import type { AccountId } from '../src/protocol/identity.ts'
import { readVenue } from '../src/protocol/venue.ts'
import type { Venue } from '../src/protocol/venue.ts'
import { FIRST_LEDGER } from './chain/chain.ts'
import type { Random } from './random.ts'

export const PASSPHRASE = 'Darkpool simulator'
/** Longest life of a message: short, so that ids are forgotten while a run lasts. */
export const MAX_LIFETIME_s = 90

const contract = (n: number): string => StrKey.encodeContract(new Uint8Array(32).fill(n))

/** Three assets, two or three markets, two or three partitions: small numbers, so that everything meets everything. */
export function simulatedVenue(random: Random): Venue {
  const asset = (code: string, index: number): object => ({ code, contract: contract(index + 1), index, decimals: 7 })
  // Markets that are full now and then.
  const bounds = random.chance(0.3) ? { maxOrders: 200, maxOrdersPerAccount: 40, maxConditionalOrders: 10 } : {}
  // One in three markets is free.
  const rates = random.fork('fees')
  const fees = (): object => (rates.chance(0.33) ? {} : { fees: { maker_ppm: rates.pick([0, 1, 1_000]), taker_ppm: rates.pick([500, 3_000]) } })
  const market = (base: string, quote: string, lotSize: string, tickSize: string): object => ({
    base,
    quote,
    lotSize,
    tickSize,
    minLots: 1,
    maxLots: 1_000,
    maxTicks: 1_000_000,
    maxLifetime_s: MAX_LIFETIME_s,
    ...bounds,
    ...fees(),
  })
  const markets = [market('XLM', 'USD', '10000000', '1000'), market('EUR', 'USD', '100000', '100'), market('XLM', 'EUR', '10000000', '2000')]
  return readVenue({
    venue: 'simulated',
    network: { passphrase: PASSPHRASE, rpc: 'http://127.0.0.1:1' },
    vault: { contract: contract(255), fromLedger: FIRST_LEDGER },
    nats: { servers: ['127.0.0.1:1'], user: 'simulator' },
    vaultPartitions: random.between(2, 3),
    assets: ['XLM', 'USD', 'EUR'].map(asset),
    markets: markets.slice(0, random.between(2, 3)),
    settlement: { maxAge_ms: random.pick([200, 1_000, 2_000]), maxAccounts: random.pick([10, 100]), maxTrades: random.pick([200, 2_000]) },
    gateway: { host: '127.0.0.1', port: 0, homeDomain: 'localhost', signatureThreads: 1, tokenLifetime_s: 60 },
  })
}

export const simulatedAccounts = (random: Random, count: number): AccountId[] =>
  Array.from({ length: count }, () => StrKey.encodeEd25519PublicKey(random.bytes(32)) as AccountId)
