//! Faults on demand: what a client must be able to live with, made to happen by an admin call.
//! Without the admin interface there is none of this.

mod calls;
mod fault;
mod lie;

pub use calls::{add, clear, remove, show};
pub use fault::{Fault, Kind};
pub use lie::Lie;

use crate::envelope::Envelope;
use crate::ledger::Order;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use stellar_xdr::Hash;

/// Faults that can be set at once.
pub const FAULTS_MAX: usize = 100;
/// Submitted transactions that are remembered, so that a lie can be told about one that never was
/// in a ledger.
const SUBMITTED_MAX: usize = 256;

/// What happens to one request.
#[derive(Debug, Default)]
pub struct Struck {
    /// Nothing is done and nothing is answered.
    pub dropped: bool,
    /// What is asked for is done, and the answer is lost.
    pub lost: bool,
    pub delay: Duration,
    /// The answer is lost after the submitted transaction was included, so long after at most.
    pub timed_out: Option<Duration>,
    pub duplicated: bool,
    pub lies: Vec<Lie>,
}

#[derive(Default)]
struct Inner {
    faults: Vec<Fault>,
    next: u64,
    submitted: VecDeque<(Hash, Envelope)>,
}

#[derive(Default)]
pub struct Faults(Mutex<Inner>);

impl Faults {
    fn held(&self) -> MutexGuard<'_, Inner> {
        // Each change is whole: what a thread that died left behind is good.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which faults strike a request. Each that does is counted.
    pub fn strike(&self, method: &str) -> Struck {
        let mut struck = Struck::default();
        for fault in &mut self.held().faults {
            if !fault.concerns(method) || !fault.strikes() {
                continue;
            }
            match fault.kind() {
                Kind::Drop => struck.dropped = true,
                Kind::Lose => struck.lost = true,
                Kind::Delay(time) => struck.delay += *time,
                Kind::TimeOut(time) => struck.timed_out = Some(*time),
                Kind::Duplicate => struck.duplicated = true,
                Kind::Lie(lie) => struck.lies.push(lie.clone()),
                Kind::Reorder(_) => {}
            }
        }
        struck
    }

    /// The order in which the transactions of a ledger are applied. Asked for each ledger that has
    /// more than one.
    pub fn order(&self) -> Order {
        let mut order = Order::default();
        for fault in &mut self.held().faults {
            if let Kind::Reorder(wanted) = *fault.kind()
                && fault.strikes()
            {
                order = wanted;
            }
        }
        order
    }

    /// Remembers a transaction that was sent here.
    pub fn remember(&self, envelope: Envelope) {
        let mut inner = self.held();
        if inner.submitted.len() == SUBMITTED_MAX {
            inner.submitted.pop_front();
        }
        let hash = envelope.hash().clone();
        inner.submitted.push_back((hash, envelope));
    }

    pub fn submitted(&self, hash: &Hash) -> Option<Envelope> {
        let inner = self.held();
        let found = inner
            .submitted
            .iter()
            .rev()
            .find(|(known, envelope)| known == hash || envelope.inner_hash() == Some(hash));
        found.map(|(_, envelope)| envelope.clone())
    }

    fn list(&self) -> Vec<Value> {
        self.held().faults.iter().map(Fault::describe).collect()
    }

    /// Takes a fault in and says what it is; `None` if there are too many.
    fn add(&self, mut fault: Fault) -> Option<Value> {
        let mut inner = self.held();
        if inner.faults.len() >= FAULTS_MAX {
            return None;
        }
        inner.next += 1;
        fault.number(inner.next);
        let described = fault.describe();
        inner.faults.push(fault);
        Some(described)
    }

    fn remove(&self, id: u64) -> bool {
        let mut inner = self.held();
        let before = inner.faults.len();
        inner.faults.retain(|fault| fault.id() != id);
        inner.faults.len() < before
    }

    fn clear(&self) {
        self.held().faults.clear();
    }
}
