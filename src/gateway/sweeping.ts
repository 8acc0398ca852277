import { Refusal } from '../protocol/errors.ts'
import type { AccountId, MarketName } from '../protocol/identity.ts'
import { readMessage } from '../protocol/messages/message.ts'
import type { SweepState } from '../protocol/vault.ts'
import type { Venue } from '../protocol/venue.ts'
import type { Binding } from './binding.ts'
import type { Prepared, SignedBody } from './submission.ts'

/**
 * A signed cancel-all, of one market or of all: 200 when every market has answered, with how many orders came back and which markets were halted; 202 where some
 * have yet to say, which a repeated message can find.
 * @throws Refusal
 */
export function prepareSweeping(venue: Venue, binding: Binding, body: SignedBody): Prepared {
  const message = readMessage('cancelAll', body.message)
  const market = message.market === 'all' ? null : (message.market as MarketName)
  if (market !== null && !venue.markets.has(market)) throw new Refusal('market_unknown')
  const expires = binding.check(message, null, Date.now())
  return {
    make: (id, signer) => ({ kind: 'cancelAll', id, account: message.account as AccountId, signer, market, expires }),
    show: (value) => {
      const { id, cancelled, markets, halted } = value as SweepState
      return { status: markets.length === 0 ? 200 : 202, body: { id, cancelled, waiting: markets, halted } }
    },
  }
}
