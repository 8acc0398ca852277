import { ChainRefused, NeverSent, OutcomeUnknown, Refused } from '../client/errors.ts'
import { readArguments } from './arguments.ts'
import type { Command, Outcome } from './command.ts'
import { Declined, exits, UsageFault } from './fault.ts'
import { foundText } from './text.ts'
import { USAGE } from './usage.ts'

/** Loaded when asked for: an order by hand need not wait for the code of a deposit. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  order: async () => (await import('./commands/order.ts')).placeOrder,
  market: async () => (await import('./commands/order.ts')).placeOrder,
  cancel: async () => (await import('./commands/cancel.ts')).cancel,
  amend: async () => (await import('./commands/amend.ts')).amend,
  'cancel-all': async () => (await import('./commands/cancelAll.ts')).cancelAll,
  orders: async () => (await import('./commands/orders.ts')).orders,
  book: async () => (await import('./commands/orders.ts')).book,
  'dead-man': async () => (await import('./commands/deadMan.ts')).deadMan,
  balances: async () => (await import('./commands/balances.ts')).balances,
  deposit: async () => (await import('./commands/deposit.ts')).deposit,
  withdraw: async () => (await import('./commands/withdraw.ts')).withdraw,
  keys: async () => (await import('./commands/keys.ts')).keys,
  info: async () => (await import('./commands/info.ts')).info,
  audit: async () => (await import('./commands/audit.ts')).audit,
  reconcile: async () => (await import('./commands/reconcile.ts')).reconcile,
  receipt: async () => (await import('./commands/receipt.ts')).receipt,
  markets: async () => (await import('./commands/markets.ts')).markets,
  tape: async () => (await import('./commands/tape.ts')).tape,
  journal: async () => (await import('./commands/journal.ts')).journal,
  pair: async () => (await import('./commands/pair.ts')).pair,
  drain: async () => (await import('./commands/drain.ts')).drain,
  'kill-switch': async () => (await import('./commands/killSwitch.ts')).killSwitch,
  settlement: async () => (await import('./commands/settlement.ts')).settlement,
  withdrawals: async () => (await import('./commands/withdrawals.ts')).withdrawals,
  snapshot: async () => (await import('./commands/snapshot.ts')).snapshot,
  metrics: async () => (await import('./commands/metrics.ts')).metrics,
  status: async () => (await import('./commands/status.ts')).status,
  verify: async () => (await import('./commands/verify.ts')).verify,
  policy: async () => (await import('./commands/policy.ts')).policy,
  config: async () => (await import('./commands/config.ts')).config,
  vault: async () => (await import('./commands/vault.ts')).vault,
  watch: async () => (await import('./commands/watch.ts')).watch,
}

async function main(): Promise<number> {
  const args = readArguments(process.argv.slice(2))
  if (args.options.help === true) {
    process.stdout.write(USAGE)
    return exits.done
  }
  const load = args.command !== undefined && Object.hasOwn(commands, args.command) ? commands[args.command] : undefined
  if (load === undefined) throw new UsageFault(args.command === undefined ? 'which command? `darkpool --help` lists them' : `there is no command ${args.command}; \`darkpool --help\` lists them`)
  const json = args.options.json === true
  const show = (outcome: Outcome): void => void process.stdout.write(`${json ? JSON.stringify(outcome.json) : outcome.text}\n`)
  const say = (text: string): void => void (json || process.stderr.write(`${text}\n`))
  // Neither help nor a mistyped command waits for what every other loads: the client, the Stellar SDK, the schema of a venue file.
  const { Place } = await import('./place.ts')
  const command = await load()
  const outcome = await command({ args, place: new Place(args), show, say })
  if (outcome === null) return exits.done
  show(outcome)
  return outcome.failed === true ? exits.failed : exits.done
}

/** Each failure in one sentence, and an exit code that says what a script may do next. */
function failed(error: unknown): number {
  const say = (sentence: string): void => void process.stderr.write(`darkpool: ${sentence}\n`)
  if (error instanceof Refused) {
    say(`${error.message} [${error.code}]`)
    if (error.order !== undefined) say(foundText(error.order))
  } else say(error instanceof Error ? error.message : 'failed for an unknown reason')
  if (error instanceof UsageFault) return exits.usage
  if (error instanceof Refused || error instanceof ChainRefused || error instanceof Declined) return exits.refused
  if (error instanceof NeverSent) return exits.neverSent
  return error instanceof OutcomeUnknown ? exits.outcomeUnknown : exits.failed
}

// Whoever reads has had enough, as `head` has after its lines: what was to be done is done by then, and nobody is left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(exits.done)
})
process.exitCode = await main().catch(failed)
