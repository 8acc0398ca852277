import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import packageFile from '../../../package.json' with { type: 'json' }
import type { Gateway } from '../gateway.ts'
import { NoQuery } from '../schemas.ts'

const text = Type.String()
const Measurements = Type.Object({ mrtd: text, rtmr0: text, rtmr1: text, rtmr2: text, rtmr3: text })
const Enclave = Type.Object({
  kind: Type.String({ description: 'dstack, or development: a machine without hardware, whose evidence nobody accepts who was not told to' }),
  appId: text,
  instanceId: text,
  composeHash: text,
  osImageHash: Type.Union([text, Type.Null()]),
  measurements: Measurements,
})
const Answer = Type.Object({
  version: text,
  node: text,
  venue: text,
  network: text,
  vault: text,
  enclave: Type.Union([Enclave, Type.Null()], { description: 'What runs in the enclave, as it says itself: the evidence proves it. null where there is none' }),
})
const schema = { summary: 'Versions, and what is measured of the enclave', codes: ['evidence_unavailable'], querystring: NoQuery, response: { 200: Answer } } as const

/** GET /api/v1/info: what runs here. Public. */
export const infoRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { venue, network, vault } = gateway.venue.file
  const versions = { version: packageFile.version, node: process.versions.node }
  app.get('/api/v1/info', { schema }, async () => ({ ...versions, venue, network: network.passphrase, vault: vault.contract, enclave: await gateway.evidence.info() }))
  done()
}
