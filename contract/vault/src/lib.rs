//! The vault: holds the traders' tokens and settles what the matching engine has matched.
//!
//! `contract.rs` is the interface; each entry point authorises and hands over. What it does is described for people outside
//! this crate in `docs/contract.md`.
#![no_std]

mod balances;
mod contract;
mod custody;
mod errors;
mod events;
mod exits;
mod fees;
mod governance;
mod holding;
mod settlement;
mod storage;
mod ttl;

pub use balances::{ACCOUNTS_PER_PAGE, ASSETS_PER_GROUP, Exit};
pub use contract::{Vault, VaultArgs, VaultClient};
pub use errors::Error;
pub use events::{
    AdminSet, AssetAdded, BatchSettled, ChangeAnnounced, ChangeCancelled, Claimed, CodeSet,
    DelaySet, Deposited, ExitSet, FeeCapSet, FeesCharged, FeesCollected, IssuerFlagsSet,
    MatchingEngineSet, PauseSet, PauserSet, TradeSettled, TradingKeySet, TreasurySet, Withdrawn,
};
pub use exits::EXIT_DELAY_SECONDS;
pub use fees::MAX_FEE_CAP_PPM;
pub use governance::{
    Announcement, CHANGE_LIFETIME_SECONDS, Change, MAX_ANNOUNCEMENTS, MAX_CHANGE_DELAY_SECONDS,
    MIN_CHANGE_DELAY_SECONDS,
};
pub use settlement::{
    FUTURE_WINDOW_SECONDS, PAST_WINDOW_SECONDS, SettlementBatch, SettlementInstruction,
};
pub use storage::{Channel, DataKey, MAX_ASSETS, MAX_CHANNELS};
pub use ttl::{DAY_IN_LEDGERS, EXTEND_TO_LEDGERS, EXTENSION_THRESHOLD_LEDGERS};
