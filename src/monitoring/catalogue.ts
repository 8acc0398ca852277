/**
 * Every metric that a process of a venue may show, with its unit: docs/operations/metrics.md says the same, and a test holds it to that.
 *
 * Of a venue's business nothing is told apart but the market. `actor` is a name of the venue file. What belongs to a trader (account, key, order, price, quantity)
 * has no label, so that no mistake can put it into one.
 */
export type MetricLabel = 'market' | 'actor'

export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** Of its value, in words; `1`: yes or no. */
  readonly unit: string
  readonly labels: readonly MetricLabel[]
  readonly help: string
  /** Upper bounds of a histogram, in its unit. */
  readonly buckets?: readonly number[]
}

const none = [] as const
const market = ['market'] as const
const actor = ['actor'] as const
const quick_s = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

export const catalogue = {
  // Every process
  darkpool_process_start_time_seconds: { type: 'gauge', unit: 'Unix seconds', labels: none, help: 'When the process started' },
  darkpool_process_cpu_seconds_total: { type: 'counter', unit: 'seconds', labels: none, help: 'Processor time of all its threads' },
  darkpool_process_resident_memory_bytes: { type: 'gauge', unit: 'bytes', labels: none, help: 'Memory of the whole process' },
  darkpool_process_heap_bytes: { type: 'gauge', unit: 'bytes', labels: none, help: 'JavaScript heap in use of its main thread' },
  darkpool_process_event_loop_lag_seconds: { type: 'gauge', unit: 'seconds', labels: none, help: 'Longest time that its main thread was held up, in the last 10 to 20 seconds' },
  darkpool_process_clock_shift_seconds: { type: 'gauge', unit: 'seconds', labels: none, help: 'How far the clock of the machine has been set, forward or back, since the process started' },
  darkpool_process_nats_connected: { type: 'gauge', unit: '1', labels: none, help: 'Whether it is connected to NATS' },

  // Markets
  darkpool_orders_total: { type: 'counter', unit: 'orders', labels: market, help: 'Orders that this gateway passed on and the venue took' },
  darkpool_orders_refused_total: { type: 'counter', unit: 'orders', labels: market, help: 'Orders that were refused after this gateway had admitted them: signature, rate, funds, market' },
  darkpool_order_answer_seconds: { type: 'histogram', unit: 'seconds', labels: market, buckets: quick_s, help: 'From admitting an order to its answer: signature, reservation, matching, and the journals of both actors' },
  darkpool_matches_total: { type: 'counter', unit: 'trades', labels: market, help: 'Trades since the market began' },
  darkpool_open_orders: { type: 'gauge', unit: 'orders', labels: market, help: 'Orders that rest in the market' },
  darkpool_market_open: { type: 'gauge', unit: '1', labels: market, help: 'Whether the market matches orders: an operator may have halted it, or let it only cancel' },

  // The gateway
  darkpool_gateway_requests_total: { type: 'counter', unit: 'requests', labels: none, help: 'HTTP requests answered' },
  darkpool_gateway_requests_failed_total: { type: 'counter', unit: 'requests', labels: none, help: 'HTTP requests answered with a status of 500 or more: overload, an actor away, or a fault of ours' },
  darkpool_gateway_requests_in_flight: { type: 'gauge', unit: 'requests', labels: none, help: 'Requests of every way in that wait for an answer of an actor' },
  darkpool_gateway_signatures_waiting: { type: 'gauge', unit: 'signatures', labels: none, help: 'Signatures that no thread has begun to check' },
  darkpool_gateway_certificate_expiry_seconds: { type: 'gauge', unit: 'Unix seconds', labels: none, help: 'When the TLS certificate ends that the gateway serves; absent where it serves plain HTTP' },
  darkpool_actor_heard: { type: 'gauge', unit: '1', labels: actor, help: 'Whether this gateway has heard in the last 3 seconds that the actor runs, wherever that is' },
  darkpool_feed_streams: { type: 'gauge', unit: 'connections', labels: none, help: 'WebSocket streams that are open' },
  darkpool_feed_accounts_followed: { type: 'gauge', unit: 'accounts', labels: none, help: 'Accounts whose feed a stream follows' },
  darkpool_feed_nats_connections: { type: 'gauge', unit: 'connections', labels: none, help: 'Connections of traders to NATS, on all servers; absent where traders are not let in there' },

  // Actors
  darkpool_actor_running: { type: 'gauge', unit: '1', labels: actor, help: 'Whether the actor takes commands here: 0 while it replays, drains, or has failed' },
  darkpool_actor_restarts_total: { type: 'counter', unit: 'restarts', labels: actor, help: 'How often its thread ended and was started again' },
  darkpool_actor_records_total: { type: 'counter', unit: 'records', labels: actor, help: 'Records of its journal' },
  darkpool_actor_journal_bytes_total: { type: 'counter', unit: 'bytes', labels: actor, help: 'Bytes of its journal, written or replayed since it was started' },
  darkpool_actor_batch_inputs: { type: 'histogram', unit: 'inputs', labels: actor, buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500], help: 'Inputs in one record' },
  darkpool_actor_commit_seconds: { type: 'histogram', unit: 'seconds', labels: actor, buckets: quick_s, help: 'How long a record took to be stored, synced to disk' },
  darkpool_actor_backlog_inputs: { type: 'gauge', unit: 'inputs', labels: actor, help: 'Inputs that wait to be applied' },
  darkpool_actor_outbox_messages: { type: 'gauge', unit: 'messages', labels: actor, help: 'Messages to another actor that it has not acknowledged, of the one that leaves most' },
  darkpool_actor_feed_messages: { type: 'gauge', unit: 'messages', labels: actor, help: 'Messages of feeds or of a tape that are not stored' },
  darkpool_actor_journal_stalled: { type: 'gauge', unit: '1', labels: actor, help: 'Whether an append has waited for 3 seconds: the store is away, full, or very slow' },
  darkpool_actor_peers_behind: { type: 'gauge', unit: 'actors', labels: actor, help: 'Actors that do not take what this one sends' },
  darkpool_actor_peers_lost_records: { type: 'gauge', unit: 'actors', labels: actor, help: 'Actors that have lost what they had acknowledged' },
  darkpool_actor_clock_ahead_seconds: { type: 'gauge', unit: 'seconds', labels: actor, help: 'How far its own clock, which never goes back, is ahead of the machine’s' },
  darkpool_actor_event_loop_lag_seconds: { type: 'gauge', unit: 'seconds', labels: actor, help: 'Longest time that its thread was held up, in the last 10 to 20 seconds' },
  darkpool_actor_heap_bytes: { type: 'gauge', unit: 'bytes', labels: actor, help: 'JavaScript heap in use of its thread' },
  darkpool_vault_alarms_total: { type: 'counter', unit: 'alarms', labels: actor, help: 'Times that a vault actor’s books and the chain did not agree' },

  // Settlement
  darkpool_settlement_queued_trades: { type: 'gauge', unit: 'trades', labels: none, help: 'Trades that wait for a batch' },
  darkpool_settlement_aside_trades: { type: 'gauge', unit: 'trades', labels: none, help: 'Trades that the chain did not take, set aside while the others settle' },
  darkpool_settlement_lag_seconds: { type: 'gauge', unit: 'seconds', labels: none, help: 'How long the oldest trade has waited that is not settled; 0 where all are' },
  darkpool_settlement_batches_total: { type: 'counter', unit: 'batches', labels: none, help: 'Batches settled since the venue began' },
  darkpool_settlement_batch_trades: { type: 'histogram', unit: 'trades', labels: none, buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000], help: 'Trades in one settled batch' },
  darkpool_settlement_batch_accounts: { type: 'histogram', unit: 'accounts', labels: none, buckets: [2, 5, 10, 25, 50, 75, 100, 150, 250, 500, 1_000, 2_000], help: 'Accounts in one settled batch: what it costs by' },
  darkpool_settlement_batch_seconds: { type: 'histogram', unit: 'seconds', labels: none, buckets: [1, 2.5, 5, 7.5, 10, 15, 20, 30, 60, 120, 300, 600, 1_800], help: 'From the arrival of a batch’s first trade to its finality' },
  darkpool_settlement_attempts: { type: 'gauge', unit: 'transactions', labels: none, help: 'Transactions made so far for the batch that is on its way; 0 where none is' },
  darkpool_settlement_refusals: { type: 'gauge', unit: 'refusals', labels: none, help: 'Times in a row that the chain did not take a batch' },
  darkpool_settlement_unregistered: { type: 'gauge', unit: '1', labels: none, help: 'Whether the oldest trade waits for an account that the watcher has not reported' },
  darkpool_settlement_diverged: { type: 'gauge', unit: '1', labels: none, help: 'Whether the channel on chain does not continue this venue’s history: nothing is submitted' },
  darkpool_settlement_fee_stroops_total: { type: 'counter', unit: 'stroops', labels: none, help: 'What the network has charged for transactions that settle, failed ones too' },
  darkpool_settlement_least_balance_stroops: { type: 'gauge', unit: 'stroops', labels: none, help: 'What the paying account with the least has, looked up once a minute; absent until then' },
  darkpool_settlement_low_accounts: { type: 'gauge', unit: 'accounts', labels: none, help: 'Paying accounts that have less than the venue file wants, or are not on chain' },
  darkpool_settlement_cosigns_waiting: { type: 'gauge', unit: 'withdrawals', labels: none, help: 'Withdrawals that wait for the engine’s signature' },
  darkpool_settlement_unseen_accounts: { type: 'gauge', unit: 'accounts', labels: none, help: 'Accounts with a balance that was not held against the chain in the last round: archived, where no endpoint shows it' },

  // The chain
  darkpool_rpc_endpoints: { type: 'gauge', unit: 'endpoints', labels: actor, help: 'Stellar RPC endpoints that are configured' },
  darkpool_rpc_endpoints_down: { type: 'gauge', unit: 'endpoints', labels: actor, help: 'Endpoints that did not answer when they were last asked' },
  darkpool_rpc_endpoints_disagreeing: { type: 'gauge', unit: 'endpoints', labels: actor, help: 'Endpoints that contradict the others' },
  darkpool_rpc_call_seconds: { type: 'histogram', unit: 'seconds', labels: actor, buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15], help: 'How long an endpoint took to answer, or until it was given up' },
  darkpool_rpc_calls_failed_total: { type: 'counter', unit: 'calls', labels: actor, help: 'Calls that no answer came to' },
  darkpool_watcher_ledger: { type: 'gauge', unit: 'ledger number', labels: none, help: 'The last ledger whose events of the vault contract have all been read' },
  darkpool_watcher_gap: { type: 'gauge', unit: '1', labels: none, help: 'Whether ledgers are gone that were not read: the watcher stands' },

  // NATS
  darkpool_nats_store_bytes: { type: 'gauge', unit: 'bytes', labels: none, help: 'What the venue’s streams take on the disk of nats-server; absent where it does not say' },
  darkpool_nats_certificate_expiry_seconds: { type: 'gauge', unit: 'Unix seconds', labels: none, help: 'When the certificate ends that this shard’s nats-server shows; absent where it speaks no TLS, or does not answer' },

  // What asks all of them (darkpool metrics)
  darkpool_collector_answered: { type: 'gauge', unit: '1', labels: none, help: 'Whether the process answered `darkpool metrics`, which alone shows this; of `gateways`, whether as many did as there should be' },
} as const satisfies Record<string, MetricDefinition>

export type MetricName = keyof typeof catalogue

/** The values of a metric's labels: all of them, and no other. */
export type LabelsOf<Name extends MetricName> = Readonly<Record<(typeof catalogue)[Name]['labels'][number], string>>
