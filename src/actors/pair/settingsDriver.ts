import type { FeeRates } from '../../protocol/market.ts'
import type { PairSetting } from '../../protocol/pair.ts'
import type { TapeRules } from '../../protocol/tape.ts'
import type { DrivenActor, Driver } from '../runtime/driver.ts'
import { sentence } from '../runtime/log.ts'
import type { Log } from '../runtime/log.ts'
import { sameRules } from './tape.ts'

/** What a market goes by, and the venue file may change. */
export interface PairSettings {
  readonly tape: TapeRules | null
  readonly fees: FeeRates
}

/**
 * Tells a market what the venue file says, where that is not what it goes by. It becomes part of the journal, so a replay prints and charges what was printed and charged, whatever
 * the file says by then.
 */
export function driveSettings(actor: DrivenActor<PairSetting>, known: PairSettings, { tape, fees }: PairSettings, log: Log): Driver {
  const tell = (setting: PairSetting, what: string): void => {
    // An actor that ends first is told again when it starts the next time.
    actor.submit(setting).catch((error: unknown) => log.warn(setting.kind, `${what} were not taken`, { reason: sentence(error) }))
  }
  if (!sameRules(known.tape, tape)) tell({ kind: 'tape', rules: tape }, 'the rules of the tape')
  if (known.fees.maker_ppm !== fees.maker_ppm || known.fees.taker_ppm !== fees.taker_ppm) tell({ kind: 'fees', rates: fees }, 'the fees')
  return { stop: () => Promise.resolve() }
}
