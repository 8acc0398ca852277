/** Headers that any answer may carry. */
export const answerHeaders = {
  'RateLimit-Policy': { description: 'The limit that this request was counted by', schema: { type: 'string' } },
  RateLimit: { description: 'What is left of it (r), and in how many seconds it is whole again (t)', schema: { type: 'string' } },
  'Retry-After': { description: 'Seconds to wait before the next try, where it is worth one', schema: { type: 'string', pattern: '^[1-9][0-9]*$' } },
} as const
