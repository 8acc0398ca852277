//! One event for every change of state. Data is a vec: positions, not names, because a map is a third larger and events are paid
//! for by the byte. Accounts and assets in data are their indexes.

use soroban_sdk::{Address, BytesN, contractevent};

use crate::governance::Change;
use crate::holding::Holding;

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
    /// Nothing where the channel has no engine any more.
    pub matching_engine: Option<Address>,
}

/// What the asset's issuer can do, as the administrator found it.
#[contractevent(topics = ["issuer_flags"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IssuerFlagsSet {
    #[topic]
    pub token: Address,
    pub asset: u32,
    pub flags: u32,
}

/// What is to come, and from when on.
#[contractevent(topics = ["change_announced"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChangeAnnounced {
    pub change: Change,
    pub due: u64,
}

#[contractevent(topics = ["change_cancelled"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChangeCancelled {
    pub change: Change,
}

#[contractevent(topics = ["pauser_set"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PauserSet {
    pub pauser: Address,
}

/// Between announcement and change, from the next announcement on.
#[contractevent(topics = ["delay_set"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DelaySet {
    pub seconds: u64,
}

#[contractevent(topics = ["code_set"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CodeSet {
    pub wasm_hash: BytesN<32>,
}

/// What batches may take as fees from now on, in parts per million.
#[contractevent(topics = ["fee_cap_set"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FeeCapSet {
    pub cap_ppm: u32,
}

/// Who may collect fees from now on, also those of before.
#[contractevent(topics = ["treasury_set"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TreasurySet {
    pub treasury: Address,
}

#[contractevent(topics = ["pause_set"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PauseSet {
    /// Nothing for deposits and settlement as a whole.
    pub token: Option<Address>,
    pub paused: bool,
}

#[contractevent(topics = ["asset_added"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AssetAdded {
    #[topic]
    pub token: Address,
    pub asset: u32,
}

/// An event about what a user holds of a token: both as topics, so that it can be asked for, and their indexes in front of the data.
macro_rules! holding_event {
    ($(#[$doc:meta])* $name:ident as $topic:tt { $($(#[$field_doc:meta])* $field:ident: $type:ident,)+ }) => {
        $(#[$doc])*
        #[contractevent(topics = [$topic], data_format = "vec")]
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub struct $name {
            #[topic]
            pub user: Address,
            #[topic]
            pub token: Address,
            pub account: u32,
            pub asset: u32,
            $($(#[$field_doc])* pub $field: $type,)+
        }

        impl $name {
            pub fn of(holding: &Holding, $($field: $type),+) -> Self {
                Self {
                    user: holding.user.clone(),
                    token: holding.token.clone(),
                    account: holding.account,
                    asset: holding.asset,
                    $($field,)+
                }
            }
        }
    };
}

holding_event! {
    Deposited as "deposit" {
        /// What was credited: what arrived, which for an odd token is not what was asked for.
        amount: i128,
    }
}

holding_event! {
    Withdrawn as "withdraw" {
        amount: i128,
    }
}

holding_event! {
    /// What is asked for now: all of it when it is requested, less when the engine's withdrawal answered a part of it, 0 when it was
    /// cancelled or answered in full. The last one of an account and asset is where its exit stands, unless [`Claimed`] follows.
    ExitSet as "exit" {
        amount: i128,
        /// 0 where the amount is.
        due: u64,
    }
}

holding_event! {
    /// An exit was paid, and is over.
    Claimed as "claim" {
        /// What left: less than what was asked for where trades of the time before had used some.
        amount: i128,
    }
}

/// The key that signs a user's orders from now on; nothing where none does any more.
#[contractevent(topics = ["trading_key"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TradingKeySet {
    #[topic]
    pub user: Address,
    pub key: Option<BytesN<32>>,
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

/// What a batch added to the channel's fees: an event an asset, before the batch's own. A batch without fees has none.
#[contractevent(topics = ["fees"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FeesCharged {
    #[topic]
    pub channel: u32,
    pub sequence: u64,
    pub asset: u32,
    pub amount: i128,
    /// What the engine says they were taken from.
    pub turnover: i128,
}

#[contractevent(topics = ["fees_collected"], data_format = "vec")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FeesCollected {
    #[topic]
    pub token: Address,
    pub channel: u32,
    pub asset: u32,
    pub amount: i128,
    pub treasury: Address,
}
