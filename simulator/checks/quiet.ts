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
      const status = machine.query({ kind: 'status' })
      if ('refused' in status) return 'settlement does not tell its status'
      if (status.ok.alarms.includes('diverged')) return 'settlement has diverged from the chain'
      if (status.ok.aside.trades > 0) return `${status.ok.aside.trades} trades are set aside`
      if (status.ok.queued > 0 || status.ok.flight !== null) return `${status.ok.queued} trades wait for settlement, ${status.ok.flight === null ? 'none is' : 'others are'} on the way`
      if (status.ok.cosigns > 0) return `${status.ok.cosigns} withdrawals wait for the engine`
    }
    if (machine !== undefined && isVault(machine)) for (const account of machine.state.accounts.values()) if (account.inFlight.length > 0) return 'a withdrawal is in flight'
  }
  return null
}
