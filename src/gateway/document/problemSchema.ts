import { Type } from 'typebox'
import type { ErrorCode } from '../../protocol/errors.ts'
import { AmendShape, CancelShape } from '../schemas.ts'

/** RFC 9457, with the codes that may stand in it. An order that a refusal is about is shown as it was found. */
export const problemSchema = (status: number, codes: readonly ErrorCode[]) => ({
  type: 'object',
  properties: {
    type: { enum: codes.map((code) => `urn:darkpool:error:${code}`) },
    title: Type.String(),
    status: { const: status },
    code: { enum: codes },
    detail: Type.String({ description: 'The member or limit at fault, never its value' }),
    requestId: Type.String({ minLength: 1 }),
    order: { anyOf: [AmendShape, CancelShape] },
  },
  required: ['type', 'title', 'status', 'code', 'requestId'],
  additionalProperties: false,
})
