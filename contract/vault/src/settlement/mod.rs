//! Settlement of what the matching engine has matched: a batch of netted trades, or one trade.

mod batch;
mod deltas;
mod trade;
mod varint;

pub use batch::{SettlementBatch, settle_batch};
pub use trade::{FUTURE_WINDOW_SECONDS, PAST_WINDOW_SECONDS, SettlementInstruction, settle_trade};
