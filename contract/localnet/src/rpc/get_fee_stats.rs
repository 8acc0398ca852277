//! `getFeeStats`: what transactions of the last ledgers paid for inclusion, per operation.

use super::answer::Answer;
use crate::history::{Inclusion, LedgerRecord};
use crate::node::Node;
use serde_json::{Value, json};
use std::sync::Arc;

/// Ledgers that are looked at, as Stellar RPC does unless it is told otherwise.
const CONTRACT_LEDGERS: u32 = 50;
const CLASSIC_LEDGERS: u32 = 10;
const PERCENTILES: [usize; 11] = [10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99];

/// The fee that most transactions paid, the highest of several such.
fn mode(sorted: &[u64]) -> u64 {
    let runs = sorted.chunk_by(|left, right| left == right);
    let longest = runs.max_by_key(|run| run.len());
    longest.and_then(<[u64]>::first).copied().unwrap_or(0)
}

fn distribution(mut fees: Vec<u64>, ledgers: usize) -> Value {
    fees.sort_unstable();
    let at = |place: usize| fees.get(place).copied().unwrap_or(0).to_string();
    let mut stats = json!({
        "max": at(fees.len().saturating_sub(1)),
        "min": at(0),
        "mode": mode(&fees).to_string(),
        "transactionCount": fees.len().to_string(),
        "ledgerCount": ledgers,
    });
    for percent in PERCENTILES {
        // The nearest rank.
        let rank = (percent * fees.len()).div_ceil(100);
        stats[format!("p{percent}")] = json!(at(rank.saturating_sub(1)));
    }
    stats
}

fn paid(records: &[Arc<LedgerRecord>], wanted: impl Fn(&Inclusion) -> bool) -> Vec<u64> {
    let all = records.iter().flat_map(|record| record.transactions.iter());
    all.filter_map(|transaction| transaction.inclusion)
        .filter(wanted)
        .map(|inclusion| inclusion.fee)
        .collect()
}

pub fn answer(node: &Node) -> Answer {
    let (latest, records) = node.with_history(|history| {
        let latest = history.latest().sequence;
        let first = (latest + 1).saturating_sub(CONTRACT_LEDGERS);
        (latest, history.range(first, latest))
    });
    let recent = &records[records.len().saturating_sub(CLASSIC_LEDGERS as usize)..];
    let contracts = paid(&records, |inclusion| inclusion.is_contract);
    let classic = paid(recent, |inclusion| !inclusion.is_contract);
    Ok(json!({
        "sorobanInclusionFee": distribution(contracts, records.len()),
        "inclusionFee": distribution(classic, recent.len()),
        "latestLedger": latest,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let stats = distribution(
            (1..=20).rev().map(|fee| fee * 100).chain([100]).collect(),
            3,
        );
        assert_eq!(stats["min"], "100");
        assert_eq!(stats["max"], "2000");
        assert_eq!(stats["mode"], "100");
        assert_eq!(stats["p10"], "200");
        assert_eq!(stats["p50"], "1000");
        assert_eq!(stats["p95"], "1900");
        assert_eq!(stats["p99"], "2000");
        assert_eq!(stats["transactionCount"], "21");
        assert_eq!(stats["ledgerCount"], 3);
        let none = distribution(Vec::new(), 0);
        assert_eq!((&none["max"], &none["p99"]), (&json!("0"), &json!("0")));
    }
}
