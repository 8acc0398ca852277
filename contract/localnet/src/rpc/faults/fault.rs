//! A fault as an admin call states it: what goes wrong, for which methods, and how often.

use super::lie::Lie;
use crate::ledger::Order;
use serde_json::{Value, json};
use std::time::Duration;

/// Milliseconds of a delay, and for which an answer is held back.
const MS_MAX: u64 = 600_000;
const TIME_OUT_MS: u64 = 30_000;

#[derive(Debug)]
pub enum Kind {
    Delay(Duration),
    Drop,
    Lose,
    TimeOut(Duration),
    Duplicate,
    Reorder(Order),
    Lie(Lie),
}

#[derive(Debug)]
pub struct Fault {
    id: u64,
    kind: Kind,
    /// Empty: all that the kind makes sense for.
    methods: Vec<String>,
    /// How many it still lets pass before the first one.
    skip: u64,
    /// How often it strikes yet; `None`: until it is removed.
    left: Option<u64>,
    /// Of how many in a million it strikes.
    per_million: u64,
    random: u64,
    struck: u64,
    /// The words it was stated with.
    stated: Value,
}

const METHODS: [&str; 12] = [
    "getEvents",
    "getFeeStats",
    "getHealth",
    "getLatestLedger",
    "getLedgerEntries",
    "getLedgers",
    "getNetwork",
    "getTransaction",
    "getTransactions",
    "getVersionInfo",
    "sendTransaction",
    "simulateTransaction",
];
const COMMON: [&str; 6] = ["fault", "methods", "skip", "count", "probability", "seed"];

fn whole(stated: &Value, name: &str, otherwise: u64, most: u64) -> Result<u64, String> {
    match &stated[name] {
        Value::Null => Ok(otherwise),
        value => value
            .as_u64()
            .filter(|value| *value <= most)
            .ok_or_else(|| format!("\"{name}\" must be a whole number from 0 to {most}")),
    }
}

impl Kind {
    /// The kind, and the members that only it has.
    fn parse(stated: &Value) -> Result<(Self, &'static [&'static str]), String> {
        let time = |otherwise| whole(stated, "ms", otherwise, MS_MAX).map(Duration::from_millis);
        Ok(match stated["fault"].as_str() {
            Some("delay") => (Kind::Delay(time(1_000)?), &["ms"]),
            Some("drop") => (Kind::Drop, &[]),
            Some("lose") => (Kind::Lose, &[]),
            Some("timeOut") => (Kind::TimeOut(time(TIME_OUT_MS)?), &["ms"]),
            Some("duplicate") => (Kind::Duplicate, &[]),
            Some("reorder") => {
                let order = match &stated["seed"] {
                    Value::Null => Order::Reversed,
                    _ => Order::Drawn(whole(stated, "seed", 0, u64::MAX)?),
                };
                (Kind::Reorder(order), &[])
            }
            Some("lie") => (
                Kind::Lie(Lie::parse(stated)?),
                &["about", "says", "by", "key", "xdr", "event"],
            ),
            _ => {
                return Err(
                    "\"fault\" is delay, drop, lose, timeOut, duplicate, reorder or lie".to_owned(),
                );
            }
        })
    }

    /// The methods that it can strike; empty: all.
    fn reach(&self) -> &'static [&'static str] {
        match self {
            Kind::Delay(_) | Kind::Drop | Kind::Lose => &[],
            Kind::TimeOut(_) => &["sendTransaction"],
            Kind::Duplicate => &["sendTransaction", "getEvents"],
            Kind::Reorder(_) => &["none"],
            Kind::Lie(lie) => lie.reach(),
        }
    }
}

impl Fault {
    /// Reads a fault; the error is a sentence.
    pub fn parse(stated: Value) -> Result<Self, String> {
        let (kind, members) = Kind::parse(&stated)?;
        let Some(all) = stated.as_object() else {
            return Err("a fault is an object".to_owned());
        };
        let known =
            |name: &&String| COMMON.contains(&name.as_str()) || members.contains(&name.as_str());
        if let Some(unknown) = all.keys().find(|name| !known(name)) {
            return Err(format!("this fault has no \"{unknown}\""));
        }
        let methods = methods(&stated, &kind)?;
        let per_million = match &stated["probability"] {
            Value::Null => 1_000_000,
            value => value
                .as_f64()
                .filter(|probability| (0.0..=1.0).contains(probability))
                .map(|probability| (probability * 1_000_000.0).round() as u64)
                .ok_or("\"probability\" must be a number from 0 to 1")?,
        };
        let left = match &stated["count"] {
            Value::Null => None,
            _ => Some(whole(&stated, "count", 0, u64::MAX)?),
        };
        Ok(Self {
            id: 0,
            kind,
            methods,
            skip: whole(&stated, "skip", 0, u64::MAX)?,
            left,
            per_million,
            random: whole(&stated, "seed", 0, u64::MAX)?,
            struck: 0,
            stated,
        })
    }

    pub fn number(&mut self, id: u64) {
        self.id = id;
    }

    pub fn id(&self) -> u64 {
        self.id
    }

    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    pub fn concerns(&self, method: &str) -> bool {
        let reach = self.kind.reach();
        let named = self.methods.is_empty() || self.methods.iter().any(|name| name == method);
        named && (reach.is_empty() || reach.contains(&method))
    }

    /// Whether it strikes this time; counts it if it does.
    pub fn strikes(&mut self) -> bool {
        if self.left == Some(0) || self.draw() % 1_000_000 >= self.per_million {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.left = self.left.map(|left| left - 1);
        self.struck += 1;
        true
    }

    /// The next of the numbers that follow from the seed (SplitMix64).
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// As it was stated, with its id and how often it has struck.
    pub fn describe(&self) -> Value {
        let mut described = self.stated.clone();
        described["id"] = json!(self.id);
        described["struck"] = json!(self.struck);
        described
    }
}

fn methods(stated: &Value, kind: &Kind) -> Result<Vec<String>, String> {
    let wanted = match &stated["methods"] {
        Value::Null => return Ok(Vec::new()),
        Value::Array(wanted) => wanted,
        _ => return Err("\"methods\" must be a list".to_owned()),
    };
    let reach = kind.reach();
    let mut methods = Vec::new();
    for method in wanted {
        let name = method.as_str().unwrap_or("");
        if !METHODS.contains(&name) {
            return Err(format!("there is no method {method}"));
        }
        if !reach.is_empty() && !reach.contains(&name) {
            return Err(format!("this fault does not strike {name}"));
        }
        methods.push(name.to_owned());
    }
    Ok(methods)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(stated: Value) -> Fault {
        Fault::parse(stated).unwrap()
    }

    fn times(fault: &mut Fault, asked: usize) -> usize {
        (0..asked).filter(|_| fault.strikes()).count()
    }

    #[test]
    fn a_fault_strikes_as_often_as_it_is_stated() {
        let mut twice = fault(json!({ "fault": "drop", "skip": 3, "count": 2 }));
        let struck: Vec<bool> = (0..7).map(|_| twice.strikes()).collect();
        assert_eq!(struck, [false, false, false, true, true, false, false]);
        assert_eq!(twice.describe()["struck"], 2);
        assert_eq!(times(&mut fault(json!({ "fault": "drop" })), 1_000), 1_000);
        let never = json!({ "fault": "drop", "probability": 0 });
        assert_eq!(times(&mut fault(never), 1_000), 0);
        let some = json!({ "fault": "drop", "probability": 0.25, "seed": 9 });
        let counted = times(&mut fault(some.clone()), 10_000);
        assert!((2_300..2_700).contains(&counted), "{counted}");
        assert_eq!(
            times(&mut fault(some), 10_000),
            counted,
            "it follows from the seed"
        );
    }

    #[test]
    fn a_fault_strikes_what_it_makes_sense_for() {
        let delay = fault(json!({ "fault": "delay", "ms": 5, "methods": ["getTransaction"] }));
        assert!(delay.concerns("getTransaction") && !delay.concerns("sendTransaction"));
        let duplicate = fault(json!({ "fault": "duplicate" }));
        assert!(duplicate.concerns("sendTransaction") && !duplicate.concerns("getHealth"));
        assert!(!fault(json!({ "fault": "reorder" })).concerns("getHealth"));
    }

    #[test]
    fn a_fault_that_cannot_be_followed_is_refused() {
        for wrong in [
            json!({}),
            json!([]),
            json!({ "fault": "explode" }),
            json!({ "fault": "drop", "ms": 5 }),
            json!({ "fault": "delay", "ms": 600_001 }),
            json!({ "fault": "drop", "probability": 1.1 }),
            json!({ "fault": "drop", "count": -1 }),
            json!({ "fault": "drop", "methods": "getHealth" }),
            json!({ "fault": "drop", "methods": ["getHeath"] }),
            json!({ "fault": "timeOut", "methods": ["getHealth"] }),
            json!({ "fault": "lie" }),
            json!({ "fault": "lie", "about": "status", "says": "PERHAPS" }),
            json!({ "fault": "lie", "about": "balance", "by": 5 }),
            json!({ "fault": "lie", "about": "entry", "key": "AAAA" }),
            json!({ "fault": "lie", "about": "events" }),
        ] {
            assert!(Fault::parse(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
