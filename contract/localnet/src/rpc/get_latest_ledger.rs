//! `getLatestLedger`

use super::answer::{Answer, Fault, base64, xdr};
use crate::node::Node;
use serde_json::json;

pub fn answer(node: &Node) -> Answer {
    let record = node.with_history(|history| history.latest().clone());
    let meta = record.meta().map_err(Fault::internal)?;
    Ok(json!({
        "id": hex::encode(record.hash.0),
        "sequence": record.sequence,
        "protocolVersion": record.header.ledger_version,
        "closeTime": record.close_time.to_string(),
        "headerXdr": xdr(&record.header),
        "metadataXdr": base64(&meta),
    }))
}
