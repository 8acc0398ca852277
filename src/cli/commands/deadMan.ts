import { duration_s } from '../arguments.ts'
import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { table } from '../table.ts'

/** `darkpool dead-man`: the timers that run. `dead-man 30s` sets this key's or puts it off, `dead-man off` ends it. */
export const deadMan: Command = async ({ args, place }) => {
  const [timeout, ...more] = args.words
  if (more.length > 0) throw new UsageFault('darkpool dead-man takes a time such as 30s, or off')
  if (timeout === undefined) {
    const timers = await (await place.client()).deadManTimers()
    const rows = timers.map(({ signer, timeout: seconds, deadline }) => [`${seconds} s`, deadline ?? '', signer])
    return { text: rows.length === 0 ? 'no timer runs' : table(['timeout', 'deadline', 'key'], rows), json: timers }
  }
  const seconds = timeout === 'off' ? 0 : duration_s('timeout', timeout)
  const view = await (await place.client()).setDeadMan(seconds)
  const waiting = view.waiting.length === 0 ? '' : `; not yet in ${view.waiting.join(', ')}`
  return { text: view.deadline === null ? 'no timer runs' : `orders are taken back at ${view.deadline} unless the timer is set again${waiting}`, json: view }
}
