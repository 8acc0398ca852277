/** Where a caller stands with a rate limit after a request was counted, or refused for it. */
export interface Allowance {
  readonly policy: { readonly name: string; readonly header: string }
  readonly left: number
  /** Until the limit is whole again; for a refusal, until the next request may pass. */
  readonly seconds: number
  readonly refused: boolean
}

/** Whoever is told of every limit that a request was counted by, the last that applies last. */
export interface Counted {
  counted(allowance: Allowance): void
}
