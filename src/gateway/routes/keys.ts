import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import { Refusal } from '../../protocol/errors.ts'
import type { AccountId, MarketName, Milliseconds, Seconds } from '../../protocol/identity.ts'
import type { DelegateMessage } from '../../protocol/messages/delegate.ts'
import { readMessage, SignedRequest } from '../../protocol/messages/message.ts'
import type { KeyState } from '../../protocol/vault.ts'
import { keyView } from '../../protocol/view.ts'
import type { Gateway } from '../gateway.ts'
import { HttpCaller } from '../httpCaller.ts'
import { KeyParameters, KeyShape, NoQuery } from '../schemas.ts'
import type { Prepared, SignedBody } from '../submission.ts'

const delegating = {
  summary: 'Let another key act for the account', action: 'delegate', codes: ['market_unknown', 'account_unknown', 'keys_exceeded', 'until_out_of_range', 'chain_diverged'],
  body: SignedRequest, querystring: NoQuery, response: { 200: KeyShape },
} as const
const revoking = { summary: 'Take back what a key may do', action: 'revoke', codes: ['key_mismatch', 'key_unknown'], body: SignedRequest, params: KeyParameters, querystring: NoQuery, response: { 200: KeyShape } } as const
const listing = { summary: 'The keys that may act for the caller’s account', querystring: NoQuery, response: { 200: Type.Object({ keys: Type.Array(KeyShape) }) } } as const

const view = (key: KeyState) => keyView(key, Date.now() as Milliseconds)
const shown: Prepared['show'] = (value) => ({ status: 200, body: view(value as KeyState) })

/**
 * POST /api/v1/keys: a signed delegation. DELETE /api/v1/keys/:key: a signed revocation. GET /api/v1/keys: what has been delegated and not revoked. The same message
 * again changes nothing, and is answered with the key as it stands.
 */
export const keyRoutes: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { binding, submission } = gateway
  app.post<{ Body: SignedBody }>('/api/v1/keys', { schema: delegating }, (request, reply) => {
    const message = readMessage('delegate', request.body.message)
    const { key, scope, market } = delegated(message, gateway)
    const expires = binding.check(message, null, Date.now())
    const account = message.account as AccountId
    const until = Number(message.until) as Seconds
    submission.submit(request.body, { make: (id, signer) => ({ kind: 'delegate', id, account, signer, key, scope, market, until, expires }), show: shown }, new HttpCaller(reply))
  })
  app.delete<{ Body: SignedBody; Params: { key: string } }>('/api/v1/keys/:key', { schema: revoking }, (request, reply) => {
    const message = readMessage('revoke', request.body.message)
    if (message.key !== request.params.key) throw new Refusal('key_mismatch')
    const expires = binding.check(message, null, Date.now())
    submission.submit(request.body, { make: (id, signer) => ({ kind: 'revoke', id, account: message.account as AccountId, signer, key: message.key as AccountId, expires }), show: shown }, new HttpCaller(reply))
  })
  app.get('/api/v1/keys', { schema: listing, onRequest: app.authenticate }, async (request) => {
    const keys = await gateway.read<KeyState[]>({ kind: 'keys', account: request.account })
    return { keys: keys.map(view) }
  })
  done()
}

/** What the vault actor would refuse too, said before a signature is looked at. @throws Refusal message_malformed, market_unknown */
function delegated({ account, key, scope, market }: DelegateMessage, { keys, venue }: Gateway) {
  if (key === account || keys.publicKey(key) === undefined) throw new Refusal('message_malformed', 'key')
  const only = market === 'all' ? null : (market as MarketName)
  if (only !== null && scope === 'read') throw new Refusal('message_malformed', 'market')
  if (only !== null && !venue.markets.has(only)) throw new Refusal('market_unknown')
  return { key: key as AccountId, scope, market: only }
}
