/** What a load client's process is to do: send all bodies, in this order, one at a time on each connection, and wait for every answer. */
export type LoadPlan = HttpLoad | StreamLoad | NatsLoad

interface Load {
  /** Request bodies as for POST /api/v1/orders, or for the path given. */
  readonly bodies: readonly string[]
  /**
   * Requests a second, evenly spaced (open loop); 0: each connection sends as soon as it may (closed loop). In an open loop the time of a request counts from
   * when it was due, so that one which had to wait for a connection, or for a venue that stood still, is not counted as quick.
   */
  readonly rate_s: number
}

export interface HttpLoad extends Load {
  readonly over: 'http'
  readonly url: string
  readonly path: string
  readonly connections: number
}

/** Orders over WebSockets. */
export interface StreamLoad extends Load {
  readonly over: 'stream'
  readonly url: string
  readonly connections: number
}

/** Orders by request over NATS: a connection for each trader, who sends only its own. Body n is trader n's, in turn. */
export interface NatsLoad extends Load {
  readonly over: 'nats'
  readonly servers: readonly string[]
  readonly venue: string
  readonly secrets: readonly string[]
}

export interface LoadResult {
  readonly answered: number
  /** Answers other than 200, 201 and 202. */
  readonly refused: number
  readonly elapsed_s: number
  readonly p50_ms: number
  readonly p99_ms: number
  /** CPU time of the client's process while it sent. */
  readonly cpu_s: number
}
