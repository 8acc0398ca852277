//! Pages of ledgers and of transactions: where one starts, and how long it may be.

use super::answer::{Fault, check_format, number};
use crate::history::History;
use serde_json::{Value, json};

const LIMIT_DEFAULT: u64 = 50;
const LIMIT_MAX: u64 = 200;

pub enum Start<'a> {
    Ledger(u32),
    /// After what a cursor names.
    Cursor(&'a str),
}

pub struct Page<'a> {
    pub start: Start<'a>,
    pub limit: usize,
}

impl<'a> Page<'a> {
    pub fn parse(parameters: &'a Value) -> Result<Self, Fault> {
        check_format(parameters)?;
        let pagination = &parameters["pagination"];
        let limit = number(pagination, "limit")?.unwrap_or(LIMIT_DEFAULT);
        if limit == 0 || limit > LIMIT_MAX {
            return Err(Fault::parameters(format!(
                "limit must be from 1 to {LIMIT_MAX}"
            )));
        }
        let first = number(parameters, "startLedger")?.filter(|first| *first > 0);
        let cursor = pagination["cursor"]
            .as_str()
            .filter(|text| !text.is_empty());
        let start = match (first, cursor) {
            (Some(_), Some(_)) => {
                return Err(Fault::parameters("a cursor stands in place of startLedger"));
            }
            (None, Some(cursor)) => Start::Cursor(cursor),
            (first, None) => {
                let first = first.and_then(|first| u32::try_from(first).ok());
                Start::Ledger(
                    first.ok_or_else(|| Fault::parameters("startLedger must be positive"))?,
                )
            }
        };
        Ok(Self {
            start,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
        })
    }
}

pub fn malformed(cursor: &str) -> Fault {
    Fault::parameters(format!("\"{cursor}\" is not a cursor"))
}

/// Only what is kept can be asked for. A page may start with the ledger that is yet to come.
pub fn check_kept(first: u32, may_come: bool, history: &History) -> Result<(), Fault> {
    let (oldest, latest) = (history.oldest().sequence, history.latest().sequence);
    if (oldest..=latest + u32::from(may_come)).contains(&first) {
        return Ok(());
    }
    Err(Fault::request(format!(
        "start ledger must be between the oldest ledger: {oldest} and the latest ledger: {latest} \
         for this rpc instance"
    )))
}

/// The members that say what is kept; `time` is how the one for close times ends.
pub fn kept(history: &History, time: &str) -> Value {
    let (latest, oldest) = (history.latest(), history.oldest());
    let mut answer = json!({
        "latestLedger": latest.sequence,
        "oldestLedger": oldest.sequence,
    });
    answer[format!("latestLedgerClose{time}")] = json!(latest.close_time);
    answer[format!("oldestLedgerClose{time}")] = json!(oldest.close_time);
    answer
}
