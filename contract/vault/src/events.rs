//! One event for every change of state. Data is a vec: positions, not names, because a map is a third larger and events are paid
//! for by the byte. Accounts and assets in data are their indexes.

use soroban_sdk::{Address, BytesN, contractevent};

#[contractevent(topics = ["admin_set"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AdminSet {
    pub admin: Address,
}

#[contractevent(topics = ["matching_engine_set"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MatchingEngineSet {
    #[topic]
    pub channel: u32,
    pub matching_engine: Address,
}

#[contractevent(topics = ["asset_added"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AssetAdded {
    #[topic]
    pub token: Address,
    pub asset: u32,
}

#[contractevent(topics = ["deposit"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Deposited {
    #[topic]
    pub user: Address,
    #[topic]
    pub token: Address,
    pub account: u32,
    pub asset: u32,
    /// What was credited: what arrived, which for an odd token is not what was asked for.
    pub amount: i128,
}

#[contractevent(topics = ["withdraw"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Withdrawn {
    #[topic]
    pub user: Address,
    #[topic]
    pub token: Address,
    pub account: u32,
    pub asset: u32,
    pub amount: i128,
}

/// What is asked for now: all of it when it is requested, less when the engine's withdrawal answered a part of it, 0 when it was
/// cancelled or answered in full. The last one of an account and asset is where its exit stands, unless [`Claimed`] follows.
#[contractevent(topics = ["exit"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExitSet {
    #[topic]
    pub user: Address,
    #[topic]
    pub token: Address,
    pub account: u32,
    pub asset: u32,
    pub amount: i128,
    /// 0 where the amount is.
    pub due: u64,
}

/// An exit was paid, and is over.
#[contractevent(topics = ["claim"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claimed {
    #[topic]
    pub user: Address,
    #[topic]
    pub token: Address,
    pub account: u32,
    pub asset: u32,
    /// What left: less than what was asked for where trades of the time before had used some.
    pub amount: i128,
}

#[contractevent(topics = ["settle_trade"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TradeSettled {
    #[topic]
    pub trade_id: BytesN<32>,
    pub buyer: u32,
    pub seller: u32,
    pub base_asset: u32,
    pub quote_asset: u32,
    pub base_amount: i128,
    pub quote_amount: i128,
    pub timestamp: u64,
}

/// Both roots are here, at about 200 stroops each, so that the events alone are a channel's whole history: an auditor needs
/// neither the transactions nor a server that kept them.
#[contractevent(topics = ["settle_batch"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BatchSettled {
    #[topic]
    pub channel: u32,
    pub epoch: u64,
    pub sequence: u64,
    pub trade_count: u32,
    pub trades_root: BytesN<32>,
    pub state_root: BytesN<32>,
}
