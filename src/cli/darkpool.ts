#!/usr/bin/env node
import { NeverSent, OutcomeUnknown, Refused } from '../client/errors.ts'
import { ChainRefused } from '../client/chain.ts'
import { readArguments } from './arguments.ts'
import type { Command, Outcome } from './command.ts'
import { balances } from './commands/balances.ts'
import { cancel } from './commands/cancel.ts'
import { deposit } from './commands/deposit.ts'
import { markets } from './commands/markets.ts'
import { placeOrder } from './commands/order.ts'
import { book, orders } from './commands/orders.ts'
import { watch } from './commands/watch.ts'
import { withdraw } from './commands/withdraw.ts'
import { exits, UsageFault } from './fault.ts'
import { Place } from './place.ts'
import { USAGE } from './usage.ts'

const commands: Readonly<Record<string, Command>> = { order: placeOrder, market: placeOrder, cancel, orders, book, balances, deposit, withdraw, markets, watch }

async function main(): Promise<number> {
  const args = readArguments(process.argv.slice(2))
  if (args.options.help === true) {
    process.stdout.write(USAGE)
    return exits.done
  }
  const command = args.command !== undefined && Object.hasOwn(commands, args.command) ? commands[args.command] : undefined
  if (command === undefined) throw new UsageFault(args.command === undefined ? 'which command? `darkpool --help` lists them' : `there is no command ${args.command}; \`darkpool --help\` lists them`)
  const json = args.options.json === true
  const show = (outcome: Outcome): void => void process.stdout.write(`${json ? JSON.stringify(outcome.json) : outcome.text}\n`)
  const say = (text: string): void => void (json || process.stderr.write(`${text}\n`))
  const outcome = await command({ args, place: new Place(args), show, say })
  if (outcome !== null) show(outcome)
  return exits.done
}

/** Each failure in one sentence, and an exit code that says what a script may do next. */
function failed(error: unknown): number {
  const say = (sentence: string): void => void process.stderr.write(`darkpool: ${sentence}\n`)
  if (error instanceof Refused) say(`${error.message} [${error.code}]`)
  else say(error instanceof Error ? error.message : 'failed for an unknown reason')
  if (error instanceof UsageFault) return exits.usage
  if (error instanceof Refused || error instanceof ChainRefused) return exits.refused
  if (error instanceof NeverSent) return exits.neverSent
  return error instanceof OutcomeUnknown ? exits.outcomeUnknown : exits.failed
}

process.exitCode = await main().catch(failed)
