import { orderMessage, signRequest } from '../src/client/messages.ts'
import type { SignedRequest } from '../src/client/messages.ts'
import { SecretSigner } from '../src/client/secretSigner.ts'
import type { LocalVenue } from '../scripts/venue/localVenue.ts'
import type { LocalTrader } from '../scripts/venue/trader.ts'

const LIFETIME_s = 3_600
const MIDDLE_TICKS = 1_000
const SPREAD_TICKS = 10
const TICK = 10_000

/** A seeded generator (xorshift32), so that every run sends the same orders. */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

let runs = 0

/**
 * Bodies of POST /api/v1/orders, in turn by every trader: half of them rest up to ten ticks away from the middle, half cross it far
 * enough to take what rests there.
 */
export async function signOrders(venue: LocalVenue, traders: readonly LocalTrader[], markets: readonly (readonly [string, string])[], count: number): Promise<string[]> {
  const random = seeded(++runs)
  const { passphrase, vault, assets } = venue.deployment
  const contractOf = (code: string): string => assets.find((asset) => asset.code === code)?.contract ?? ''
  const bindings = markets.map(([base, quote]) => ({ name: `${base}-${quote}`, base: contractOf(base), quote: contractOf(quote) }))
  const signers = traders.map((trader) => new SecretSigner(trader.key.secret()))
  const expires = Math.floor(Date.now() / 1000) + LIFETIME_s
  const requests: SignedRequest[] = []
  for (let i = 0; i < count; i++) {
    const signer = signers[i % signers.length] as SecretSigner
    const market = bindings[random(bindings.length)] as (typeof bindings)[number]
    const side = random(2) === 0 ? 'buy' : 'sell'
    const away = 1 + random(SPREAD_TICKS)
    const crosses = random(2) === 0
    const ticks = MIDDLE_TICKS + (crosses === (side === 'buy') ? away : -away)
    const quantity = `0.${1 + random(9)}`
    const order = { side, type: 'limit', price: String(ticks / TICK), quantity, timeInForce: 'GTC' } as const
    requests.push(await signRequest(orderMessage({ network: passphrase, vault, account: signer.address }, market, order, { expires, nonce: `${runs}-${i}` }), signer))
  }
  return requests.map((request) => JSON.stringify(request))
}
