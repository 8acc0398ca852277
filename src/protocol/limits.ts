/** Every bound of the venue that is not a market's rule. Reaching one gives a named refusal. */
export const limits = {
  /** What a market keeps of a side at most, in parts per million: the vault contract's own bound (`MAX_FEE_CAP_PPM`), under which its cap may be lower. */
  fee_ppm: 10_000,
  /** Longest request body a gateway reads, in bytes: a signed message is under 1 KiB. */
  requestBytes: 16_384,
  /** Signed messages in one batch, and its longest body in bytes. */
  batchMessages: 100,
  batchBytes: 262_144,
  /** Largest NATS message, in bytes; nats-server's max_payload is set to it. */
  packetBytes: 8_388_608,
  /** Items in one packet between parts of the venue. */
  packetItems: 1_024,
  /** Inputs one actor batch applies and journals together. */
  batchInputs: 4_096,
  /** Inputs that may wait for one actor; beyond it new commands are refused with venue_overloaded. */
  mailboxInputs: 65_536,
  /**
   * Messages that one actor holds for a peer that does not acknowledge. Beyond it the vault actor refuses orders with market_unavailable; any other takes nothing
   * more of its own peers, so that it comes to a vault actor in the end. Also feed messages that are not stored, beyond which commands are refused with venue_overloaded.
   */
  outboxMessages: 65_536,
  /** Trades that wait for the chain; beyond it markets are held up, and their orders refused with market_unavailable. */
  unsettledTrades: 1_000_000,
  /** Journal records, and bytes of them, after which an actor's next snapshot is due. What a new owner replays is about as long. */
  snapshotRecords: 50_000,
  snapshotBytes: 268_435_456,
  /** Versions of the journal key before the current one that open what is stored. */
  olderJournalKeys: 7,
  /** Snapshots kept of each actor; the journal is kept from the oldest of them on. */
  snapshots: 3,
  /** Requests of one gateway without an answer; the last eighth of them is for cancels alone. */
  gatewayInFlight: 16_384,
  /** Of those, requests that wait for the next owner of one actor. Beyond it they are refused with account_unavailable, so that one actor does not use up what is everybody's. */
  betweenOwners: 4_096,
  /** Signatures that wait for a thread: a quarter of a second of one thread's work. Beyond it, orders are refused with venue_overloaded. */
  signatureQueue: 4_096,
  /** Inputs that wait for one actor, as it says itself every second, beyond which a gateway takes no orders for it. */
  vaultBacklog: 32_768,
  /** Connections of one gateway, in all and of one address. */
  connections: 16_384,
  connectionsPerAddress: 1_024,
  /** Connections of traders to one nats-server, in all and of one account; subscriptions of one connection; its longest message, in bytes. */
  natsConnections: 8_192,
  natsConnectionsPerAccount: 32,
  natsSubscriptions: 64,
  natsPayloadBytes: 1_048_576,
  /** Operators that a venue file names; of one of them, requests without an answer, the longest in bytes, and how many it makes. */
  operators: 32,
  operatorInFlight: 512,
  operatorRequestBytes: 131_072,
  operatorRate: { quota: 4_000, window_s: 10 },
  /** Names of nodes that operators without the root key have drained, or let be used again, since the venue began. */
  drainedNodes: 64,
  /** Messages of one page of a replayed feed, and its bytes; how many of the reads it counts for. */
  replayMessages: 1_000,
  replayBytes: 262_144,
  replayCost: 4,
  /** How long a connection from outside lasts before it has to prove its key again, and a statement that names a temporary key, in seconds. */
  natsSession_s: 86_400,
  /** Keys and addresses that one rate limit counts apart. */
  rateKeys: 65_536,
  /** Rate limits where the venue file has none: by address requests, cancels and logins; by key orders and cancels; by account reads, and pages of history besides. */
  rates: {
    requests: { quota: 10_000, window_s: 2 },
    addressCancels: { quota: 10_000, window_s: 2 },
    logins: { quota: 100, window_s: 10 },
    orders: { quota: 2_000, window_s: 2 },
    cancels: { quota: 4_000, window_s: 2 },
    reads: { quota: 400, window_s: 2 },
    history: { quota: 40, window_s: 4 },
  },
  /** Streams of one account; bytes and fragments of one of their frames; requests of one without an answer; bytes that may wait for a slow reader. */
  streamsPerAccount: 64,
  streamFrameBytes: 270_336,
  streamFragments: 64,
  streamInFlight: 1_024,
  streamBufferedBytes: 4_194_304,
  /** The newest messages of a feed that somebody follows: what is kept of them for others to join, and what is held while one before them is fetched. */
  feedTailMessages: 512,
  feedTailBytes: 524_288,
  /** How long a gateway waits for an answer, in milliseconds. */
  answerTimeout_ms: 5_000,
  /** Open orders of one account, all markets together. */
  openOrdersPerAccount: 10_000,
  /** Open orders of one market. */
  openOrdersPerMarket: 1_000_000,
  /** Open orders of one market that have a minimum or are all-or-none: each is looked at whenever something comes to rest opposite. */
  conditionalOrdersPerMarket: 1_000,
  /** Longest delay of a market's tape, in seconds: 31 days. Prices that one interval of it tells apart: what trades at any further one is not shown. */
  tapeDelay_s: 2_678_400,
  tapePrices: 1_024,
  /** Longest client order id. */
  clientOrderIdLength: 32,
  /** Amends of one order on their way to its market. */
  amendsInFlight: 16,
  /** Cancel-alls of one account that markets have yet to answer. */
  sweepsInFlight: 16,
  /** Delegated keys of one account, and how many messages that delegated one are remembered: each until it has expired. */
  delegatedKeys: 32,
  delegationsRemembered: 1_024,
  /** How far ahead a delegated key may end, in seconds: a year. */
  keyLifetime_s: 31_622_400,
  /** Timers of one account that run: dead-man timers of its keys, and connections that are watched. */
  timersPerAccount: 64,
  /** Shortest and longest timer, in seconds, and how far ahead a message may expire that sets one. */
  timerShortest_s: 5,
  timerLongest_s: 86_400,
  timerExpiry_s: 60,
  /** Messages of one account that set its timers and may still be met again: a little over two minutes' worth. */
  timerMessages: 512,
  /** Withdrawals of one account in flight. */
  withdrawalsInFlight: 16,
  /** Pages of feeds that a gateway reads at a time, and how many more may wait; the longest of them in bytes. */
  historyReads: 16,
  historyReadsWaiting: 1_024,
  historyBytes: 4_194_304,
  /** Messages of an account's feed that one page of a list, and the search for one trade, look at. */
  historyScan: 2_000,
  historySearch: 10_000,
  /** Orders, or anything else, that a list answers with at most. */
  listedOrders: 1_000,
  /** Closed orders one vault actor remembers, besides those whose message has not expired. */
  markets: 256,
  assets: 64,
} as const
