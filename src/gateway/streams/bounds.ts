/** Times and bounds of streams: a test makes them small. */
export interface StreamBounds {
  readonly heartbeat_ms: number
  readonly silent_ms: number
  readonly idle_ms: number
  readonly bufferedBytes: number
  readonly perAccount: number
}

export const streamTimes = { heartbeat_ms: 15_000, silent_ms: 45_000, idle_ms: 60_000 } as const
