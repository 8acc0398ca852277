import { StrKey } from '@stellar/stellar-sdk/base'
import type { VenueFile } from '../../src/protocol/venue.ts'

const contract = (letter: string): string => StrKey.encodeContract(Buffer.alloc(32, letter))

/** The configuration of a venue with one vault actor and one market, on a NATS server given by its address. */
export const venueFile = (nats: string): VenueFile => ({
  venue: 'test',
  network: { passphrase: 'Test SDF Network ; September 2015', rpc: 'http://127.0.0.1:1' },
  vault: { contract: contract('A'), fromLedger: 1 },
  nats: { servers: [nats], user: 'darkpool' },
  vaultPartitions: 1,
  assets: [
    { code: 'XLM', contract: contract('B'), index: 0, decimals: 7 },
    { code: 'USDC', contract: contract('D'), index: 1, decimals: 7 },
  ],
  markets: [{ base: 'XLM', quote: 'USDC', lotSize: '10000000', tickSize: '1000', minLots: 1, maxLots: 1_000_000, maxTicks: 1_000_000, maxLifetime_s: 86_400 }],
  settlement: { maxAge_ms: 1_000, maxAccounts: 50, maxTrades: 1_000 },
  gateway: { host: '127.0.0.1', port: 0, homeDomain: 'localhost', signatureThreads: 1, tokenLifetime_s: 3_600 },
})
