//! `simulateTransaction`. A simulation that fails is a result with an `error`, not an error.

use super::answer::{Answer, Fault, check_format, number, text, xdr};
use crate::envelope::Envelope;
use crate::ledger::Snapshot;
use crate::node::Node;
use crate::simulation::{AuthMode, Refused, Request, Simulated, simulate};
use serde_json::{Value, json};
use soroban_simulation::simulation::LedgerEntryDiff;

pub fn answer(node: &Node, parameters: &Value) -> Answer {
    check_format(parameters)?;
    let envelope = Envelope::from_base64(text(parameters, "transaction")?, node.network())
        .map_err(|error| Fault::parameters(format!("invalid_xdr: {error}")))?;
    let auth_mode = match &parameters["authMode"] {
        Value::Null => AuthMode::Default,
        Value::String(mode) => match mode.as_str() {
            "" => AuthMode::Default,
            "enforce" => AuthMode::Enforce,
            "record" => AuthMode::Record,
            "record_allow_nonroot" => AuthMode::RecordAllowNonRoot,
            other => return Err(Fault::parameters(format!("unknown authMode \"{other}\""))),
        },
        _ => {
            return Err(Fault::parameters(
                "the parameter \"authMode\" must be a string",
            ));
        }
    };
    let leeway = number(&parameters["resourceConfig"], "instructionLeeway")?.unwrap_or(0);
    let request = Request {
        envelope: &envelope,
        auth_mode,
        upgraded_auth: parameters["useUpgradedAuth"].as_bool().unwrap_or(false),
        instruction_leeway: u32::try_from(leeway).unwrap_or(u32::MAX),
    };
    let snapshot = node.snapshot();
    Ok(describe(&snapshot, simulate(&snapshot, &request)))
}

fn describe(snapshot: &Snapshot, simulated: Result<Simulated, Refused>) -> Value {
    let latest = snapshot.sequence();
    match simulated {
        Err(Refused { error, events }) => json!({
            "error": error,
            "events": events.iter().map(xdr).collect::<Vec<_>>(),
            "latestLedger": latest,
        }),
        Ok(simulated) => {
            let mut answer = json!({
                "transactionData": xdr(&simulated.data),
                "minResourceFee": simulated.data.resource_fee.to_string(),
                "events": simulated.events.iter().map(xdr).collect::<Vec<_>>(),
                "stateChanges": simulated.differences.iter().filter_map(difference).collect::<Vec<_>>(),
                "latestLedger": latest,
            });
            if let Some((value, auth)) = simulated.invocation {
                answer["results"] = json!([{
                    "auth": auth.iter().map(xdr).collect::<Vec<_>>(),
                    "xdr": xdr(&value),
                }]);
            }
            answer
        }
    }
}

fn difference(difference: &LedgerEntryDiff) -> Option<Value> {
    let (before, after) = (&difference.state_before, &difference.state_after);
    let kind = match (before, after) {
        (None, Some(_)) => "created",
        (Some(_), Some(_)) => "updated",
        (Some(_), None) => "deleted",
        (None, None) => return None,
    };
    let key = after.as_ref().or(before.as_ref())?.to_key();
    Some(json!({
        "type": kind,
        "key": xdr(&key),
        "before": before.as_ref().map(xdr),
        "after": after.as_ref().map(xdr),
    }))
}
