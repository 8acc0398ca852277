import type { AccountId, ActorName, ContractId, MarketName } from './identity.ts'
import { limits } from './limits.ts'
import { Market, MAX_VALUE, noFees } from './market.ts'
import type { Asset } from './market.ts'
import { decodeNkey } from './nkey.ts'
import type { OperatorRight } from './operator.ts'
import type { Fault } from './shapeFaults.ts'
import { DEFAULT_CHANNEL, OPERATOR_USER, pairActor, settlementActor, Subjects, vaultActor, watcherActor } from './subjects.ts'
import type { TapeRules } from './tape.ts'
import type { VenueFile } from './venue.ts'

export const settlementChannel = ({ settlement }: Pick<VenueFile, 'settlement'>): number => settlement.channel ?? DEFAULT_CHANNEL

/** Where the network is reached: one endpoint, or several that are checked against each other. */
export const rpcEndpoints = ({ rpc }: VenueFile['network']): readonly string[] => (typeof rpc === 'string' ? [rpc] : rpc)

/** A venue's configuration with what follows from it. */
export interface Venue {
  readonly file: VenueFile
  readonly subjects: Subjects
  readonly assets: readonly Asset[]
  readonly assetByContract: ReadonlyMap<ContractId, Asset>
  readonly markets: ReadonlyMap<MarketName, Market>
  /** Of the vault contract, on which it settles. */
  readonly channel: number
  /** Every actor of the venue, vaults first. */
  readonly actors: readonly ActorName[]
  /** Who may ask it as an operator over NATS, and what each may. */
  readonly operators: ReadonlyMap<AccountId, OperatorRight>
}

/** What follows from a configuration that is known to be sound: all that a thread needs of it, and far faster to load than the schema that it is checked by. */
export function venueOf(file: VenueFile): Venue {
  const assets = assetsOf(file)
  const markets = file.markets.map((market) => marketOf(market, assets))
  const vaults = Array.from({ length: file.vaultPartitions }, (_, partition) => vaultActor(partition))
  const channel = settlementChannel(file)
  return {
    file,
    subjects: new Subjects(file.venue),
    assets,
    assetByContract: new Map(assets.map((a) => [a.contract, a])),
    markets: new Map(markets.map((market) => [market.name, market])),
    channel,
    actors: [...vaults, ...markets.map((market) => pairActor(market.name)), settlementActor(channel), watcherActor],
    operators: new Map((file.operators ?? []).map(({ key, may }) => [key as AccountId, may])),
  }
}

export const assetsOf = (file: Pick<VenueFile, 'assets'>): Asset[] => file.assets.map((asset) => ({ ...asset, contract: asset.contract as ContractId }))

export const marketName = ({ base, quote }: { readonly base: string; readonly quote: string }): MarketName => `${base}-${quote}` as MarketName

/** @throws Error where its assets are not listed, or its numbers do not go together */
export function marketOf(listed: VenueFile['markets'][number], assets: readonly Asset[]): Market {
  const { base, quote, lotSize, tickSize, fees = noFees, tape, ...rest } = listed
  const charges = fees.maker_ppm + fees.taker_ppm > 0
  const bounds = { maxValue: charges ? Number(BigInt(MAX_VALUE) / BigInt(tickSize)) : MAX_VALUE, maxOrders: limits.openOrdersPerMarket, maxOrdersPerAccount: limits.openOrdersPerAccount, maxConditionalOrders: limits.conditionalOrdersPerMarket }
  const asset = (code: string): Asset => {
    const found = assets.find((candidate) => candidate.code === code)
    if (found === undefined) throw new Error(`market ${marketName(listed)}: the asset ${code} is not listed`)
    return found
  }
  return new Market({ selfTrade: 'cancelNewest', ...bounds, ...rest, name: marketName(listed), base: asset(base), quote: asset(quote), lotSize: BigInt(lotSize), tickSize: BigInt(tickSize), fees, tape: tape === undefined ? null : { roundTicks: 1, ...tape } as TapeRules })
}

/**
 * What does not go together, though each member is as it should be by itself. Members whose shape is wrong are left out: what depends on them shows when they are mended.
 * @param sound whether nothing at or under a path is wrong by itself
 */
export function meaningFaults(file: VenueFile, sound: (path: string) => boolean): readonly Fault[] {
  const faults: Fault[] = []
  const fault = (path: string, wrong: string, right: string): void => void faults.push({ path, wrong, right })
  if (sound('/network') && (file.network.rpcQuorum ?? 1) > rpcEndpoints(file.network).length) fault('/network/rpcQuorum', 'is more than there are endpoints', `at most ${rpcEndpoints(file.network).length}`)
  if (sound('/nats')) {
    const { addresses, traders, tls } = file.nats
    const operated = sound('/operators') && (file.operators ?? []).length > 0
    if (addresses !== undefined && traders !== true && !operated) fault('/nats/addresses', 'are for traders and operators: /nats/traders is not true, and there are no /operators', 'traders: true, operators, or no addresses')
    if (operated && file.nats.user === OPERATOR_USER) fault('/nats/user', 'is what operators say that they are when they connect', 'another name')
    if (tls !== undefined && addresses?.some((address) => !address.startsWith('tls://')) === true) fault('/nats/addresses', 'must begin with tls:// where /nats/tls is given', 'tls:// addresses only')
  }
  if (sound('/keys')) {
    const { journal = 1, journalOldest = 1 } = file.keys ?? {}
    const right = `${Math.max(1, journal - limits.olderJournalKeys)} to ${journal}`
    if (journalOldest > journal) fault('/keys/journalOldest', 'is newer than the key that seals', right)
    else if (file.keys?.journalOldest !== undefined && journal - journalOldest > limits.olderJournalKeys) fault('/keys/journalOldest', 'is older than may be kept', right)
  }
  if (sound('/operators')) {
    const keys = (file.operators ?? []).map(({ key }) => key)
    for (const [at, key] of keys.entries()) if (decodeNkey('stellar', key) === undefined) fault(`/operators/${at}/key`, `${key} has wrong check digits`, 'the operator’s public key, copied whole')
    repeated(keys).forEach((at) => fault(`/operators/${at}/key`, `is ${keys[at]} again`, 'operators’ keys must be unique'))
  }
  if (!sound('/assets')) return faults
  for (const [member, what] of [['code', 'asset codes'], ['contract', 'asset contracts'], ['index', 'asset indexes']] as const) repeated(file.assets.map((asset) => asset[member])).forEach((at) => fault(`/assets/${at}/${member}`, `is ${JSON.stringify(file.assets[at]![member])} again`, `${what} must be unique`))
  if (!Array.isArray(file.markets)) return faults
  const assets = assetsOf(file)
  for (const [at, market] of file.markets.entries()) {
    if (!sound(`/markets/${at}`)) continue
    try {
      marketOf(market, assets)
    } catch (error) {
      fault(`/markets/${at}`, (error as Error).message, `assets among ${assets.map(({ code }) => code).join(', ')}, and numbers that go together`)
    }
  }
  if (sound('/markets')) repeated(file.markets.map(marketName)).forEach((at) => fault(`/markets/${at}`, `is ${marketName(file.markets[at]!)} again`, 'markets must be unique'))
  return faults
}

/** Where a value stands that stood before. */
const repeated = (values: readonly unknown[]): number[] => values.flatMap((value, at) => (values.indexOf(value) < at ? [at] : []))
