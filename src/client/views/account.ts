/** What an account has of one asset, in whole units as decimals. */
export interface BalanceView {
  readonly asset: string
  readonly contract: string
  readonly settled: string
  readonly pending: string
  readonly reserved: string
  readonly available: string
}
