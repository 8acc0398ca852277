import { createHash } from 'node:crypto'
import type { AccountId, Amount, Lots, MarketName, Milliseconds, OrderId, Seconds, Ticks } from '../../src/protocol/identity.ts'
import type { PairMessage } from '../../src/protocol/pair.ts'
import { plainTerms } from '../../src/protocol/terms.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import type { Venue } from '../../src/protocol/venue.ts'

const contract = (letter: string): string => `C${letter.repeat(55)}`
const ACCOUNTS = 1_000
const accounts = Array.from({ length: ACCOUNTS }, (_, n) => `G${String(n).padStart(55, '2')}` as AccountId)

export const MARKET = 'XLM-USDC' as MarketName

/** A venue with one vault actor and one market, for actors that are run without it. */
export const benchVenue = (name: string): Venue =>
  readVenue({
    venue: name,
    network: { passphrase: 'bench', rpc: 'http://127.0.0.1:1' },
    vault: { contract: contract('A'), fromLedger: 1 },
    nats: { servers: ['127.0.0.1:1'], user: 'bench' },
    vaultPartitions: 1,
    assets: [
      { code: 'XLM', contract: contract('B'), index: 0, decimals: 7 },
      { code: 'USDC', contract: contract('D'), index: 1, decimals: 7 },
    ],
    markets: [{ base: 'XLM', quote: 'USDC', lotSize: '10000000', tickSize: '1000', minLots: 1, maxLots: 1_000_000, maxTicks: 10_000_000, maxLifetime_s: 31_622_400 }],
    settlement: { maxAge_ms: 1_000, maxAccounts: 100, maxTrades: 1_000 },
    gateway: { host: '127.0.0.1', port: 0, homeDomain: 'localhost', signatureThreads: 1, tokenLifetime_s: 60 },
  })

/** The nth order of a book that only grows: buys below sells, each price its own, accounts in turn. */
export function restingOrder(n: number, time: Milliseconds): PairMessage {
  const side = n % 2 === 0 ? 'buy' : 'sell'
  const ticks = side === 'buy' ? 2_000_000 - n : 2_000_000 + n
  return {
    kind: 'place',
    order: createHash('sha256').update(`order ${n}`).digest('hex') as OrderId,
    number: n,
    account: accounts[n % ACCOUNTS] as AccountId,
    signer: null,
    side,
    ticks: ticks as Ticks,
    lots: (1 + (n % 1_000)) as Lots,
    spend: 0n as Amount,
    timeInForce: 'GTC',
    mayRest: true,
    terms: plainTerms,
    expires: (Math.floor(time / 1_000) + 86_400 + (n % 86_400)) as Seconds,
    created: time,
    reply: null,
  }
}
