import type { Market } from '../../protocol/market.ts'
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
