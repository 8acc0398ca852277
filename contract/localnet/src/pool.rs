//! Transactions that wait for a ledger. As on the network an account has at most one of them, and
//! one that was found invalid after all is kept out for a while.

use crate::envelope::Envelope;
use std::collections::{HashMap, HashSet};
use stellar_xdr::{AccountId, Hash};

/// Transactions that may wait at once.
pub const PENDING_MAX: usize = 20_000;
/// Ledgers for which a transaction that was dropped is refused (core: TRANSACTION_QUEUE_BAN_LEDGERS).
const BAN_LEDGERS: u32 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The very transaction is waiting.
    Duplicate,
    /// Another one of its account waits, it was dropped lately, or too many wait.
    Later,
}

#[derive(Default)]
pub struct Pool {
    /// In the order of arrival, in which they are offered to a ledger.
    waiting: Vec<Envelope>,
    hashes: HashSet<Hash>,
    sources: HashSet<AccountId>,
    /// Fees in stroops that waiting transactions may take from an account.
    fees: HashMap<AccountId, i64>,
    banned: HashMap<Hash, u32>,
}

impl Pool {
    pub fn obstacle(&self, envelope: &Envelope) -> Option<Obstacle> {
        if self.hashes.contains(envelope.hash()) {
            return Some(Obstacle::Duplicate);
        }
        let later = self.banned.contains_key(envelope.hash())
            || self.sources.contains(&envelope.source())
            || self.waiting.len() >= PENDING_MAX;
        later.then_some(Obstacle::Later)
    }

    /// What waiting transactions may take from the account, in stroops.
    pub fn fees_of(&self, payer: &AccountId) -> i64 {
        self.fees.get(payer).copied().unwrap_or(0)
    }

    pub fn insert(&mut self, envelope: Envelope) {
        self.hashes.insert(envelope.hash().clone());
        self.sources.insert(envelope.source());
        *self.fees.entry(envelope.fee_source()).or_insert(0) += envelope.fee_max();
        self.waiting.push(envelope);
    }

    pub fn candidates(&self) -> Vec<Envelope> {
        self.waiting.clone()
    }

    /// After a ledger: forgets what it applied and bans what it refused.
    pub fn settle<'a>(
        &mut self,
        ledger: u32,
        applied: impl Iterator<Item = &'a Envelope>,
        refused: impl Iterator<Item = &'a Envelope>,
    ) {
        let mut gone: HashSet<Hash> = applied.map(|envelope| envelope.hash().clone()).collect();
        for envelope in refused {
            gone.insert(envelope.hash().clone());
            self.banned
                .insert(envelope.hash().clone(), ledger + BAN_LEDGERS);
        }
        self.banned.retain(|_, until| *until > ledger);
        let waiting = std::mem::take(&mut self.waiting);
        self.hashes.clear();
        self.sources.clear();
        self.fees.clear();
        for envelope in waiting {
            if !gone.contains(envelope.hash()) {
                self.insert(envelope);
            }
        }
    }
}
