import type { PairSetting } from '../../protocol/pair.ts'
import type { TapeRules } from '../../protocol/tape.ts'
import type { DrivenActor, Driver } from '../runtime/driver.ts'
import { sentence } from '../runtime/log.ts'
import type { Log } from '../runtime/log.ts'
import { sameRules } from './tape.ts'

/**
 * Tells a market what the venue file says of its tape, where that is not what it goes by. It becomes part of the journal, so a replay prints what was printed, whatever the file
 * says by then.
 */
export function driveTape(actor: DrivenActor<PairSetting>, known: TapeRules | null, rules: TapeRules | null, log: Log): Driver {
  if (!sameRules(known, rules)) {
    // An actor that ends first is told again when it starts the next time.
    actor.submit({ kind: 'tape', rules }).catch((error: unknown) => log.warn('tape', 'the rules of the tape were not taken', { reason: sentence(error) }))
  }
  return { stop: () => Promise.resolve() }
}
