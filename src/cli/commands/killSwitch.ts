import type { MarketName, MarketState } from '../../protocol/identity.ts'
import type { Command } from '../command.ts'
import { Unanswered, UsageFault } from '../fault.ts'
import { setState, takeOrders } from '../marketControl.ts'
import { openOperation } from '../openOperation.ts'
import type { Operation } from '../operation.ts'
import { table } from '../table.ts'

interface Told {
  readonly market: MarketName
  /** null where it did not answer, or not to the end. */
  readonly state: MarketState | null
  readonly cancelled: number | null
}

/** `darkpool kill-switch on [--cancel-orders]`: halts every market at once. `off` opens every one. Withdrawals are the vault actors', and go on. */
export const killSwitch: Command = async ({ args, place, show, say }) => {
  const [word, ...more] = args.words
  const cancels = args.options['cancel-orders'] === true
  if ((word !== 'on' && word !== 'off') || more.length > 0 || (cancels && word === 'off')) throw new UsageFault('darkpool kill-switch takes on, also with --cancel-orders, or off')
  const operation = await openOperation({ args, place, say })
  try {
    const markets = [...operation.venue.markets.keys()]
    const told = await Promise.all(markets.map((market) => tell(operation, market, word === 'on' ? 'halted' : 'open', cancels)))
    const silent = told.filter(({ state }) => state === null).map(({ market }) => market)
    const text = table(['market', 'state', ...(cancels ? ['orders taken out'] : [])], told.map(({ market, state, cancelled }) => [market, state ?? 'NO ANSWER', ...(cancels ? [String(cancelled ?? '—')] : [])]))
    const outcome = { text, json: { markets: told } }
    if (silent.length === 0) return outcome
    show(outcome)
    throw new Unanswered(`no answer from ${silent.join(', ')}`)
  } finally {
    await operation.close()
  }
}

/** One market's silence keeps none of the others from being told. */
async function tell(operation: Operation, market: MarketName, state: MarketState, cancels: boolean): Promise<Told> {
  try {
    const now = await setState(operation, market, state)
    return { market, state: now.state, cancelled: cancels ? await takeOrders(operation, market) : null }
  } catch (error) {
    if (error instanceof Unanswered) return { market, state: null, cancelled: null }
    throw error
  }
}
