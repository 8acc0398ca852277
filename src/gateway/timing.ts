import { Refusal } from '../protocol/errors.ts'
import type { AccountId } from '../protocol/identity.ts'
import { limits } from '../protocol/limits.ts'
import { readMessage } from '../protocol/messages/message.ts'
import type { TimerState } from '../protocol/vault.ts'
import { isoTime } from '../protocol/view.ts'
import type { Binding } from './binding.ts'
import type { Prepared, SignedBody } from './submission.ts'

/** A timer as its account sees it: TimerShape. */
export const timerView = ({ signer, timeout_ms, deadline, waiting }: TimerState) => ({
  signer, timeout: timeout_ms === null ? 0 : timeout_ms / 1000, deadline: deadline === null ? null : isoTime(deadline), waiting,
})

/**
 * A signed dead-man timer: 200 when it is in force in every market; 202 where some have yet to hear, which a repeated message can find.
 * @throws Refusal
 */
export function prepareTiming(binding: Binding, body: SignedBody): Prepared {
  const message = readMessage('deadMan', body.message)
  const expires = binding.check(message, null, Date.now())
  const timeout_s = Number(message.timeout)
  if (timeout_s !== 0 && (timeout_s < limits.timerShortest_s || timeout_s > limits.timerLongest_s)) throw new Refusal('timeout_out_of_range')
  return {
    make: (id, signer) => ({ kind: 'deadMan', id, account: message.account as AccountId, signer, timeout_s, expires }),
    show: (value) => ({ status: (value as TimerState).waiting.length === 0 ? 200 : 202, body: timerView(value as TimerState) }),
  }
}
