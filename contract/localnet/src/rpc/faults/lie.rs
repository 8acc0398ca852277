//! Lies: answers that say something else than the ledger does.

use crate::envelope::Envelope;
use crate::ledger::encode;
use crate::rpc::answer::{base64, bytes, xdr};
use crate::rpc::time::iso_8601;
use crate::validity::initial_result;
use serde_json::{Value, json};
use soroban_env_host::DEFAULT_XDR_RW_LIMITS;
use stellar_xdr::*;

#[derive(Clone, Debug)]
pub enum Lie {
    /// A transaction has this status, whatever became of it.
    Status(String),
    /// Balances are so much higher.
    Balance(i128),
    /// The entry under a key is this one, or there is none.
    Entry(Box<Claim>),
    /// A simulated call returns this.
    Result(ScVal),
    NoEvents,
    /// All events carry this value.
    EventValue(ScVal),
    /// An event that never was, in the form of the interface.
    Event(Value),
    /// The latest ledger is so many ledgers further.
    Latest(i64),
}

/// What stands under a key, if anything.
#[derive(Clone, Debug)]
pub struct Claim {
    key: LedgerKey,
    entry: Option<LedgerEntryData>,
}

fn decoded<T: ReadXdr>(stated: &Value, name: &str, what: &str) -> Result<T, String> {
    stated[name]
        .as_str()
        .and_then(|text| bytes(text, name).ok())
        .and_then(|bytes| T::from_xdr(bytes, DEFAULT_XDR_RW_LIMITS).ok())
        .ok_or_else(|| format!("\"{name}\" must be {what} in base64"))
}

impl Lie {
    pub fn parse(stated: &Value) -> Result<Self, String> {
        match stated["about"].as_str() {
            Some("status") => match stated["says"].as_str() {
                Some(
                    says @ ("NOT_FOUND" | "SUCCESS" | "FAILED" | "PENDING" | "DUPLICATE"
                    | "TRY_AGAIN_LATER" | "ERROR"),
                ) => Ok(Self::Status(says.to_owned())),
                _ => Err("\"says\" must be a status of getTransaction or sendTransaction".into()),
            },
            Some("balance") => stated["by"]
                .as_str()
                .and_then(|by| by.parse().ok())
                .map(Self::Balance)
                .ok_or_else(|| "\"by\" must be a whole number in a string".into()),
            Some("entry") => Ok(Self::Entry(Box::new(Claim {
                key: decoded(stated, "key", "a LedgerKey")?,
                entry: match &stated["xdr"] {
                    Value::Null => None,
                    _ => Some(decoded(stated, "xdr", "a LedgerEntryData")?),
                },
            }))),
            Some("result") => Ok(Self::Result(decoded(stated, "xdr", "an ScVal")?)),
            Some("events") => match (&stated["says"], &stated["xdr"], &stated["event"]) {
                (Value::String(says), Value::Null, Value::Null) if says == "none" => {
                    Ok(Self::NoEvents)
                }
                (Value::Null, Value::String(_), Value::Null) => {
                    Ok(Self::EventValue(decoded(stated, "xdr", "an ScVal")?))
                }
                (Value::Null, Value::Null, event @ Value::Object(_)) => {
                    Ok(Self::Event(event.clone()))
                }
                _ => Err(
                    "a lie about events says \"none\", or has an \"xdr\" or an \"event\"".into(),
                ),
            },
            Some("ledger") => stated["by"]
                .as_i64()
                .map(Self::Latest)
                .ok_or_else(|| "\"by\" must be a number of ledgers".into()),
            _ => Err("a lie is \"about\" status, balance, entry, result, events or ledger".into()),
        }
    }

    /// The methods that can tell it; empty: all.
    pub fn reach(&self) -> &'static [&'static str] {
        match self {
            Self::Status(says) => match says.as_str() {
                "NOT_FOUND" | "SUCCESS" | "FAILED" => &["getTransaction"],
                _ => &["sendTransaction"],
            },
            Self::Balance(_) => &["getLedgerEntries", "simulateTransaction"],
            Self::Entry(_) => &["getLedgerEntries"],
            Self::Result(_) => &["simulateTransaction"],
            Self::NoEvents | Self::EventValue(_) | Self::Event(_) => &["getEvents"],
            Self::Latest(_) => &[],
        }
    }

    /// Whether a submission is thrown away that is said to wait.
    pub fn swallows(&self) -> bool {
        matches!(self, Self::Status(says) if says == "PENDING")
    }

    /// Changes a true answer. `submitted` is the transaction that it is about, if it was sent here.
    pub fn tell(&self, asked: &Value, submitted: Option<&Envelope>, answer: &mut Value) {
        match self {
            Self::Status(says) => match says.as_str() {
                "NOT_FOUND" => forget(answer),
                "SUCCESS" | "FAILED" => pretend(says, submitted, answer),
                _ => say_sent(says, answer),
            },
            Self::Balance(by) => {
                each(answer, "entries", |entry| {
                    replace::<LedgerEntryData>(&mut entry["xdr"], |data| more(data, *by))
                });
                each(answer, "results", |result| {
                    replace::<ScVal>(&mut result["xdr"], |value| add(value, *by))
                });
            }
            Self::Entry(said) => claim(asked, &said.key, said.entry.as_ref(), answer),
            Self::Result(value) => each(answer, "results", |result| {
                result["xdr"] = json!(xdr(value))
            }),
            Self::NoEvents => answer["events"] = json!([]),
            Self::EventValue(value) => {
                each(answer, "events", |event| event["value"] = json!(xdr(value)))
            }
            Self::Event(event) => invent(event, answer),
            Self::Latest(by) => {
                for name in ["latestLedger", "sequence"] {
                    if let Some(ledger) = answer[name].as_i64() {
                        answer[name] =
                            json!(ledger.saturating_add(*by).clamp(1, i64::from(u32::MAX)));
                    }
                }
            }
        }
    }
}

fn each(answer: &mut Value, list: &str, change: impl FnMut(&mut Value)) {
    // Other answers have no such list.
    if let Some(Value::Array(items)) = answer.get_mut(list) {
        items.iter_mut().for_each(change);
    }
}

fn replace<T: ReadXdr + WriteXdr>(text: &mut Value, change: impl FnOnce(&mut T)) {
    let decoded = text.as_str().and_then(|text| bytes(text, "").ok());
    if let Some(mut value) =
        decoded.and_then(|bytes| T::from_xdr(bytes, DEFAULT_XDR_RW_LIMITS).ok())
    {
        change(&mut value);
        *text = json!(xdr(&value));
    }
}

fn more(data: &mut LedgerEntryData, by: i128) {
    let sum = |balance: i64| {
        let sum = i128::from(balance).saturating_add(by);
        i64::try_from(sum.clamp(0, i128::from(i64::MAX))).unwrap_or(0)
    };
    match data {
        LedgerEntryData::Account(account) => account.balance = sum(account.balance),
        LedgerEntryData::Trustline(line) => line.balance = sum(line.balance),
        LedgerEntryData::ContractData(data) => add(&mut data.val, by),
        _ => {}
    }
}

/// Adds to every amount (`i128`) within a value.
fn add(value: &mut ScVal, by: i128) {
    match value {
        ScVal::I128(parts) => {
            let sum = (i128::from(parts.hi) << 64 | i128::from(parts.lo)).saturating_add(by);
            *parts = Int128Parts {
                hi: (sum >> 64) as i64,
                lo: sum as u64,
            };
        }
        ScVal::Vec(Some(list)) => {
            let mut items = list.to_vec();
            items.iter_mut().for_each(|item| add(item, by));
            list.0 = VecM::try_from(items).unwrap_or_default();
        }
        ScVal::Map(Some(map)) => {
            let mut entries = map.to_vec();
            entries.iter_mut().for_each(|entry| add(&mut entry.val, by));
            map.0 = VecM::try_from(entries).unwrap_or_default();
        }
        _ => {}
    }
}

fn claim(asked: &Value, key: &LedgerKey, data: Option<&LedgerEntryData>, answer: &mut Value) {
    let key = json!(xdr(key));
    if !asked["keys"]
        .as_array()
        .is_some_and(|keys| keys.contains(&key))
    {
        return;
    }
    let latest = answer["latestLedger"].clone();
    let Some(Value::Array(entries)) = answer.get_mut("entries") else {
        return;
    };
    let found = entries.iter().position(|entry| entry["key"] == key);
    match (data, found) {
        (Some(data), Some(at)) => entries[at]["xdr"] = json!(xdr(data)),
        (Some(data), None) => entries.push(json!({
            "key": key,
            "xdr": xdr(data),
            "lastModifiedLedgerSeq": latest,
            "extXdr": xdr(&LedgerEntryExt::V0),
        })),
        (None, Some(at)) => drop(entries.remove(at)),
        (None, None) => {}
    }
}

fn invent(event: &Value, answer: &mut Value) {
    let ledger = answer["latestLedger"].as_u64().unwrap_or(0);
    let close_time = answer["latestLedgerCloseTime"].as_str();
    let close_time = close_time.and_then(|time| time.parse().ok()).unwrap_or(0);
    let mut invented = json!({
        "type": "contract",
        "ledger": ledger,
        "ledgerClosedAt": iso_8601(close_time),
        "contractId": "",
        "id": format!("{:019}-{:010}", ledger << 32 | 1 << 12, 0),
        "transactionIndex": 1,
        "operationIndex": 0,
        "inSuccessfulContractCall": true,
        "txHash": "0".repeat(64),
        "topic": [],
        "value": xdr(&ScVal::Void),
    });
    for (name, value) in event.as_object().into_iter().flatten() {
        invented[name.as_str()] = value.clone();
    }
    if let Some(Value::Array(events)) = answer.get_mut("events") {
        events.push(invented);
    }
}

/// Only what is known of a transaction that is not known.
fn forget(answer: &mut Value) {
    if let Value::Object(members) = answer {
        members.retain(|name, _| {
            name == "txHash" || name.starts_with("latest") || name.starts_with("oldest")
        });
    }
    answer["status"] = json!("NOT_FOUND");
}

fn say_sent(says: &str, answer: &mut Value) {
    if let Value::Object(members) = answer {
        members.remove("errorResultXdr");
        members.remove("diagnosticEventsXdr");
    }
    answer["status"] = json!(says);
    if says == "ERROR" {
        answer["errorResultXdr"] = json!(xdr(&TransactionResult {
            fee_charged: 0,
            result: TransactionResultResult::TxInternalError,
            ext: TransactionResultExt::V0,
        }));
    }
}

/// A transaction in a ledger with this status. One that is in none is said to be in the latest, if
/// its envelope is at hand; otherwise the truth is told.
fn pretend(says: &str, submitted: Option<&Envelope>, answer: &mut Value) {
    let Some(envelope) = submitted.filter(|_| answer["status"] != says) else {
        return;
    };
    if answer["status"] == "NOT_FOUND" {
        let meta = TransactionMeta::V4(TransactionMetaV4::default());
        answer["applicationOrder"] = json!(1);
        answer["feeBump"] = json!(envelope.fee_bump().is_some());
        answer["ledger"] = answer["latestLedger"].clone();
        answer["createdAt"] = answer["latestLedgerCloseTime"].clone();
        answer["envelopeXdr"] = json!(base64(&encode(envelope.xdr())));
        answer["resultMetaXdr"] = json!(xdr(&meta));
        answer["diagnosticEventsXdr"] = json!([]);
        answer["events"] = json!({ "transactionEventsXdr": [], "contractEventsXdr": [] });
    }
    let result = forged(envelope, envelope.fee_max(), says == "SUCCESS");
    answer["resultXdr"] = json!(xdr(&result));
    answer["status"] = json!(says);
}

fn forged(envelope: &Envelope, fee_charged: i64, success: bool) -> TransactionResult {
    let operations = envelope.transaction().operations.iter();
    let results: Vec<OperationResult> = operations
        .map(|operation| match success {
            true => initial_result(&operation.body),
            false => OperationResult::OpNotSupported,
        })
        .collect();
    let results = VecM::try_from(results).unwrap_or_default();
    let code = match success {
        true => TransactionResultResult::TxSuccess(results),
        false => TransactionResultResult::TxFailed(results),
    };
    crate::apply::executed(envelope, fee_charged, code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_changed_wherever_they_stand() {
        let amount = |amount: i128| {
            ScVal::I128(Int128Parts {
                hi: (amount >> 64) as i64,
                lo: amount as u64,
            })
        };
        let map = |of: i128| {
            let entry = ScMapEntry {
                key: ScVal::U32(1),
                val: amount(of),
            };
            let map = ScVal::Map(Some(ScMap(vec![entry].try_into().unwrap())));
            ScVal::Vec(Some(ScVec(vec![map, amount(of)].try_into().unwrap())))
        };
        for (before, by, after) in [
            (5, -7, -2),
            (i128::MAX, 1, i128::MAX),
            (1 << 70, 3, (1 << 70) + 3),
        ] {
            let mut value = map(before);
            add(&mut value, by);
            assert_eq!(value, map(after));
        }
        let mut word = ScVal::U32(5);
        add(&mut word, 1);
        assert_eq!(word, ScVal::U32(5));
    }

    #[test]
    fn an_entry_is_claimed_only_where_it_is_asked_for() {
        let key = LedgerKey::Account(LedgerKeyAccount {
            account_id: AccountId::default(),
        });
        let data = LedgerEntryData::Account(AccountEntry::default());
        let asked = json!({ "keys": [xdr(&key)] });
        let mut answer = json!({ "entries": [], "latestLedger": 7 });
        claim(&json!({ "keys": [] }), &key, Some(&data), &mut answer);
        assert_eq!(answer["entries"], json!([]));
        claim(&asked, &key, Some(&data), &mut answer);
        assert_eq!(answer["entries"][0]["xdr"], json!(xdr(&data)));
        claim(&asked, &key, None, &mut answer);
        assert_eq!(answer["entries"], json!([]));
    }
}
