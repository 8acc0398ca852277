import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { isAddress } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import { Account, Key } from '../../protocol/messages/members.ts'
import type { Gateway } from '../gateway.ts'
import type { Terms, Verdict } from '../login/challenge.ts'

const closed = { additionalProperties: false }
const OnBehalfOf = Type.Optional({ ...Account, description: 'The account for which `account`, a key that it has delegated or named on chain, is to read' })
/** `client_domain` is a wallet's wish that a server need not follow (SEP-10), so it is taken and ignored. */
const Ask = Type.Object({ account: Key, on_behalf_of: OnBehalfOf, home_domain: Type.Optional(Type.String()), client_domain: Type.Optional(Type.String()) }, closed)
const Answer = Type.Object({ transaction: Type.String({ minLength: 1, maxLength: limits.requestBytes }) }, closed)
const challengeSchema = { summary: 'A SEP-10 challenge for an account, or for a key that acts for one', codes: ['venue_not_ready', 'venue_overloaded', 'internal_error'], querystring: Ask, response: { 200: Type.Object({ transaction: Type.String(), network_passphrase: Type.String() }) } } as const
const tokenSchema = { summary: 'A token for a signed challenge', codes: ['challenge_invalid', 'signer_not_allowed', 'account_unavailable', 'venue_not_ready', 'venue_overloaded', 'internal_error'], body: Answer, response: { 200: Type.Object({ token: Type.String() }) } } as const

const challengeFile = new URL('../login/challenge.ts', import.meta.url).href

/** GET /auth gives a SEP-10 challenge, POST /auth takes it back signed and gives a token: by an account's own key, or on its behalf by one that it has delegated, or named on chain. */
export const authRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { venue, admission, access, keys, signatures, challengeSeed } = gateway
  const terms: Terms = { seed: challengeSeed, homeDomain: venue.file.gateway.homeDomain, passphrase: venue.file.network.passphrase }

  // A challenge that is none: whoever logs in first need not wait for the SDK, nor the orders beside it.
  app.addHook('onReady', () => signatures.load({ terms, transaction: '' }, challengeFile, 'check'))

  async function inThread<Task, Result>(task: Task, name: string): Promise<Result> {
    admission.enter()
    try {
      return await signatures.run<Task, Result>(task, challengeFile, name)
    } finally {
      admission.leave()
    }
  }

  app.get<{ Querystring: Static<typeof Ask> }>('/auth', { schema: challengeSchema }, async (request) => {
    const { account, on_behalf_of: onBehalfOf = null, home_domain } = request.query
    if (keys.publicKey(account) === undefined) throw new Refusal('request_malformed', 'account')
    if (onBehalfOf !== null && (onBehalfOf === account || !isAddress(onBehalfOf))) throw new Refusal('request_malformed', 'on_behalf_of')
    if (home_domain !== undefined && home_domain !== terms.homeDomain) throw new Refusal('request_malformed', 'home_domain')
    const transaction = await inThread<unknown, string>({ terms, account, onBehalfOf }, 'issue')
    return { transaction, network_passphrase: terms.passphrase }
  })

  // SEP-10 lets wallets choose either form.
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, parsed) => {
    parsed(null, Object.fromEntries(new URLSearchParams(body as string)))
  })
  app.post<{ Body: Static<typeof Answer> }>('/auth', { schema: tokenSchema }, async (request) => {
    const verdict = await inThread<unknown, Verdict>({ terms, transaction: request.body.transaction }, 'check')
    if (verdict === null) throw new Refusal('challenge_invalid')
    const account = verdict.account as AccountId
    if (verdict.key === null) return { token: app.issueToken(account, verdict.id) }
    const { key, until } = await access.checkNow(account, verdict.key as AccountId)
    return { token: app.issueToken(account, verdict.id, { key, until }) }
  })
  done()
}
