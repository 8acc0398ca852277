import type { FeedEvent } from '../../protocol/feed.ts'
import { isoTime } from '../../protocol/view.ts'
import type { Effects } from '../runtime/machine.ts'
import type { Account } from './state.ts'

/** Publishes on the account's feed with the next number. The numbers are state: a restart continues them without gap or repeat. */
export function publish(account: Account, event: FeedEvent, effects: Effects): void {
  account.fed++
  effects.publish({ v: 1, seq: account.fed, account: account.id, time: isoTime(effects.time), ...event })
}
