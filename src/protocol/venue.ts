import { Type } from 'typebox'
import type { Static } from 'typebox'
import { MAX_VALUE } from './market.ts'
import { limits } from './limits.ts'
import { OperatorRight } from './operator.ts'
import { shapeFaults } from './shapeFaults.ts'
import type { Fault } from './shapeFaults.ts'
import { CHANNELS } from './subjects.ts'
import { meaningFaults, venueOf } from './venueMeaning.ts'
import type { Venue } from './venueMeaning.ts'

export { rpcEndpoints, settlementChannel } from './venueMeaning.ts'
export type { Venue } from './venueMeaning.ts'

const closed = { additionalProperties: false }
const Whole = Type.String({ pattern: '^[1-9][0-9]{0,37}$' })
const Rate = Type.Optional(Type.Object({ quota: Type.Integer({ minimum: 1, maximum: 10_000_000 }), window_s: Type.Integer({ minimum: 1, maximum: 86_400 }) }, closed))
const Endpoint = Type.String({ pattern: '^https?://' })
const Contract = Type.String({ pattern: '^C[A-Z2-7]{55}$' })
const Version = (description: string) => Type.Integer({ minimum: 1, maximum: 65_535, description })
const Ppm = Type.Integer({ minimum: 0, maximum: limits.fee_ppm })

/** The configuration of one venue: one file, the same for every process of it, read and checked before anything listens. */
export const VenueFile = Type.Object(
  {
    venue: Type.String({ pattern: '^[A-Za-z0-9_-]{1,32}$', description: 'Name; part of every NATS subject' }),
    network: Type.Object(
      {
        passphrase: Type.String({ minLength: 1, maxLength: 128 }),
        rpc: Type.Union([Endpoint, Type.Array(Endpoint, { minItems: 1, maxItems: 9, uniqueItems: true })], { description: 'Stellar RPC endpoints, of operators that do not depend on each other: one of several may lie or be down' }),
        rpcQuorum: Type.Optional(Type.Integer({ minimum: 1, maximum: 9, description: 'Endpoints that must agree at least; always the majority of those that answer. 2 unless given, where there are several' })),
      },
      closed,
    ),
    vault: Type.Object(
      { contract: Contract, fromLedger: Type.Integer({ minimum: 1, description: 'Ledger in which the contract was made: where the watcher begins' }) },
      closed,
    ),
    nats: Type.Object(
      {
        servers: Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: 16 }),
        user: Type.String({ minLength: 1 }),
        replicas: Type.Optional(Type.Union([Type.Literal(1), Type.Literal(3)], { description: 'Servers that hold each stream: 1 unless given' })),
        tls: Type.Optional(
          Type.Integer({ minimum: 1, maximum: 65_535, description: 'nats-servers speak TLS and nothing before it, with certificates of this version of the venue’s own authority: they speak plainly unless given. Raised by one at a time for a new authority' }),
        ),
        traders: Type.Optional(Type.Boolean({ description: 'Traders connect to it too, admitted by the gateways (deploy/nats/nats.conf): they do not unless given' })),
        addresses: Type.Optional(
          Type.Array(Type.String({ pattern: '^(nats|tls|ws|wss)://[A-Za-z0-9.:_\\[\\]-]{1,255}$' }), { minItems: 1, maxItems: 16, description: 'Where traders and operators reach it, told to everybody: nats:// or ws://, and tls:// or wss:// where they must use TLS' }),
        ),
        sealed: Type.Optional(
          Type.Integer({ minimum: 1, maximum: 65_535, description: 'Feeds, and what traders ask over NATS, are sealed with this version of the accounts’ feed keys: not unless given. Raised for new keys, never taken away' }),
        ),
      },
      closed,
    ),
    keys: Type.Optional(
      Type.Object(
        {
          engine: Type.Optional(Version('The engine’s Stellar key. Whichever of this version, the one before and the next one the vault contract obeys is used')),
          journal: Type.Optional(Version('The key that seals journals and snapshots. What older ones have sealed is opened, and stored anew')),
          journalOldest: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535, description: `The oldest version of that key that still opens anything: ${limits.olderJournalKeys} before the current one unless given` })),
          tokens: Type.Optional(Version('The secret of session tokens. Those of the version before count until they end, and those of the next one already')),
        },
        { ...closed, description: 'Versions of keys (docs/operations/rotate-keys.md): 1 where one is not given. Raised by one at a time, never lowered' },
      ),
    ),
    enclave: Type.Optional(
      Type.Object(
        { kind: Type.Union([Type.Literal('dstack'), Type.Literal('development')], { description: 'dstack: a confidential VM. development: the guest agent that a development build brings along, whose evidence nobody else accepts' }) },
        { ...closed, description: 'Where keys and evidence come from: from a file, and none, unless given' },
      ),
    ),
    operators: Type.Optional(
      Type.Array(Type.Object({ key: Type.String({ pattern: '^G[A-Z2-7]{55}$' }), may: OperatorRight }, closed), {
        maxItems: limits.operators,
        description: 'Keys with which operators ask the venue over its NATS how it is (see), or also change what runs (act): docs/operations/operators.md. Only who has the venue’s root key, unless given',
      }),
    ),
    /** Number of vault actors the accounts are spread over. Fixed for the venue's life: it decides who owns an account. */
    vaultPartitions: Type.Integer({ minimum: 1, maximum: 64 }),
    assets: Type.Array(
      Type.Object(
        {
          code: Type.String({ pattern: '^[A-Za-z0-9]{1,12}$' }),
          contract: Contract,
          index: Type.Integer({ minimum: 0, maximum: 4095 }),
          decimals: Type.Integer({ minimum: 0, maximum: 18 }),
        },
        closed,
      ),
      { minItems: 2, maxItems: limits.assets },
    ),
    markets: Type.Array(
      Type.Object(
        {
          base: Type.String({ description: 'Asset code' }),
          quote: Type.String({ description: 'Asset code' }),
          lotSize: Type.String({ ...Whole, description: 'Base units per lot' }),
          tickSize: Type.String({ ...Whole, description: 'Quote units per lot per tick' }),
          minLots: Type.Integer({ minimum: 1 }),
          maxLots: Type.Integer({ minimum: 1 }),
          maxTicks: Type.Integer({ minimum: 1 }),
          maxValue: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_VALUE, description: 'Ticks × lots of one order at most: as much as is exact, with fees in smallest units of the quote asset, unless given' })),
          maxLifetime_s: Type.Integer({ minimum: 60, maximum: 31_622_400 }),
          selfTrade: Type.Optional(
            Type.Union([Type.Literal('cancelNewest'), Type.Literal('cancelOldest'), Type.Literal('cancelBoth'), Type.Literal('decrement')], {
              description: 'Self-trade prevention where an order does not say: cancelNewest unless given',
            }),
          ),
          maxOrders: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.openOrdersPerMarket })),
          maxOrdersPerAccount: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.openOrdersPerAccount })),
          maxConditionalOrders: Type.Optional(Type.Integer({ minimum: 0, maximum: limits.conditionalOrdersPerMarket })),
          fees: Type.Optional(
            Type.Object({ maker_ppm: Ppm, taker_ppm: Ppm }, { ...closed, description: 'Kept of what each side receives, in parts per million, within the cap of the vault contract: nothing unless given' }),
          ),
          tape: Type.Optional(
            Type.Object(
              {
                delay_s: Type.Integer({ minimum: 1, maximum: limits.tapeDelay_s, description: 'Trades of an interval of this length are printed together, so long after its end' }),
                roundLots: Type.Integer({ minimum: 1, description: 'Quantities are rounded down to multiples of so many lots; a smaller trade is not shown' }),
                roundTicks: Type.Optional(Type.Integer({ minimum: 1, description: 'Prices are rounded to the nearest multiple of so many ticks: 1, as traded, unless given' })),
              },
              { ...closed, description: 'Publishes what was traded, late and rounded: nothing is, unless given' },
            ),
          ),
        },
        closed,
      ),
      { minItems: 1, maxItems: limits.markets },
    ),
    settlement: Type.Object(
      {
        channel: Type.Optional(Type.Integer({ minimum: 0, maximum: CHANNELS - 1, description: 'Channel of the vault contract, whose engine is the venue’s: 0 unless given. Fixed for the venue’s life: it is where its settlement has its history' })),
        maxAge_ms: Type.Integer({ minimum: 0, maximum: 600_000, description: 'A trade waits no longer than this for its batch to be formed' }),
        maxAccounts: Type.Integer({ minimum: 2, maximum: 1_900, description: 'Accounts in one batch' }),
        maxTrades: Type.Integer({ minimum: 1, maximum: 100_000, description: 'Trades in one batch' }),
        sources: Type.Optional(Type.Integer({ minimum: 1, maximum: 16, description: 'Accounts that pay for settlement in turn, so that one that is held up does not hold up the rest: the engine pays itself unless given' })),
        mostFee: Type.Optional(Type.String({ ...Whole, description: 'Stroops that are bid at most for the place of a transaction in a ledger: 100,000 (0.01 XLM) unless given' })),
        feesLow: Type.Optional(Type.String({ ...Whole, description: 'Stroops: an alarm where a paying account has less. 50,000,000 unless given' })),
      },
      closed,
    ),
    gateway: Type.Object(
      {
        host: Type.String({ minLength: 1 }),
        port: Type.Integer({ minimum: 0, maximum: 65_535 }),
        homeDomain: Type.String({ minLength: 1, description: 'SEP-10 home domain' }),
        tls: Type.Optional(Type.Boolean({ description: 'Each gateway ends TLS with a key that it makes at its start, and that the evidence names: plain HTTP unless given' })),
        signatureThreads: Type.Integer({ minimum: 1, maximum: 64 }),
        tokenLifetime_s: Type.Integer({ minimum: 60, maximum: 86_400 }),
        rates: Type.Optional(
          Type.Object({ requests: Rate, addressCancels: Rate, logins: Rate, orders: Rate, cancels: Rate, reads: Rate, history: Rate }, { ...closed, description: 'Rate limits: src/protocol/limits.ts has what holds where one is not given' }),
        ),
        connectionsPerAddress: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.connections, description: `${limits.connectionsPerAddress} unless given` })),
        streamsPerAccount: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.connections, description: `WebSocket streams of one account: ${limits.streamsPerAccount} unless given` })),
        streamBufferedBytes: Type.Optional(Type.Integer({ minimum: 65_536, maximum: 1_073_741_824, description: `Bytes that may wait for the reader of a stream: ${limits.streamBufferedBytes} unless given` })),
      },
      closed,
    ),
  },
  closed,
)
export type VenueFile = Static<typeof VenueFile>

/** A configuration that no process starts with: everything that is wrong with it. */
export class VenueFaulty extends Error {
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[]) {
    super(`venue configuration: ${faults.map(({ path, wrong, right }) => `${path || '/'} ${wrong}: ${right}`).join('; ')}`)
    this.name = 'VenueFaulty'
    this.faults = faults
  }
}

/** Everything that keeps a process from starting with a configuration, each member by its path. */
export function venueFaults(json: unknown): readonly Fault[] {
  const shape = shapeFaults(VenueFile, json)
  const sound = (path: string): boolean => !shape.some((fault) => fault.path === '' || fault.path === path || fault.path.startsWith(`${path}/`))
  return [...shape, ...(shape.some(({ path }) => path === '') ? [] : meaningFaults(json as VenueFile, sound))]
}

/** @throws VenueFaulty */
export function readVenue(json: unknown): Venue {
  const faults = venueFaults(json)
  if (faults.length > 0) throw new VenueFaulty(faults)
  return venueOf(json as VenueFile)
}
