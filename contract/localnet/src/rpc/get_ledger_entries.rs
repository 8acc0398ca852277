//! `getLedgerEntries`

use super::answer::{Answer, Fault, bytes, check_format, xdr};
use crate::ledger::{Source, is_persistent};
use crate::node::Node;
use serde_json::{Value, json};
use soroban_env_host::DEFAULT_XDR_RW_LIMITS;
use stellar_xdr::{LedgerKey, ReadXdr};

const KEYS_MAX: usize = 200;

pub fn answer(node: &Node, parameters: &Value) -> Answer {
    check_format(parameters)?;
    let keys = parameters["keys"]
        .as_array()
        .ok_or_else(|| Fault::parameters("the parameter \"keys\" must be a list"))?;
    if keys.len() > KEYS_MAX {
        return Err(Fault::parameters(format!(
            "{} keys, at most {KEYS_MAX}",
            keys.len()
        )));
    }
    let keys = keys.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    let snapshot = node.snapshot();
    let latest = snapshot.sequence();
    let mut entries = Vec::new();
    for key in &keys {
        let Some(stored) = snapshot.get(key) else {
            continue;
        };
        if !is_persistent(key) && !stored.is_live(latest) {
            continue;
        }
        let mut entry = json!({
            "key": xdr(key),
            "xdr": xdr(&stored.entry.data),
            "lastModifiedLedgerSeq": stored.entry.last_modified_ledger_seq,
            "extXdr": xdr(&stored.entry.ext),
        });
        if let Some(lifetime) = stored.lifetime {
            entry["liveUntilLedgerSeq"] = json!(lifetime.until);
        }
        entries.push(entry);
    }
    Ok(json!({ "entries": entries, "latestLedger": latest }))
}

fn key(value: &Value) -> Result<LedgerKey, Fault> {
    let text = value
        .as_str()
        .ok_or_else(|| Fault::parameters("a key must be a string"))?;
    let key = LedgerKey::from_xdr(bytes(text, "a key")?, DEFAULT_XDR_RW_LIMITS)
        .map_err(|error| Fault::parameters(format!("not a ledger key: {error}")))?;
    if matches!(key, LedgerKey::Ttl(_)) {
        // A lifetime comes with the entry it belongs to.
        return Err(Fault::parameters("lifetimes cannot be asked for alone"));
    }
    Ok(key)
}
