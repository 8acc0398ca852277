import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import { AttestationEvidence } from '../../protocol/attestation.ts'
import { Digest } from '../../protocol/messages/members.ts'
import type { Gateway } from '../gateway.ts'

const Query = Type.Object({ nonce: { ...Digest, description: '32 bytes of the asker’s choice, in hexadecimal: the quote is made for them' } }, { additionalProperties: false })
const schema = { summary: 'Evidence of the enclave, made for the asker’s nonce', codes: ['evidence_absent', 'evidence_unavailable'], querystring: Query, response: { 200: AttestationEvidence } } as const

/** GET /api/v1/attestation: what proves which code has the venue's keys, the one of this very connection included. Public. */
export const attestationRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get<{ Querystring: { nonce: string } }>('/api/v1/attestation', { schema }, async (request, reply) => {
    void reply.header('cache-control', 'no-store')
    return gateway.evidence.of(request.query.nonce)
  })
  done()
}
