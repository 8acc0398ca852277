/** Every bound of the venue that is not a market's rule. Reaching one gives a named refusal. */
export const limits = {
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
  /** Messages that one actor holds for a peer that does not acknowledge; beyond it the vault actor refuses orders with market_unavailable. */
  outboxMessages: 65_536,
  /** Journal records, and bytes of them, after which an actor's next snapshot is due. What a new owner replays is about as long. */
  snapshotRecords: 50_000,
  snapshotBytes: 268_435_456,
  /** Snapshots kept of each actor; the journal is kept from the oldest of them on. */
  snapshots: 3,
  /** Requests of one gateway without an answer. */
  gatewayInFlight: 16_384,
  /** How long a gateway waits for an answer, in milliseconds. */
  answerTimeout_ms: 5_000,
  /** Open orders of one account, all markets together. */
  openOrdersPerAccount: 10_000,
  /** Open orders of one market. */
  openOrdersPerMarket: 1_000_000,
  /** Open orders of one market that have a minimum or are all-or-none: each is looked at whenever something comes to rest opposite. */
  conditionalOrdersPerMarket: 1_000,
  /** Amends of one order on their way to its market. */
  amendsInFlight: 16,
  /** Cancel-alls of one account that markets have yet to answer. */
  sweepsInFlight: 16,
  /** Withdrawals of one account in flight. */
  withdrawalsInFlight: 16,
  /** Orders a list answers with at most. */
  listedOrders: 1_000,
  /** Closed orders one vault actor remembers, besides those whose message has not expired. */
  markets: 256,
  assets: 64,
} as const
