//! The admin call `POST /admin/jump`: goes ledgers and seconds ahead.

use super::close_ledger;
use super::refusal::{Refused, refuse};
use super::server::Rpc;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::sync::Arc;

/// Three times the longest life of an entry.
const LEDGERS_MAX: u64 = 10_000_000;
/// Ten years.
const SECONDS_MAX: u64 = 315_360_000;
/// Ledgers beyond this have no place in cursors.
const SEQUENCE_MAX: u32 = 2_000_000_000;

fn amount(wanted: &Value, name: &str, least: u64, most: u64) -> Result<u64, Refused> {
    match &wanted[name] {
        Value::Null => Ok(least),
        value => value
            .as_u64()
            .filter(|value| (least..=most).contains(value))
            .ok_or_else(|| {
                refuse(format!(
                    "\"{name}\" must be a whole number from {least} to {most}"
                ))
            }),
    }
}

/// (ledgers, seconds)
fn distance(wanted: &Value, latest: u32) -> Result<(u32, u64), Refused> {
    let known = |name: &String| name == "ledgers" || name == "seconds";
    if !wanted.as_object().is_some_and(|all| all.keys().all(known)) {
        return Err(refuse("a jump has \"ledgers\" and \"seconds\""));
    }
    let ledgers = amount(wanted, "ledgers", 1, LEDGERS_MAX)?;
    let seconds = amount(wanted, "seconds", 0, SECONDS_MAX)?;
    let ledgers = u32::try_from(ledgers).unwrap_or(u32::MAX);
    if latest.saturating_add(ledgers) > SEQUENCE_MAX {
        return Err(refuse(format!(
            "ledgers are not numbered beyond {SEQUENCE_MAX}"
        )));
    }
    Ok((ledgers, seconds))
}

pub async fn answer(
    State(rpc): State<Arc<Rpc>>,
    Json(wanted): Json<Value>,
) -> Result<Response, Refused> {
    let (ledgers, seconds) = distance(&wanted, rpc.node.snapshot().sequence())?;
    Ok(close_ledger::describe(rpc.jump(ledgers, seconds).await).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_jump_goes_ahead_by_a_ledger_at_least() {
        for (wanted, expected) in [
            (json!({}), Some((1, 0))),
            (json!({ "seconds": 60 }), Some((1, 60))),
            (json!({ "ledgers": 10_000_000 }), Some((10_000_000, 0))),
            (json!({ "ledgers": 10_000_001 }), None),
            (json!({ "ledgers": 0 }), None),
            (json!({ "seconds": -1 }), None),
            (json!({ "days": 1 }), None),
            (json!([]), None),
        ] {
            assert_eq!(distance(&wanted, 7).ok(), expected, "{wanted}");
        }
        assert!(distance(&json!({}), SEQUENCE_MAX).is_err());
    }
}
