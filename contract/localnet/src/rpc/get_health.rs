//! `getHealth`

use super::answer::Answer;
use crate::node::Node;
use crate::store::LEDGERS_KEPT;
use serde_json::json;

pub fn answer(node: &Node) -> Answer {
    Ok(node.with_history(|history| {
        json!({
            "status": "healthy",
            "latestLedger": history.latest().sequence,
            "latestLedgerCloseTime": history.latest().close_time.to_string(),
            "oldestLedger": history.oldest().sequence,
            "oldestLedgerCloseTime": history.oldest().close_time.to_string(),
            "ledgerRetentionWindow": LEDGERS_KEPT,
        })
    }))
}
