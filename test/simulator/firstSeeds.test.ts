import t from 'tap'
import { faultsOf, runSeeds } from './seeds.ts'

t.setTimeout(600_000)

t.test('seeds 1 to 102: no rule is broken, every venue comes to rest, and nothing of it was easy', async (t) => {
  const results = await runSeeds(1, 102)
  const faults = faultsOf(results)
  for (const fault of everyFault) t.ok((faults.get(fault) ?? 0) >= 3, `${fault}: ${faults.get(fault) ?? 0} times`)
  const sum = (of: (result: (typeof results)[number]) => number): number => results.reduce((total, result) => total + of(result), 0)
  t.ok(sum(({ commands }) => commands) > 500_000, 'commands')
  t.ok(sum(({ trades }) => trades) > 15_000, 'trades')
  t.ok(sum(({ timers }) => timers.told) > 30, 'deadlines that traders were told of')
  t.ok(sum(({ timers }) => timers.takenBack) > 1_000, 'orders that timers took back')
  t.ok(sum(({ exits }) => exits.asked) > 200, 'exits that the contract was asked for')
  t.ok(sum(({ exits }) => exits.paid) > 100, 'exits that it paid')
  t.ok(results.filter(({ reconciled }) => reconciled > 3).length > 95, 'runs in which books were held against the chain')
  t.ok(results.filter(({ trades }) => trades > 0).length > 80, 'runs without a trade prove little')
})

/** Whatever can go wrong has gone wrong: a simulator that stopped doing it would be silent for the wrong reason. */
const everyFault = [
  'message lost',
  'message doubled',
  'message late',
  'message reordered',
  'append lost',
  'append stored, answer lost',
  'append late',
  'append refused for now',
  'append refused',
  'append slow',
  'reading failed',
  'last record damaged',
  'snapshot damaged',
  'snapshot call lost',
  'snapshot answer lost',
  'feed burst lost',
  'feed burst cut off',
  'feed stored, answer lost',
  'feed burst late',
  'RPC call lost',
  'RPC answer lost',
  'RPC slow',
  'RPC behind',
  'RPC lies',
  'transaction dropped',
  'transaction included late',
  'crash',
  'drain',
  'snapshot',
  'halt',
  'pause',
  'secondOwner',
  'partition',
  'clockJump',
  'slowDisk',
  'fullStream',
  'gatewayCrash',
  'actor away',
  'venue away',
]
