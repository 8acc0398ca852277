import { leaseKey, readHolder, readNodes, readPin } from '../../actors/placement/keys.ts'
import type { MarketName, MarketState } from '../../protocol/identity.ts'
import type { MarketStatus } from '../../protocol/pair.ts'
import { pairActor } from '../../protocol/subjects.ts'
import type { Command, Outcome, Surroundings } from '../command.ts'
import { Unanswered, UsageFault } from '../fault.ts'
import { setState } from '../marketControl.ts'
import { openOperation } from '../openOperation.ts'
import { heard } from '../operation.ts'
import { table } from '../table.ts'

const moved_ms = 60_000

const stateText: Readonly<Record<MarketState, string>> = { open: 'open', cancelOnly: 'taking cancels only', halted: 'halted' }

/** What a market can be told to be: what was halted is resumed, or opened. */
const states: Readonly<Record<string, MarketState>> = { halt: 'halted', 'cancel-only': 'cancelOnly', open: 'open', resume: 'open' }

/**
 * `darkpool pair list`: every market. `darkpool pair move MARKET NODE`, `darkpool pair free MARKET`: where a market is matched. `halt`, `cancel-only`, `open` or
 * `resume MARKET`: what it takes.
 */
export const pair: Command = async (surroundings) => {
  const { args, say } = surroundings
  const { words } = args
  if (words[0] === 'list' && words.length === 1) return list(surroundings)
  const [what = '', market, node] = words
  const wanted = Object.hasOwn(states, what) ? states[what] : undefined
  if (market === undefined || !((what === 'move' && words.length === 3) || ((what === 'free' || wanted !== undefined) && words.length === 2))) {
    throw new UsageFault('darkpool pair takes list; move MARKET NODE; or free, halt, cancel-only, open or resume MARKET')
  }
  const operation = await openOperation(surroundings)
  try {
    const { venue } = operation
    if (!venue.markets.has(market as MarketName)) throw new UsageFault(`there is no market ${market}; there is ${[...venue.markets.keys()].join(', ')}`)
    if (wanted !== undefined) {
      const { state } = await setState(operation, market as MarketName, wanted)
      return { text: `${market} is ${stateText[state]}`, json: { market, state } }
    }
    const actor = pairActor(market as MarketName)
    if (node === undefined) {
      await operation.pin(actor, null)
      return { text: `${market} goes where it belongs`, json: { market, pin: null } }
    }
    const entries = await operation.placement()
    const able = readNodes(entries).filter(({ actors, leaving }) => !leaving && actors.includes(actor))
    if (!able.some((candidate) => candidate.node === node)) {
      throw new Error(`no node ${node} is there that may run ${actor}; there is ${able.map((candidate) => candidate.node).join(', ') || 'none'}`)
    }
    const from = readHolder(entries.get(leaseKey(actor)))?.node ?? null
    if (from === node) {
      await operation.pin(actor, node)
      return { text: `${market} is on ${node} already, and stays there`, json: { market, from, to: node, took_ms: 0 } }
    }
    say(`${market}: ${from ?? 'nobody'} finishes what it has, then ${node} goes on …`)
    const began = performance.now()
    let last = ''
    const running = operation.until((status) => {
      if (status.actor !== actor) return false
      const word = `  ${status.node} ${status.state}`
      if (word !== last) say((last = word))
      return status.node === node && status.state === 'running'
    }, moved_ms)
    await operation.pin(actor, node)
    const status = await running
    if (status === null) throw new Error(`${market} does not run on ${node} after ${moved_ms / 1_000} s; \`darkpool status\` shows who has it`)
    const took_ms = Math.round(performance.now() - began)
    return { text: `${market} runs on ${node}, epoch ${status.epoch}, after ${took_ms} ms`, json: { market, from, to: node, epoch: status.epoch, took_ms } }
  } finally {
    await operation.close()
  }
}

/** What each market takes and where it is matched. One that does not answer keeps none of the others from being shown. */
async function list(surroundings: Surroundings): Promise<Outcome> {
  const operation = await openOperation(surroundings)
  try {
    const { venue } = operation
    const markets = [...venue.markets.values()]
    const [answers, entries, statuses] = await Promise.all([
      Promise.all(markets.map(({ name }) => heard<MarketStatus>(operation, pairActor(name), { kind: 'market' }))),
      operation.placement(),
      operation.statuses(),
    ])
    const rows = markets.map((market, at) => {
      const [actor, said] = [pairActor(market.name), answers[at] ?? null]
      return {
        market: market.name,
        state: said?.state ?? null,
        lowPrice: said && market.formatPrice(said.lowTicks),
        highPrice: said && market.formatPrice(said.highTicks),
        owner: readHolder(entries.get(leaseKey(actor)))?.node ?? null,
        pin: readPin(entries, actor) ?? null,
        actor: statuses.get(actor)?.state ?? 'silent',
      }
    })
    const outcome = {
      text: table(
        ['market', 'state', 'lowest price', 'highest price', 'owner', 'pin', 'actor'],
        rows.map(({ market, state, lowPrice, highPrice, owner, pin, actor }) => [market, state === null ? 'NO ANSWER' : stateText[state], lowPrice ?? '—', highPrice ?? '—', owner ?? '—', pin ?? '—', actor]),
      ),
      json: { markets: rows },
    }
    const silent = rows.filter(({ state }) => state === null).map(({ market }) => market)
    if (silent.length === 0) return outcome
    surroundings.show(outcome)
    throw new Unanswered(`no answer from ${silent.join(', ')}`)
  } finally {
    await operation.close()
  }
}
