//! `getTransactions`: the transactions of the kept ledgers, in pages. A cursor names a transaction
//! by ledger, place and operation in one number (SEP-35).

use super::answer::{Answer, Fault};
use super::get_transaction;
use super::page::{Page, Start, check_kept, kept, malformed};
use crate::history::TransactionRecord;
use crate::node::Node;
use serde_json::{Value, json};
use std::sync::Arc;

const TRANSACTION_BITS: u32 = 20;
const OPERATION_BITS: u32 = 12;

fn cursor(ledger: u32, order: u32) -> String {
    let place = u64::from(ledger) << (TRANSACTION_BITS + OPERATION_BITS);
    (place | u64::from(order) << OPERATION_BITS | 1).to_string()
}

/// (ledger, place in it)
fn place(text: &str) -> Result<(u32, u32), Fault> {
    let place: u64 = text.parse().map_err(|_| malformed(text))?;
    let order = place >> OPERATION_BITS & ((1 << TRANSACTION_BITS) - 1);
    let ledger = place >> (TRANSACTION_BITS + OPERATION_BITS);
    match (u32::try_from(ledger), u32::try_from(order)) {
        (Ok(ledger), Ok(order)) => Ok((ledger, order)),
        _ => Err(malformed(text)),
    }
}

pub fn answer(node: &Node, parameters: &Value) -> Answer {
    let page = Page::parse(parameters)?;
    let (first, after) = match page.start {
        Start::Ledger(first) => (first, 0),
        Start::Cursor(cursor) => place(cursor)?,
    };
    let (mut answer, latest, records) = node.with_history(|history| {
        check_kept(first, false, history)?;
        let latest = history.latest().sequence;
        let answer = kept(history, "Timestamp");
        Ok((answer, latest, history.range(first, latest)))
    })?;
    let found: Vec<&Arc<TransactionRecord>> = records
        .iter()
        .flat_map(|record| record.transactions.iter())
        .filter(|transaction| transaction.ledger > first || transaction.order > after)
        .take(page.limit)
        .collect();
    let next = match found.last() {
        Some(last) => cursor(last.ledger, last.order),
        // Everything up to here has been seen.
        None => cursor(latest, (1 << TRANSACTION_BITS) - 1),
    };
    let transactions: Result<Vec<Value>, Fault> = found
        .into_iter()
        .map(|transaction| describe(transaction))
        .collect();
    answer["transactions"] = json!(transactions?);
    answer["cursor"] = json!(next);
    Ok(answer)
}

fn describe(transaction: &TransactionRecord) -> Result<Value, Fault> {
    let mut answer = json!({ "txHash": hex::encode(transaction.hash.0) });
    get_transaction::describe(transaction, &mut answer)?;
    // A number here, a string in the answer about one transaction.
    answer["createdAt"] = json!(transaction.close_time);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text() {
        for (ledger, order) in [
            (1, 1),
            (114, 3),
            (2_000_000_000, (1 << TRANSACTION_BITS) - 1),
        ] {
            assert_eq!(place(&cursor(ledger, order)).unwrap(), (ledger, order));
        }
        assert_eq!(cursor(114, 1), "489626275841");
        for text in ["", "-1", "x", "99999999999999999999"] {
            assert!(place(text).is_err(), "{text}");
        }
    }
}
