import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import type { Gateway } from '../gateway.ts'
import { webOrigin } from '../session.ts'

/** GET /.well-known/stellar.toml (SEP-1): where wallets find the login and the key that signs its challenges. */
export const stellarTomlRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { network, gateway: own } = gateway.venue.file
  const text = [
    ['VERSION', '2.7.0'],
    ['NETWORK_PASSPHRASE', network.passphrase],
    ['SIGNING_KEY', gateway.signingKey],
    ['WEB_AUTH_ENDPOINT', `${webOrigin(own.homeDomain)}/auth`],
  ]
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`)
    .join('')
  const schema = { summary: 'SEP-1: where wallets log in', produces: 'text/plain', response: { 200: Type.String() } }
  app.get('/.well-known/stellar.toml', { schema }, (_request, reply) => {
    void reply.type('text/plain; charset=utf-8').header('access-control-allow-origin', '*').send(text)
  })
  done()
}
