//! `getEvents`: contract events of the kept ledgers, by filter, in pages.

use super::answer::{Answer, Fault, bytes, check_format, number, xdr};
use super::time::iso_8601;
use crate::history::{EventRecord, LedgerRecord, TransactionRecord};
use crate::node::Node;
use serde_json::{Value, json};
use soroban_env_host::DEFAULT_XDR_RW_LIMITS;
use std::sync::Arc;
use stellar_xdr::{ContractEventType, ContractId, Hash, ReadXdr, ScVal};

const FILTERS_MAX: usize = 5;
const CONTRACTS_MAX: usize = 5;
const TOPICS_MAX: usize = 5;
const SEGMENTS_MAX: usize = 4;
const LIMIT_DEFAULT: u64 = 100;
const LIMIT_MAX: u64 = 10_000;
/// Ledgers that one call searches at most.
const SCAN_MAX: u32 = 10_000;

/// Where an event stands among all events. In text the first three are one number, ledger in the
/// upper 32 bits, transaction in 20, operation in 12 (SEP-35).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cursor {
    ledger: u32,
    transaction: u32,
    operation: u32,
    event: u32,
}

const TRANSACTION_BITS: u32 = 20;
const OPERATION_BITS: u32 = 12;

impl Cursor {
    fn start_of(ledger: u32) -> Self {
        Self {
            ledger,
            transaction: 0,
            operation: 0,
            event: 0,
        }
    }

    fn end_of(ledger: u32) -> Self {
        Self {
            ledger,
            transaction: (1 << TRANSACTION_BITS) - 1,
            operation: (1 << OPERATION_BITS) - 1,
            event: u32::MAX - 1,
        }
    }

    fn parse(text: &str) -> Result<Self, Fault> {
        let malformed = || Fault::parameters(format!("\"{text}\" is not a cursor"));
        let (place, event) = text.split_once('-').ok_or_else(malformed)?;
        let place: u64 = place.parse().map_err(|_| malformed())?;
        let event: u32 = event.parse().map_err(|_| malformed())?;
        let low = |bits: u32, value: u64| u32::try_from(value & ((1 << bits) - 1)).unwrap_or(0);
        Ok(Self {
            ledger: u32::try_from(place >> 32).map_err(|_| malformed())?,
            transaction: low(TRANSACTION_BITS, place >> OPERATION_BITS),
            operation: low(OPERATION_BITS, place),
            event,
        })
    }

    fn text(self) -> String {
        let place = u64::from(self.ledger) << 32
            | u64::from(self.transaction) << OPERATION_BITS
            | u64::from(self.operation);
        format!("{place:019}-{:010}", self.event)
    }
}

enum Segment {
    Any,
    Is(ScVal),
}

struct TopicFilter {
    segments: Vec<Segment>,
    /// Ends in `**`: any number of further topics, none included.
    open: bool,
}

impl TopicFilter {
    fn parse(value: &Value) -> Result<Self, Fault> {
        let segments = value
            .as_array()
            .ok_or_else(|| Fault::parameters("a topic filter must be a list of segments"))?;
        let mut filter = Self {
            segments: Vec::new(),
            open: false,
        };
        for (at, segment) in segments.iter().enumerate() {
            let text = segment
                .as_str()
                .ok_or_else(|| Fault::parameters("a segment of a topic filter must be a string"))?;
            match text {
                "**" if at + 1 == segments.len() => filter.open = true,
                "**" => return Err(Fault::parameters("\"**\" may only be the last segment")),
                "*" => filter.segments.push(Segment::Any),
                text => {
                    let value = bytes(text, "a segment")
                        .ok()
                        .and_then(|bytes| ScVal::from_xdr(bytes, DEFAULT_XDR_RW_LIMITS).ok())
                        .ok_or_else(|| {
                            Fault::parameters(
                                "a segment must be \"*\", \"**\" or an ScVal in base64",
                            )
                        })?;
                    filter.segments.push(Segment::Is(value));
                }
            }
        }
        if filter.segments.len() > SEGMENTS_MAX || segments.is_empty() {
            return Err(Fault::parameters(format!(
                "a topic filter has 1 to {SEGMENTS_MAX} segments"
            )));
        }
        Ok(filter)
    }

    fn matches(&self, topics: &[ScVal]) -> bool {
        let fits = if self.open {
            topics.len() >= self.segments.len()
        } else {
            topics.len() == self.segments.len()
        };
        fits && self
            .segments
            .iter()
            .zip(topics)
            .all(|(segment, topic)| match segment {
                Segment::Any => true,
                Segment::Is(value) => value == topic,
            })
    }
}

struct Filter {
    kinds: Vec<ContractEventType>,
    contracts: Vec<ContractId>,
    topics: Vec<TopicFilter>,
}

fn items<'a>(value: &'a Value, name: &str, max: usize) -> Result<&'a [Value], Fault> {
    let list = match value {
        Value::Null => return Ok(&[]),
        Value::Array(list) => list,
        _ => return Err(Fault::parameters(format!("\"{name}\" must be a list"))),
    };
    if list.len() > max {
        return Err(Fault::parameters(format!(
            "{} {name}, at most {max}",
            list.len()
        )));
    }
    Ok(list)
}

impl Filter {
    fn parse(value: &Value) -> Result<Self, Fault> {
        let mut kinds = Vec::new();
        for kind in value["type"]
            .as_str()
            .unwrap_or("")
            .split(',')
            .filter(|kind| !kind.is_empty())
        {
            kinds.push(match kind.trim() {
                "contract" => ContractEventType::Contract,
                "system" => ContractEventType::System,
                other => {
                    return Err(Fault::parameters(format!(
                        "events have no type \"{other}\""
                    )));
                }
            });
        }
        let contracts = items(&value["contractIds"], "contractIds", CONTRACTS_MAX)?
            .iter()
            .map(|id| {
                let text = id.as_str().unwrap_or("");
                stellar_strkey::Contract::from_string(text)
                    .map(|contract| ContractId(Hash(contract.0)))
                    .map_err(|_| Fault::parameters(format!("\"{text}\" is not a contract address")))
            })
            .collect::<Result<_, _>>()?;
        let topics = items(&value["topics"], "topics", TOPICS_MAX)?
            .iter()
            .map(TopicFilter::parse)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            kinds,
            contracts,
            topics,
        })
    }

    fn matches(&self, event: &EventRecord) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&event.kind))
            && (self.contracts.is_empty()
                || event
                    .contract
                    .as_ref()
                    .is_some_and(|id| self.contracts.contains(id)))
            && (self.topics.is_empty()
                || self
                    .topics
                    .iter()
                    .any(|filter| filter.matches(&event.topics)))
    }
}

/// What is searched: from a place on, up to a ledger.
struct Window {
    /// The first place that counts.
    from: Cursor,
    /// The place itself has been seen already.
    after: bool,
    last_ledger: u32,
}

fn window(parameters: &Value, oldest: u32, latest: u32) -> Result<Window, Fault> {
    let ledger = |name| -> Result<Option<u32>, Fault> {
        number(parameters, name)?
            .map(|value| {
                u32::try_from(value)
                    .map_err(|_| Fault::parameters(format!("{name} is not a ledger")))
            })
            .transpose()
    };
    let (start, end) = (ledger("startLedger")?, ledger("endLedger")?);
    let kept = |sequence: u32| {
        if (oldest..=latest).contains(&sequence) {
            Ok(sequence)
        } else {
            Err(Fault::request(format!(
                "startLedger must be within the ledger range: {oldest} - {latest}"
            )))
        }
    };
    let reach = |first: u32| first.saturating_add(SCAN_MAX - 1).min(latest);
    if let Some(cursor) = parameters["pagination"]["cursor"].as_str() {
        if start.is_some() || end.is_some() {
            return Err(Fault::parameters(
                "a cursor stands in place of startLedger and endLedger",
            ));
        }
        let from = Cursor::parse(cursor)?;
        return Ok(Window {
            from,
            after: true,
            last_ledger: reach(kept(from.ledger)?),
        });
    }
    let start = start
        .filter(|start| *start > 0)
        .ok_or_else(|| Fault::parameters("startLedger must be positive"))?;
    if end.is_some_and(|end| end <= start) {
        return Err(Fault::parameters("endLedger must be after startLedger"));
    }
    let last_ledger = reach(kept(start)?).min(end.map_or(u32::MAX, |end| end - 1));
    Ok(Window {
        from: Cursor::start_of(start),
        after: false,
        last_ledger,
    })
}

pub fn answer(node: &Node, parameters: &Value) -> Answer {
    check_format(parameters)?;
    let limit = number(&parameters["pagination"], "limit")?.unwrap_or(LIMIT_DEFAULT);
    if limit == 0 || limit > LIMIT_MAX {
        return Err(Fault::parameters(format!(
            "limit must be from 1 to {LIMIT_MAX}"
        )));
    }
    let filters = items(&parameters["filters"], "filters", FILTERS_MAX)?
        .iter()
        .map(Filter::parse)
        .collect::<Result<Vec<_>, _>>()?;

    let (searched, window, mut answer) = node.with_history(|history| {
        let (oldest, latest) = (history.oldest(), history.latest());
        let window = window(parameters, oldest.sequence, latest.sequence)?;
        let answer = json!({
            "latestLedger": latest.sequence,
            "oldestLedger": oldest.sequence,
            "latestLedgerCloseTime": latest.close_time.to_string(),
            "oldestLedgerCloseTime": oldest.close_time.to_string(),
        });
        Ok((
            history.range(window.from.ledger, window.last_ledger),
            window,
            answer,
        ))
    })?;

    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (events, last) = search(&searched, &window, &filters, limit);
    let cursor = match last {
        Some(last) if events.len() >= limit => last,
        _ => Cursor::end_of(window.last_ledger).max(window.from),
    };
    answer["events"] = json!(events);
    answer["cursor"] = json!(cursor.text());
    Ok(answer)
}

fn search(
    ledgers: &[Arc<LedgerRecord>],
    window: &Window,
    filters: &[Filter],
    limit: usize,
) -> (Vec<Value>, Option<Cursor>) {
    let mut found = Vec::new();
    let mut last = None;
    for ledger in ledgers {
        for transaction in &ledger.transactions {
            for event in &transaction.events {
                let place = Cursor {
                    ledger: ledger.sequence,
                    transaction: transaction.order,
                    operation: event.operation,
                    event: event.index,
                };
                let seen = if window.after {
                    place <= window.from
                } else {
                    place < window.from
                };
                let wanted = filters.is_empty() || filters.iter().any(|one| one.matches(event));
                if seen || !wanted {
                    continue;
                }
                found.push(describe(place, transaction, event));
                last = Some(place);
                if found.len() >= limit {
                    return (found, last);
                }
            }
        }
    }
    (found, last)
}

fn describe(place: Cursor, transaction: &TransactionRecord, event: &EventRecord) -> Value {
    let kind = match event.kind {
        ContractEventType::System => "system",
        ContractEventType::Contract => "contract",
        ContractEventType::Diagnostic => "diagnostic",
    };
    let contract = event.contract.as_ref().map_or_else(String::new, |id| {
        stellar_strkey::Contract(id.0.0).to_string().to_string()
    });
    json!({
        "type": kind,
        "ledger": place.ledger,
        "ledgerClosedAt": iso_8601(transaction.close_time),
        "contractId": contract,
        "id": place.text(),
        "transactionIndex": place.transaction,
        "operationIndex": place.operation,
        "inSuccessfulContractCall": true,
        "txHash": hex::encode(transaction.hash.0),
        "topic": event.topics.iter().map(xdr).collect::<Vec<_>>(),
        "value": xdr(&event.value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text() {
        let cursor = Cursor {
            ledger: 114,
            transaction: 1,
            operation: 0,
            event: 3,
        };
        assert_eq!(cursor.text(), "0000000489626275840-0000000003");
        assert_eq!(Cursor::parse(&cursor.text()).unwrap(), cursor);
        let end = Cursor::end_of(u32::MAX);
        assert_eq!(Cursor::parse(&end.text()).unwrap(), end);
        for text in [
            "",
            "-",
            "1",
            "1-",
            "a-b",
            "99999999999999999999-0",
            "1-4294967296",
        ] {
            assert!(Cursor::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn topic_filters() {
        let topics = [ScVal::U32(1), ScVal::U32(2)];
        let one = xdr(&ScVal::U32(1));
        let cases = [
            (json!(["*", "*"]), true),
            (json!(["*"]), false),
            (json!(["*", "*", "*"]), false),
            (json!(["**"]), true),
            (json!([one, "**"]), true),
            (json!([one, "*"]), true),
            (json!([one, one]), false),
            (json!(["*", "*", "**"]), true),
            (json!(["*", "*", "*", "**"]), false),
        ];
        for (filter, expected) in cases {
            assert_eq!(
                TopicFilter::parse(&filter).unwrap().matches(&topics),
                expected,
                "{filter}"
            );
        }
        for filter in [
            json!(["**", "*"]),
            json!([]),
            json!(["?"]),
            json!(["*", "*", "*", "*", "*"]),
        ] {
            assert!(TopicFilter::parse(&filter).is_err(), "{filter}");
        }
    }
}
