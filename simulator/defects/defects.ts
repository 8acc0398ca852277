import { eventSkipped, oneBelieved, unknownIsFailed } from './chain.ts'
import type { Defect } from './defect.ts'
import { doubtIsFailure, doubtIsSuccess, effectsFirst, leaseBelieved, notSynced } from './journals.ts'
import { ackFirst, feedLossIgnored, noDuplicateFilter, positionForgotten } from './links.ts'
import { earlyRelease, exitIgnored, expiryIgnored, idsForgotten, notDeterministic, ownClock, snapshotBehind, timerForgotten, timerLate, wrongAccount } from './machines.ts'

/** Every mistake that the simulator is known to find. */
export const defects: readonly Defect[] = [
  effectsFirst,
  leaseBelieved,
  doubtIsSuccess,
  doubtIsFailure,
  notSynced,
  noDuplicateFilter,
  positionForgotten,
  ackFirst,
  feedLossIgnored,
  ownClock,
  idsForgotten,
  earlyRelease,
  notDeterministic,
  snapshotBehind,
  timerLate,
  timerForgotten,
  unknownIsFailed,
  eventSkipped,
  oneBelieved,
  expiryIgnored,
  exitIgnored,
  wrongAccount,
]
