//! `getFeeStats`: inclusion fees per operation over the last ledgers. There is no surge pricing
//! here, so whoever paid, paid the base fee.

use super::answer::Answer;
use crate::node::Node;
use serde_json::{Value, json};

const LEDGERS: u32 = 50;
const PERCENTILES: [&str; 11] = [
    "p10", "p20", "p30", "p40", "p50", "p60", "p70", "p80", "p90", "p95", "p99",
];

fn distribution(fee: u32, transactions: usize, ledgers: usize) -> Value {
    let fee = if transactions == 0 { 0 } else { fee }.to_string();
    let mut stats = json!({
        "max": fee,
        "min": fee,
        "mode": fee,
        "transactionCount": transactions.to_string(),
        "ledgerCount": ledgers,
    });
    for percentile in PERCENTILES {
        stats[percentile] = json!(fee);
    }
    stats
}

pub fn answer(node: &Node) -> Answer {
    let (latest, records) = node.with_history(|history| {
        let latest = history.latest().sequence;
        (
            latest,
            history.range((latest + 1).saturating_sub(LEDGERS), latest),
        )
    });
    let base_fee = node.snapshot().header().base_fee;
    let is_contract = |events: &Vec<crate::history::EventRecord>| !events.is_empty();
    let all = records.iter().flat_map(|record| record.transactions.iter());
    let (contracts, classic): (Vec<_>, Vec<_>) =
        all.partition(|transaction| is_contract(&transaction.events));
    Ok(json!({
        "sorobanInclusionFee": distribution(base_fee, contracts.len(), records.len()),
        "inclusionFee": distribution(base_fee, classic.len(), records.len()),
        "latestLedger": latest,
    }))
}
