import type { PairOutcome } from '../../src/protocol/pair.ts'
import type { OrderState } from '../../src/protocol/vault.ts'
import { isVault } from '../post.ts'
import type { ClientMessage } from '../traders.ts'
import type { World } from '../world.ts'
import { checkExits, checkReservations, LEAVING } from './ledgers.ts'

/** What must be true of a venue that has nothing left to do. */
export function checkEnd(world: World): void {
  checkMoney(world)
  checkAnswers(world)
  checkLeaving(world)
  const { verdict } = world.circumstances
  for (const { actor, current } of world.posts) {
    if (current === undefined || !isVault(current.machine)) continue
    checkExits(actor, current.machine, verdict)
    checkReservations(actor, current.machine, world.venue, verdict)
    const kinds = current.machine.state.alarms.map(({ kind }) => kind).join(', ')
    verdict.holds(current.machine.state.alarmCount === 0, 'the chain does nothing unexpected', () => `${actor} has raised alarms: ${kinds}`)
  }
}

/** Chain, vault actors and the books kept beside them say the same of everybody. */
function checkMoney(world: World): void {
  const { venue, chain, books, accounts, posts, circumstances } = world
  const { verdict } = circumstances
  const { owned } = books
  for (const { contract, code } of venue.assets) {
    verdict.holds(chain.books.fees(contract) === books.fees(contract), 'fees are what trades say', () => `the chain has other fees of ${code} than the trades come to`)
    verdict.holds(chain.inWallets(contract) + chain.books.held(contract) === world.supply(contract), 'conservation', () => `there is more or less ${code} than there was`)
  }
  const settled = new Map<string, bigint>()
  for (const { current, actor } of posts) {
    if (current === undefined || !isVault(current.machine)) continue
    for (const account of current.machine.state.accounts.values()) {
      for (const [asset, balance] of account.balances) {
        settled.set(`${account.id} ${asset}`, balance.settled)
        verdict.holds(balance.pendingIn === 0n && balance.pendingOut === 0n, 'everything settles', () => `${actor} still waits for trades to settle`)
      }
    }
  }
  for (const account of accounts) {
    for (const { contract, code } of venue.assets) {
      const key = `${account} ${contract}`
      const [onChain, inVault, inBooks] = [chain.books.balance(account, contract), settled.get(key) ?? 0n, owned.get(key) ?? 0n]
      verdict.holds(onChain === inBooks, 'everything settles once', () => `the chain has ${onChain - inBooks} ${code} of an account more than its trades, deposits and withdrawals come to`)
      verdict.holds(onChain === inVault, 'balances equal the chain', () => `a vault actor has ${inVault - onChain} ${code} of an account more than the chain`)
    }
  }
  for (const id of books.unsettled) verdict.broken('everything settles', `trade ${id} was never reported settled to one of its sides`)
}

/** What the contract was asked for and has not paid is what vault actors know of, no more and no less. */
function checkLeaving({ chain, posts, circumstances }: World): void {
  const asked = new Map(chain.books.exits.map(({ account, asset, amount }) => [`${account} ${asset}`, amount]))
  for (const { actor, current } of posts) {
    if (current === undefined || !isVault(current.machine)) continue
    for (const [account, exits] of current.machine.state.exits) {
      for (const exit of exits.values()) {
        const key = `${account} ${exit.asset}`
        circumstances.verdict.holds(asked.get(key) === exit.asked, LEAVING, () => `${actor} holds for an exit what the contract was not asked for`)
        asked.delete(key)
      }
    }
  }
  circumstances.verdict.holds(asked.size === 0, LEAVING, () => 'the contract was asked for money that no vault actor knows of')
}

/** What clients were told is what is. */
function checkAnswers(world: World): void {
  for (const message of world.traders.messages) if (message.answer !== null && 'ok' in message.answer && message.command.kind === 'place') checkOrder(world, message, message.answer.ok as OrderState | PairOutcome)
}

function checkOrder(world: World, { command, vault }: ClientMessage, told: OrderState | PairOutcome): void {
  const { verdict } = world.circumstances
  verdict.holds(world.books.placed(command.id), 'every acknowledged order exists', () => `an order that was acknowledged was never sent to its market`)
  const owner = world.post(vault).current
  if (owner === undefined || !isVault(owner.machine)) return
  const { machine, observed } = owner
  const order = machine.state.orders.get(command.id)
  // Forgotten, as it may be once its message has expired.
  if (order === undefined) return verdict.holds(command.expires * 1_000 < observed.time, 'every acknowledged order exists', () => `${vault} has forgotten an order that was acknowledged`)
  verdict.holds(order.filledLots >= told.filledLots, 'answers hold', () => `${vault} has fewer lots of an order filled than its owner was told`)
  const closed = told.reason !== null
  verdict.holds(!closed || (order.reason === told.reason && order.filledLots === told.filledLots), 'answers hold', () => `an order that was told to be ${told.status} is ${order.status}`)
}
