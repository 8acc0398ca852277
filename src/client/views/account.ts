/** A dead-man timer of one key. */
export interface DeadManView {
  readonly signer: string
  /** Seconds; 0 where it does not run. */
  readonly timeout: number
  /** When the orders are taken back, by the venue's clock. */
  readonly deadline: string | null
  /** Markets that have yet to hear of it. */
  readonly waiting: readonly string[]
}

/** What an account has of one asset, in whole units as decimals. */
export interface BalanceView {
  readonly asset: string
  readonly contract: string
  readonly settled: string
  readonly pending: string
  readonly reserved: string
  readonly available: string
}
