import { leaseKey, readHolder, readNodes } from '../../actors/placement/keys.ts'
import { setPin } from '../../actors/placement/pins.ts'
import type { MarketName, MarketState } from '../../protocol/identity.ts'
import { pairActor } from '../../protocol/subjects.ts'
import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { setState } from '../marketControl.ts'
import { Operation } from '../operation.ts'

const moved_ms = 60_000

const stateText: Readonly<Record<MarketState, string>> = { open: 'open', cancelOnly: 'taking cancels only', halted: 'halted' }

/** What a market can be told to be. */
const states: Readonly<Record<string, MarketState>> = { halt: 'halted', 'cancel-only': 'cancelOnly', open: 'open' }

/** `darkpool pair move MARKET NODE`, `darkpool pair free MARKET`: where a market is matched. `halt`, `cancel-only`, `open MARKET`: what it takes. */
export const pair: Command = async ({ args: { words }, place, say }) => {
  const [what = '', market, node] = words
  const wanted = Object.hasOwn(states, what) ? states[what] : undefined
  if (market === undefined || !((what === 'move' && words.length === 3) || ((what === 'free' || wanted !== undefined) && words.length === 2))) {
    throw new UsageFault('darkpool pair takes move MARKET NODE; or free, halt, cancel-only or open MARKET')
  }
  const operation = await Operation.open(place)
  try {
    const { venue, store } = operation
    if (!venue.markets.has(market as MarketName)) throw new UsageFault(`there is no market ${market}; there is ${[...venue.markets.keys()].join(', ')}`)
    if (wanted !== undefined) {
      const { state } = await setState(operation, market as MarketName, wanted)
      return { text: `${market} is ${stateText[state]}`, json: { market, state } }
    }
    const actor = pairActor(market as MarketName)
    if (node === undefined) {
      await setPin(store, actor, null)
      return { text: `${market} goes where it belongs`, json: { market, pin: null } }
    }
    const entries = await store.read()
    const able = readNodes(entries).filter(({ actors, leaving }) => !leaving && actors.includes(actor))
    if (!able.some((candidate) => candidate.node === node)) {
      throw new Error(`no node ${node} is there that may run ${actor}; there is ${able.map((candidate) => candidate.node).join(', ') || 'none'}`)
    }
    const from = readHolder(entries.get(leaseKey(actor)))?.node ?? null
    if (from === node) {
      await setPin(store, actor, node)
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
    await setPin(store, actor, node)
    const status = await running
    if (status === null) throw new Error(`${market} does not run on ${node} after ${moved_ms / 1_000} s; \`darkpool status\` shows who has it`)
    const took_ms = Math.round(performance.now() - began)
    return { text: `${market} runs on ${node}, epoch ${status.epoch}, after ${took_ms} ms`, json: { market, from, to: node, epoch: status.epoch, took_ms } }
  } finally {
    await operation.close()
  }
}
