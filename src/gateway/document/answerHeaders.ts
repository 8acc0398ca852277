/** Headers that any answer may carry. */
export const answerHeaders = {
  'Retry-After': { description: 'Seconds to wait before the next try, where it is worth one', schema: { type: 'string', pattern: '^[1-9][0-9]*$' } },
} as const
