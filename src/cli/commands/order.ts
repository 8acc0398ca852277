import type { Minimum, NewOrder, Prevention, Resting, Validity } from '../../client/messages.ts'
import { clientOrderId, decimal, duration_s, words } from '../arguments.ts'
import type { Arguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { orderText } from '../text.ts'

/** `darkpool order`: a limit order. `darkpool market`: one that trades at once, at a worst price or for what to spend. */
export const placeOrder: Command = async ({ args, place }) => {
  const [sideWord, market] = words(args, ['buy|sell', 'MARKET'])
  const side = sideOf(sideWord)
  const order = args.command === 'market' ? marketOrder(side, args.options) : limitOrder(side, args.options)
  const { 'client-id': id } = args.options
  const validity = { ...expiry(args.options.expires), ...(id === undefined ? {} : { nonce: clientOrderId(id) }) }
  const client = await place.client()
  const view = await client.placeOrder(market, order, validity)
  return { text: orderText(view), json: view }
}

function limitOrder(side: 'buy' | 'sell', options: Arguments['options']): NewOrder {
  const { quantity, price, tif = 'GTC', spend } = options
  if (spend !== undefined) throw new UsageFault('--spend belongs to `darkpool market buy`')
  if (tif !== 'GTC' && tif !== 'GTD' && tif !== 'IOC' && tif !== 'FOK') throw new UsageFault(`--tif ${tif}: GTC, GTD, IOC or FOK`)
  return { side, type: 'limit', price: decimal('price', price), quantity: decimal('quantity', quantity), timeInForce: tif, ...resting(options), ...minimum(options), ...prevention(options) }
}

function marketOrder(side: 'buy' | 'sell', options: Arguments['options']): NewOrder {
  const { quantity, price, tif = 'IOC', spend } = options
  if (options['post-only'] === true || options['all-or-none'] === true) throw new UsageFault('--post-only and --all-or-none are for orders that rest: `darkpool order`')
  if (spend !== undefined) {
    const bounded = quantity !== undefined || price !== undefined || options.minimum !== undefined || options['minimum-per'] !== undefined || options['return-remainder'] === true
    if (side !== 'buy' || bounded || tif !== 'IOC') throw new UsageFault('--spend stands alone, and only with buy')
    return { side, type: 'market', spend: decimal('spend', spend), timeInForce: 'IOC', ...prevention(options) }
  }
  if (tif !== 'IOC' && tif !== 'FOK') throw new UsageFault(`--tif ${tif}: a market order is IOC or FOK`)
  return { side, type: 'market', price: decimal('price', price), quantity: decimal('quantity', quantity), timeInForce: tif, ...minimum(options), ...prevention(options) }
}

/** Members are left out unless asked for: a message has one spelling. */
function resting(options: Arguments['options']): Resting {
  return { ...(options['post-only'] === true ? { postOnly: 'true' } : {}), ...(options['all-or-none'] === true ? { allOrNone: 'true' } : {}) }
}

function minimum({ minimum: least, 'minimum-per': per, 'return-remainder': returned }: Arguments['options']): Minimum {
  if (per !== undefined && per !== 'execution' && per !== 'counterparty') throw new UsageFault(`--minimum-per ${per}: execution or counterparty`)
  return {
    ...(least === undefined ? {} : { minimum: decimal('minimum', least) }),
    ...(per === 'counterparty' ? { minimumPer: per } : {}),
    ...(returned === true ? { remainder: 'return' } : {}),
  }
}

const modes = { newest: 'cancelNewest', oldest: 'cancelOldest', both: 'cancelBoth', decrement: 'decrement' } as const

function prevention({ 'self-trade': mode }: Arguments['options']): Prevention {
  if (mode === undefined) return {}
  if (!Object.hasOwn(modes, mode)) throw new UsageFault(`--self-trade ${mode}: newest, oldest, both or decrement`)
  return { selfTrade: modes[mode as keyof typeof modes] }
}

function sideOf(word: string): 'buy' | 'sell' {
  if (word !== 'buy' && word !== 'sell') throw new UsageFault(`${word}: buy or sell`)
  return word
}

export function expiry(text: string | undefined): Partial<Validity> {
  return text === undefined ? {} : { expires: Math.floor(Date.now() / 1000) + duration_s('expires', text) }
}
