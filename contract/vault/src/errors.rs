use soroban_sdk::contracterror;

/// Every way in which a call is refused. The numbers are part of the interface: they stay with their meaning and are never
/// given to another one.
#[contracterror]
#[derive(Copy, Clone, Debug, Eq, PartialEq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Error {
    // Registry
    /// The instance has no administrator. The constructor sets one, so this says that the instance is damaged.
    AdminNotSet = 1,
    /// No matching engine is registered for the channel.
    MatchingEngineNotSet = 2,
    AssetAlreadyAdded = 3,
    /// The registry is full (`MAX_ASSETS`).
    AssetLimitReached = 4,
    /// The token is not in the registry, or an asset index of a batch is past its end.
    UnknownAsset = 5,
    /// The address does not answer `balance` as a token does (SEP-41).
    NotAToken = 6,

    // Accounts and custody
    /// The address never deposited, or an account index of a batch was never assigned.
    UnknownAccount = 20,
    /// All account indexes (u32) are assigned.
    AccountLimitReached = 21,
    /// An amount is zero or negative.
    InvalidAmount = 22,
    InsufficientBalance = 23,
    /// A balance would leave i128.
    BalanceOverflow = 24,
    /// The token refused the transfer; the diagnostic events hold its own error.
    TokenTransferFailed = 25,
    /// The token moved another amount than it was asked to: nothing on a deposit, more or less on a withdrawal.
    TokenAmountMismatch = 26,
    /// A stored page has a length that this contract never writes.
    CorruptPage = 27,

    // A single trade
    /// Buyer and seller are the same account.
    SelfTrade = 40,
    /// Base and quote are the same asset.
    SameAsset = 41,
    /// The timestamp is further back than `PAST_WINDOW_SECONDS`.
    TradeTooOld = 42,
    /// The timestamp is further ahead than `FUTURE_WINDOW_SECONDS`.
    TradeInFuture = 43,
    TradeAlreadySettled = 44,

    // A batch
    /// The sequence is not the channel's last one + 1.
    WrongSequence = 60,
    /// The epoch is lower than the channel's last one: an older engine, or one whose disk was rolled back.
    StaleEpoch = 61,
    /// The batch claims to hold no trades.
    EmptyBatch = 62,

    // The deltas of a batch
    /// The deltas end inside a section.
    DeltasTruncated = 80,
    /// A varint has more bytes than its value needs.
    VarintOverlong = 81,
    /// A varint's value does not fit its field: u32 for groups, counts and gaps, u128 for deltas.
    VarintOutOfRange = 82,
    /// Sections are not in strictly rising order of asset group.
    GroupOrder = 83,
    /// A section has no records.
    EmptySection = 84,
    /// Accounts are not in strictly rising order within a section.
    AccountOrder = 85,
    /// A mask is zero or has one of its four high bits set.
    InvalidMask = 86,
    /// A delta is zero.
    ZeroDelta = 87,
    /// The deltas of an asset do not sum to zero.
    DeltasUnbalanced = 88,
    /// The running sum of an asset's deltas left i128.
    DeltaSumOverflow = 89,

    // Exits
    /// The account's last request for the asset is neither claimed nor cancelled.
    ExitUnderWay = 100,
    /// The account has no request for the asset.
    NoExit = 101,
    /// The request's time has not come.
    ExitNotDue = 102,
    /// Settlement would take what an exit has set aside.
    FundsLeaving = 103,

    // Governance
    /// The caller has no part in this.
    NotPermitted = 120,
    /// The change is announced already.
    ChangeAnnounced = 121,
    /// The change was not announced, or not made in its time.
    ChangeNotAnnounced = 122,
    /// The change's time has not come.
    ChangeNotDue = 123,
    /// `MAX_ANNOUNCEMENTS` changes are under way.
    ChangeLimitReached = 124,
    /// The delay of changes would be below its minimum or above its maximum.
    InvalidDelay = 125,
    /// The channel is `MAX_CHANNELS` or above.
    ChannelLimitReached = 126,
    /// Deposits and settlement are paused.
    Paused = 127,
    /// Deposits and settlement of the asset are paused.
    AssetPaused = 128,

    // Fees
    /// A batch would take more of an asset as fees than the cap lets it.
    FeeAboveCap = 140,
    /// A fee is zero, or more than what it was taken from.
    InvalidFee = 141,
    /// The cap would be above `MAX_FEE_CAP_PPM`.
    InvalidFeeCap = 142,
    /// Nobody is named who may collect fees.
    TreasuryNotSet = 143,
    /// The channel has no fees of the asset to collect.
    NoFees = 144,
}
