import type { FeeRates, Market } from '../../protocol/market.ts'
import type { PairSetting } from '../../protocol/pair.ts'
import type { DrivenActor, Driver } from '../runtime/driver.ts'
import { sentence } from '../runtime/log.ts'
import type { Log } from '../runtime/log.ts'

/**
 * A market that charges more than the vault contract lets batches take does not start: what it trades could not settle. A chain that cannot be asked keeps no market from
 * trading: it was asked at an earlier start, and has the last word when the trades settle.
 * @throws Error where it charges more
 */
export async function checkFees({ name, rules: { fees } }: Market, cap_ppm: () => Promise<number>, log: Log): Promise<void> {
  const most = Math.max(fees.maker_ppm, fees.taker_ppm)
  if (most === 0) return
  let cap: number
  try {
    cap = await cap_ppm()
  } catch (error) {
    log.warn('fees', 'the cap of the vault contract could not be asked', { reason: sentence(error) })
    return
  }
  if (most > cap) throw new Error(`the market ${name} charges ${most} parts per million, and the vault contract lets it take ${cap}: announce a higher cap, or lower the fees`)
}

/** Tells a market what the venue file says of its fees, where that is not what it goes by. It becomes part of the journal, so a replay charges what was charged, whatever the file says by then. */
export function driveFees(actor: DrivenActor<PairSetting>, known: FeeRates, rates: FeeRates, log: Log): Driver {
  if (known.maker_ppm !== rates.maker_ppm || known.taker_ppm !== rates.taker_ppm) {
    // An actor that ends first is told again when it starts the next time.
    actor.submit({ kind: 'fees', rates }).catch((error: unknown) => log.warn('fees', 'the fees were not taken', { reason: sentence(error) }))
  }
  return { stop: () => Promise.resolve() }
}
