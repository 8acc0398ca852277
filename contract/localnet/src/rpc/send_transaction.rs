//! `sendTransaction`

use super::answer::{Answer, Fault, check_format, text, xdr};
use crate::envelope::Envelope;
use crate::node::{Node, Sent};
use serde_json::{Value, json};
use stellar_xdr::*;

pub fn answer(node: &Node, parameters: &Value) -> Answer {
    check_format(parameters)?;
    let envelope = Envelope::from_base64(text(parameters, "transaction")?, node.network())
        .map_err(|error| Fault::parameters(format!("invalid_xdr: {error}")))?;
    let hash = envelope.hash().clone();
    let sent = node.send(envelope);
    Ok(describe(node, &hash, sent))
}

pub fn describe(node: &Node, hash: &Hash, sent: Sent) -> Value {
    let (latest, close_time) =
        node.with_history(|history| (history.latest().sequence, history.latest().close_time));
    let mut answer = json!({
        "hash": hex::encode(hash.0),
        "latestLedger": latest,
        "latestLedgerCloseTime": close_time.to_string(),
    });
    answer["status"] = json!(match sent {
        Sent::Pending => "PENDING",
        Sent::Duplicate => "DUPLICATE",
        Sent::TryAgainLater => "TRY_AGAIN_LATER",
        Sent::Refused(refused) => {
            let (result, refusal) = *refused;
            answer["errorResultXdr"] = json!(xdr(&result));
            if let Some(reason) = refusal.reason {
                answer["diagnosticEventsXdr"] = json!([xdr(&diagnosis(&reason))]);
            }
            "ERROR"
        }
    });
    answer
}

/// The reason for a refusal in the form in which core's diagnostics come.
fn diagnosis(reason: &str) -> DiagnosticEvent {
    let error = ScVal::Error(ScError::Storage(ScErrorCode::InvalidInput));
    let topics = vec![
        ScVal::Symbol(ScSymbol(StringM::try_from("error").unwrap_or_default())),
        error,
    ];
    let text = StringM::try_from(reason).unwrap_or_default();
    DiagnosticEvent {
        in_successful_contract_call: false,
        event: ContractEvent {
            ext: ExtensionPoint::V0,
            contract_id: None,
            type_: ContractEventType::Diagnostic,
            body: ContractEventBody::V0(ContractEventV0 {
                topics: VecM::try_from(topics).unwrap_or_default(),
                data: ScVal::String(ScString(text)),
            }),
        },
    }
}
