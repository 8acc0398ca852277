import { PairMachine } from '../../src/actors/pair/pairMachine.ts'
import { SettlementMachine } from '../../src/settlement/settlementMachine.ts'
import { WatcherMachine } from '../../src/settlement/watcherMachine.ts'
import { isVault } from '../post.ts'
import type { World } from '../world.ts'

/** What is not done yet, once nothing new comes and nothing goes wrong; null where everything is. */
export function unfinished(world: World): string | null {
  const { traders, posts, history, readers, chain, promises } = world
  for (const post of posts) if (post.current?.running !== true) return `${post.actor} does not run`
  if (traders.waiting > 0) return `${traders.waiting} messages have no answer`
  for (const post of posts) {
    for (const peer of history.peersOf(post.actor)) {
      const [sent, heard] = [history.sentCount(post.actor, peer), world.post(peer).current?.observed.heardOf(post.actor) ?? 0]
      if (sent !== heard) return `${peer} has heard ${heard} of ${sent} messages of ${post.actor}`
    }
  }
  for (const owner of history.owners) if (readers.seen(owner) !== history.feedLength(owner)) return 'a feed is not stored to its end'
  if (chain.pending > 0) return 'a transaction waits for its ledger'
  for (const { current } of posts) {
    const machine = current?.machine
    if (current?.journal.appending === true) return `${current.host.name} waits for an append`
    if (machine instanceof PairMachine && promises.waits(machine)) return 'an order rests that a timer is to take back'
    if (machine instanceof WatcherMachine && machine.ledger < chain.lastCustodyLedger) return `the watcher is at ledger ${machine.ledger}, the last deposit or withdrawal in ${chain.lastCustodyLedger}`
    if (machine instanceof SettlementMachine) {
      const { status } = machine
      if (status.alarms.includes('diverged')) return 'settlement has diverged from the chain'
      if (status.aside.trades > 0) return `${status.aside.trades} trades are set aside`
      if (status.queued > 0 || status.flight !== null) return `${status.queued} trades wait for settlement, ${status.flight === null ? 'none is' : 'others are'} on the way`
      if (status.cosigns > 0) return `${status.cosigns} withdrawals wait for the engine`
    }
    if (machine !== undefined && isVault(machine)) for (const account of machine.state.accounts.values()) if (account.inFlight.length > 0) return 'a withdrawal is in flight'
  }
  return null
}
