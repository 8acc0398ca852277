import { formatDecimal, parseDecimal } from '../../../protocol/decimal.ts'
import type { Asset } from '../../../protocol/market.ts'
import type { VenueFile } from '../../../protocol/venue.ts'
import type { VaultGovernance } from '../../../settlement/governance/vaultGovernance.ts'
import { decimal, duration_s, whole } from '../../arguments.ts'
import type { Arguments } from '../../arguments.ts'
import { Declined, UsageFault } from '../../fault.ts'
import type { Errand } from '../../vault/errand.ts'
import { Ground } from '../../vault/ground.ts'
import { VenueDraft } from '../../vault/venueDraft.ts'

/** Digits after the point that a price may have: more than any two assets need. */
const PRICE_DIGITS = 36
const LIFETIME = '7d'

/** `darkpool vault market add BASE-QUOTE …`: a market in the venue file, of assets that the vault admits and with fees that it lets be taken. Nothing on chain changes. */
export const market: Errand = async (surroundings, words) => {
  const { args, place } = surroundings
  const [what, name = ''] = words
  const [base, quote, ...more] = name.split('-')
  if (what !== 'add' || words.length !== 2 || base === undefined || quote === undefined || more.length > 0) throw new UsageFault('darkpool vault market takes add BASE-QUOTE')
  const { options } = args
  const draft = VenueDraft.open(options, place)
  const { venue } = draft
  const assetOf = (code: string): Asset => {
    const found = venue.assets.find((asset) => asset.code === code)
    if (found === undefined) throw new Declined(`${draft.file} lists no asset ${code}: \`darkpool vault add-asset … --list\` puts it there`)
    return found
  }
  const [baseAsset, quoteAsset] = [assetOf(base), assetOf(quote)]
  if ([...venue.markets.keys()].some((known) => known === name)) throw new Declined(`there is a market ${name} already`)
  const added = marketOf(options, baseAsset, quoteAsset)
  const { difference, write } = draft.withMarket(added)
  const { theVault } = await Ground.open(surroundings)
  await checkOnChain(theVault, [baseAsset, quoteAsset], added.fees)
  const dry = options['dry-run'] === true
  if (!dry) write()
  const scale = `a lot is ${formatDecimal(BigInt(added.lotSize), baseAsset.decimals)} ${base}, a tick ${decimal('tick', options.tick)} ${quote} per ${base}`
  const text = [`${draft.file}:`, difference, '', scale, dry ? 'nothing was written' : `written: every process of the venue takes it up at its next start`].join('\n')
  return { text, json: { file: draft.file, written: !dry, market: added } }
}

/** @throws UsageFault where an amount is no whole number of lots or ticks, or of smallest units */
function marketOf(options: Arguments['options'], base: Asset, quote: Asset): VenueFile['markets'][number] {
  const lot = parseDecimal(decimal('lot', options.lot), base.decimals)
  if (lot === undefined || lot === 0n) throw new UsageFault(`--lot ${options.lot}: more than zero, and at most ${base.decimals} digits after the point`)
  const tick = priceOf('tick', options.tick)
  // Quote units per lot per tick: tick × 10^quote / 10^36 per base unit of 10^base.
  const divisor = 10n ** BigInt(PRICE_DIGITS + base.decimals)
  const product = tick * lot * 10n ** BigInt(quote.decimals)
  if (product % divisor !== 0n) throw new UsageFault(`--tick ${options.tick}: of one lot of ${options.lot} ${base.code} that is less than a smallest unit of ${quote.code}; take a larger tick or lot`)
  const lots = (name: 'min-quantity' | 'max-quantity', text: string | undefined): number => {
    const units = parseDecimal(decimal(name, text), base.decimals)
    if (units === undefined || units === 0n || units % lot !== 0n) throw new UsageFault(`--${name} ${text} is no whole number of lots of ${options.lot}`)
    return Number(units / lot)
  }
  const most = priceOf('max-price', options['max-price'])
  if (most % tick !== 0n) throw new UsageFault(`--max-price ${options['max-price']} is no whole number of ticks of ${options.tick}`)
  const rates = { maker_ppm: whole('maker-ppm', options['maker-ppm'] ?? '0'), taker_ppm: whole('taker-ppm', options['taker-ppm'] ?? '0') }
  return {
    base: base.code,
    quote: quote.code,
    lotSize: lot.toString(),
    tickSize: (product / divisor).toString(),
    minLots: options['min-quantity'] === undefined ? 1 : lots('min-quantity', options['min-quantity']),
    maxLots: lots('max-quantity', options['max-quantity']),
    maxTicks: Number(most / tick),
    maxLifetime_s: duration_s('lifetime', options.lifetime ?? LIFETIME),
    ...(rates.maker_ppm + rates.taker_ppm > 0 && { fees: rates }),
  }
}

function priceOf(name: string, text: string | undefined): bigint {
  const price = parseDecimal(decimal(name, text), PRICE_DIGITS)
  if (price === undefined || price === 0n) throw new UsageFault(`--${name} ${text}: more than zero, and at most ${PRICE_DIGITS} digits after the point`)
  return price
}

/** What would only show when the first trade does not settle. @throws Declined */
async function checkOnChain(vault: VaultGovernance, assets: readonly Asset[], fees: { readonly maker_ppm: number; readonly taker_ppm: number } | undefined): Promise<void> {
  for (const { code, contract, index } of assets) {
    const known = await vault.assetIndex(contract)
    if (known === null) throw new Declined(`the vault does not admit ${code}: \`darkpool vault add-asset\` admits it`)
    if (known !== index) throw new Declined(`the vault has ${code} as asset ${known}, and the venue file says ${index}: its batches would move another asset`)
  }
  const most = Math.max(fees?.maker_ppm ?? 0, fees?.taker_ppm ?? 0)
  const cap = most === 0 ? 0 : await vault.feeCap_ppm()
  if (most > cap) throw new Declined(`the market would charge ${most} parts per million, and the vault lets it take ${cap}: \`darkpool vault announce fee-cap\` first`)
}
