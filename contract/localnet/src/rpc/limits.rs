//! The admin call `/admin/limits`: GET shows what a ledger has room for, POST sets limits in place
//! of the network's, DELETE gives up all that were set.

use super::refusal::{Refused, refuse};
use super::server::Rpc;
use crate::ledger::{KINDS, LedgerLimits, Room};
use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const POOL_LEDGERS: &str = "poolLedgers";
const WAITING_LEDGERS: &str = "waitingLedgers";

fn describe(rpc: &Rpc) -> Json<Value> {
    let snapshot = rpc.node.snapshot();
    let limits = rpc.node.limits();
    let room: Room = limits.ledger_room(snapshot.settings(), snapshot.header());
    let mut answer: Map<String, Value> = room
        .named()
        .map(|(kind, amount)| (kind.to_owned(), json!(amount)))
        .collect();
    answer.insert(POOL_LEDGERS.to_owned(), json!(limits.pool_ledgers));
    answer.insert(WAITING_LEDGERS.to_owned(), json!(limits.waiting_ledgers));
    answer.insert("waiting".to_owned(), json!(rpc.node.waiting()));
    Json(Value::Object(answer))
}

/// A number from `least`, or null for none.
fn limit(name: &str, value: &Value, least: u64) -> Result<Option<u64>, Refused> {
    match value {
        Value::Null => Ok(None),
        value => match value.as_u64().filter(|value| *value >= least) {
            Some(value) => Ok(Some(value)),
            None => Err(refuse(format!(
                "\"{name}\" must be a whole number from {least}, or null"
            ))),
        },
    }
}

fn ledgers(name: &str, value: &Value) -> Result<Option<u32>, Refused> {
    let limit = limit(name, value, 1)?;
    Ok(limit.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX)))
}

fn changed(mut limits: LedgerLimits, wanted: &Value) -> Result<LedgerLimits, Refused> {
    let Value::Object(wanted) = wanted else {
        return Err(refuse("the limits must be an object"));
    };
    for (name, value) in wanted {
        match (KINDS.iter().position(|kind| kind == name), name.as_str()) {
            (Some(at), _) => limits.room[at] = limit(name, value, 0)?,
            (None, POOL_LEDGERS) => limits.pool_ledgers = ledgers(name, value)?,
            (None, WAITING_LEDGERS) => limits.waiting_ledgers = ledgers(name, value)?,
            _ => return Err(refuse(format!("there is no limit \"{name}\""))),
        }
    }
    Ok(limits)
}

pub async fn show(State(rpc): State<Arc<Rpc>>) -> Json<Value> {
    describe(&rpc)
}

pub async fn set(
    State(rpc): State<Arc<Rpc>>,
    Json(wanted): Json<Value>,
) -> Result<Json<Value>, Refused> {
    let limits = changed(rpc.node.limits(), &wanted)?;
    rpc.node.set_limits(limits);
    Ok(describe(&rpc))
}

pub async fn clear(State(rpc): State<Arc<Rpc>>) -> Json<Value> {
    rpc.node.set_limits(LedgerLimits::default());
    describe(&rpc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_set_one_by_one() {
        let one = changed(
            LedgerLimits::default(),
            &json!({ "operations": 3, "poolLedgers": 2 }),
        )
        .unwrap();
        assert_eq!((one.room[0], one.pool_ledgers), (Some(3), Some(2)));
        let two = changed(one, &json!({ "operations": null, "waitingLedgers": 4 })).unwrap();
        assert_eq!(two.room, [None; KINDS.len()]);
        assert_eq!((two.pool_ledgers, two.waiting_ledgers), (Some(2), Some(4)));
        for wrong in [
            json!([]),
            json!({ "operation": 1 }),
            json!({ "operations": -1 }),
            json!({ "operations": 1.5 }),
            json!({ "poolLedgers": 0 }),
        ] {
            assert!(changed(LedgerLimits::default(), &wrong).is_err(), "{wrong}");
        }
    }
}
