//! `getLedgers`: kept ledgers with header and metadata, in pages. A cursor is a ledger's number.

use super::answer::{Answer, Fault, base64, xdr};
use super::page::{Page, Start, check_kept, kept, malformed};
use crate::history::LedgerRecord;
use crate::node::Node;
use serde_json::{Value, json};

pub fn answer(node: &Node, parameters: &Value) -> Answer {
    let page = Page::parse(parameters)?;
    let first = match page.start {
        Start::Ledger(first) => first,
        Start::Cursor(cursor) => cursor
            .parse::<u32>()
            .ok()
            .and_then(|seen| seen.checked_add(1))
            .ok_or_else(|| malformed(cursor))?,
    };
    let may_come = matches!(page.start, Start::Cursor(_));
    let count = u32::try_from(page.limit).unwrap_or(u32::MAX);
    let (mut answer, records) = node.with_history(|history| {
        check_kept(first, may_come, history)?;
        let last = first.saturating_add(count - 1);
        Ok((kept(history, "Time"), history.range(first, last)))
    })?;
    let last = records.last().map_or(first - 1, |record| record.sequence);
    let ledgers: Result<Vec<Value>, Fault> =
        records.iter().map(|record| describe(record)).collect();
    answer["ledgers"] = json!(ledgers?);
    answer["cursor"] = json!(last.to_string());
    Ok(answer)
}

fn describe(record: &LedgerRecord) -> Result<Value, Fault> {
    Ok(json!({
        "hash": hex::encode(record.hash.0),
        "sequence": record.sequence,
        "ledgerCloseTime": record.close_time.to_string(),
        "headerXdr": xdr(&record.header_entry()),
        "metadataXdr": base64(&record.meta().map_err(Fault::internal)?),
    }))
}
