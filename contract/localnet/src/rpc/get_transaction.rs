//! `getTransaction`

use super::answer::{Answer, Fault, base64, check_format, text, xdr};
use crate::history::TransactionRecord;
use crate::node::Node;
use serde_json::{Value, json};
use stellar_xdr::{Hash, Limits, ReadXdr, TransactionMeta};

pub fn answer(node: &Node, parameters: &Value) -> Answer {
    check_format(parameters)?;
    let hash = hash(text(parameters, "hash")?)?;
    let (found, mut answer) = node.with_history(|history| {
        let (latest, oldest) = (history.latest(), history.oldest());
        let answer = json!({
            "status": "NOT_FOUND",
            "latestLedger": latest.sequence,
            "latestLedgerCloseTime": latest.close_time.to_string(),
            "oldestLedger": oldest.sequence,
            "oldestLedgerCloseTime": oldest.close_time.to_string(),
            "txHash": hex::encode(hash.0),
        });
        (history.transaction(&hash).cloned(), answer)
    });
    if let Some(transaction) = found {
        describe(&transaction, &mut answer)?;
    }
    Ok(answer)
}

pub fn hash(text: &str) -> Result<Hash, Fault> {
    let mut hash = [0u8; 32];
    hex::decode_to_slice(text, &mut hash)
        .map_err(|_| Fault::parameters("a transaction hash has 64 hexadecimal digits"))?;
    Ok(Hash(hash))
}

pub fn describe(transaction: &TransactionRecord, answer: &mut Value) -> Result<(), Fault> {
    let TransactionMeta::V4(meta) = TransactionMeta::from_xdr(&transaction.meta, Limits::none())
        .map_err(|error| Fault::internal(format!("kept metadata cannot be read: {error}")))?
    else {
        return Err(Fault::internal("kept metadata is of an unknown form"));
    };
    let contract_events: Vec<Vec<String>> = meta
        .operations
        .iter()
        .map(|operation| operation.events.iter().map(xdr).collect())
        .collect();
    answer["status"] = json!(if transaction.succeeded {
        "SUCCESS"
    } else {
        "FAILED"
    });
    answer["applicationOrder"] = json!(transaction.order);
    answer["feeBump"] = json!(transaction.inner_hash.is_some());
    answer["ledger"] = json!(transaction.ledger);
    answer["createdAt"] = json!(transaction.close_time.to_string());
    answer["envelopeXdr"] = json!(base64(&transaction.envelope));
    answer["resultXdr"] = json!(base64(&transaction.result));
    answer["resultMetaXdr"] = json!(base64(&transaction.meta));
    answer["diagnosticEventsXdr"] =
        json!(meta.diagnostic_events.iter().map(xdr).collect::<Vec<_>>());
    answer["events"] = json!({
        "transactionEventsXdr": meta.events.iter().map(xdr).collect::<Vec<_>>(),
        "contractEventsXdr": contract_events,
    });
    Ok(())
}
