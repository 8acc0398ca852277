//! Transactions that wait for a ledger. As on the network an account has at most one of them, which
//! a fee bump may replace if it bids ten times the rate; one that was found invalid after all, or
//! that others outbid, is kept out for a while. The rules are those of core's `TransactionQueue`
//! and `TxQueueLimiter`.

use crate::envelope::Envelope;
use crate::fees::FeeRate;
use crate::ledger::Room;
use std::collections::{BTreeMap, HashMap, HashSet};
use stellar_xdr::{AccountId, Hash};

/// Transactions that may wait at once.
pub const PENDING_MAX: usize = 20_000;
/// Ledgers for which a transaction that was dropped is refused (core: TRANSACTION_QUEUE_BAN_LEDGERS).
const BAN_LEDGERS: u32 = 10;
/// A fee bump that replaces a waiting transaction bids so many times its rate (core: FEE_MULTIPLIER).
const REPLACEMENT_TIMES: i64 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The very transaction is waiting, alone or inside a fee bump.
    Duplicate,
    /// Another one of its account waits, it was dropped lately, or too many wait.
    Later,
    /// A transaction of its account with a higher sequence number waits.
    UsedSequence,
    /// It would replace the waiting one if its fee were this many stroops.
    BidToReplace(i64),
    /// The pool is full, and this many stroops would outbid another one.
    BidToEvict(i64),
}

struct Waiting {
    envelope: Envelope,
    taken: Room,
    /// Ledgers that have passed it by.
    passed: u32,
}

/// What taking a transaction in does to others.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Place {
    replaces: Option<u64>,
    evicts: Vec<u64>,
}

#[derive(Default)]
pub struct Pool {
    /// By arrival: the order in which those that bid the same are offered to a ledger.
    waiting: BTreeMap<u64, Waiting>,
    arrivals: u64,
    sources: HashMap<AccountId, u64>,
    /// Fees in stroops that waiting transactions may take from an account.
    fees: HashMap<AccountId, i64>,
    taken: Room,
    banned: HashMap<Hash, u32>,
    /// The last ledger that was settled.
    ledger: u32,
    /// The best bids of classic and of contract transactions that were evicted since the last
    /// ledger: whoever comes now must bid more, even where it would fit.
    outbid: [Option<FeeRate>; 2],
}

fn lane(envelope: &Envelope) -> usize {
    usize::from(envelope.is_soroban())
}

impl Pool {
    /// Whether a transaction can be taken in, and what gives way to it. `room`: what may wait at
    /// once; `None` where only the number of transactions is limited.
    pub fn place(&self, envelope: &Envelope, room: Option<&Room>) -> Result<Place, Obstacle> {
        if self.banned.contains_key(envelope.hash()) {
            return Err(Obstacle::Later);
        }
        let replaces = self.replaced_by(envelope)?;
        if replaces.is_none() && self.waiting.len() >= PENDING_MAX {
            return Err(Obstacle::Later);
        }
        let evicts = match room {
            Some(room) => self.evicted_by(envelope, replaces, room)?,
            None => Vec::new(),
        };
        Ok(Place { replaces, evicts })
    }

    fn replaced_by(&self, envelope: &Envelope) -> Result<Option<u64>, Obstacle> {
        let Some(arrival) = self.sources.get(&envelope.source()) else {
            return Ok(None);
        };
        let Some(Waiting { envelope: old, .. }) = self.waiting.get(arrival) else {
            return Ok(None);
        };
        let is_inside = old.inner_hash() == Some(envelope.hash());
        if old.hash() == envelope.hash() || is_inside {
            return Err(Obstacle::Duplicate);
        }
        let (new, waits) = (
            envelope.transaction().seq_num.0,
            old.transaction().seq_num.0,
        );
        if new < waits {
            return Err(Obstacle::UsedSequence);
        }
        if envelope.fee_bump().is_none() || new != waits {
            return Err(Obstacle::Later);
        }
        let least = FeeRate::of(old).bid_of_times(REPLACEMENT_TIMES, envelope.fee_operations());
        if envelope.inclusion_fee() < least {
            let fee = least.saturating_add(envelope.resource_fee());
            return Err(Obstacle::BidToReplace(fee));
        }
        Ok(Some(*arrival))
    }

    /// Those that bid least, until there is room.
    fn evicted_by(
        &self,
        envelope: &Envelope,
        replaces: Option<u64>,
        room: &Room,
    ) -> Result<Vec<u64>, Obstacle> {
        let operations = envelope.fee_operations();
        let rate = FeeRate::of(envelope);
        let beat = |other: FeeRate| {
            let least = other.bid_above(operations);
            Obstacle::BidToEvict(least.saturating_add(envelope.resource_fee()))
        };
        if let Some(outbid) = self.outbid[lane(envelope)].filter(|outbid| rate <= *outbid) {
            return Err(beat(outbid));
        }
        let needed = Room::taken_by(envelope);
        if !room.holds(&needed, &needed) {
            return Err(Obstacle::Later);
        }
        let given_up = replaces
            .and_then(|arrival| self.waiting.get(&arrival))
            .map_or_else(Room::default, |old| old.taken);
        let mut taken = self.taken.minus(given_up).plus(needed);
        let mut evicts = Vec::new();
        if room.holds(&taken, &needed) {
            return Ok(evicts);
        }
        let mut others: Vec<(FeeRate, u64, Room)> = self
            .waiting
            .iter()
            .filter(|(arrival, other)| {
                Some(**arrival) != replaces && lane(&other.envelope) == lane(envelope)
            })
            .map(|(arrival, other)| (FeeRate::of(&other.envelope), *arrival, other.taken))
            .collect();
        // Of those that bid the same the one that came last goes first.
        others.sort_by(|left, right| left.0.cmp(&right.0).then(right.1.cmp(&left.1)));
        for (other, arrival, room_of_other) in others {
            if other >= rate {
                return Err(beat(other));
            }
            evicts.push(arrival);
            taken = taken.minus(room_of_other);
            if room.holds(&taken, &needed) {
                return Ok(evicts);
            }
        }
        Err(Obstacle::Later)
    }

    /// What waiting transactions would take from the account in stroops if this one were among
    /// them.
    pub fn fees_with(&self, envelope: &Envelope, place: &Place) -> i64 {
        let payer = envelope.fee_source();
        let given_up = place
            .replaces
            .and_then(|arrival| self.waiting.get(&arrival))
            .filter(|old| old.envelope.fee_source() == payer)
            .map_or(0, |old| old.envelope.fee_max());
        let fees = self.fees.get(&payer).copied().unwrap_or(0) - given_up;
        fees.saturating_add(envelope.fee_max())
    }

    /// Takes a transaction in at the place that was found for it.
    pub fn insert(&mut self, envelope: Envelope, place: Place) {
        if let Some(replaced) = place.replaces {
            self.remove(replaced);
        }
        for evicted in place.evicts {
            let Some(waiting) = self.remove(evicted) else {
                continue;
            };
            let rate = FeeRate::of(&waiting.envelope);
            let outbid = &mut self.outbid[lane(&waiting.envelope)];
            *outbid = Some(outbid.map_or(rate, |known| known.max(rate)));
            self.ban(waiting.envelope.hash());
        }
        let taken = Room::taken_by(&envelope);
        self.taken = self.taken.plus(taken);
        let fees = self.fees.entry(envelope.fee_source()).or_insert(0);
        *fees = fees.saturating_add(envelope.fee_max());
        self.arrivals += 1;
        self.sources.insert(envelope.source(), self.arrivals);
        let passed = 0;
        self.waiting.insert(
            self.arrivals,
            Waiting {
                envelope,
                taken,
                passed,
            },
        );
    }

    fn remove(&mut self, arrival: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&arrival)?;
        self.taken = self.taken.minus(waiting.taken);
        self.sources.remove(&waiting.envelope.source());
        let payer = waiting.envelope.fee_source();
        if let Some(fees) = self.fees.get_mut(&payer) {
            *fees -= waiting.envelope.fee_max();
            if *fees <= 0 {
                self.fees.remove(&payer);
            }
        }
        Some(waiting)
    }

    /// Keeps a transaction out for some ledgers.
    pub fn ban(&mut self, hash: &Hash) {
        self.banned.insert(hash.clone(), self.ledger + BAN_LEDGERS);
    }

    /// In the order of arrival.
    pub fn candidates(&self) -> Vec<Envelope> {
        let waiting = self.waiting.values();
        waiting.map(|waiting| waiting.envelope.clone()).collect()
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// After a ledger: forgets what it applied, bans what it refused, and drops what it passed by
    /// once too often.
    pub fn settle<'a>(
        &mut self,
        ledger: u32,
        applied: impl Iterator<Item = &'a Envelope>,
        refused: impl Iterator<Item = &'a Envelope>,
        left: impl Iterator<Item = &'a Envelope>,
        waiting_ledgers: Option<u32>,
    ) {
        self.ledger = ledger;
        self.banned.retain(|_, until| *until > ledger);
        self.outbid = [None; 2];
        for envelope in applied {
            // By number and not by hash: a bump that came meanwhile has become invalid.
            let used = envelope.transaction().seq_num.0;
            let arrival = self.sources.get(&envelope.source()).copied();
            let waits = arrival.and_then(|arrival| self.waiting.get(&arrival));
            if waits.is_some_and(|old| old.envelope.transaction().seq_num.0 <= used) {
                arrival.and_then(|arrival| self.remove(arrival));
            }
        }
        for envelope in refused {
            self.forget(envelope.hash(), &envelope.source());
            self.ban(envelope.hash());
        }
        let left: HashSet<&Hash> = left.map(Envelope::hash).collect();
        let mut dropped = Vec::new();
        for (arrival, waiting) in &mut self.waiting {
            if !left.contains(waiting.envelope.hash()) {
                continue;
            }
            waiting.passed += 1;
            if waiting_ledgers.is_some_and(|most| waiting.passed >= most) {
                dropped.push((*arrival, waiting.envelope.hash().clone()));
            }
        }
        for (arrival, hash) in dropped {
            self.remove(arrival);
            self.ban(&hash);
        }
    }

    fn forget(&mut self, hash: &Hash, source: &AccountId) {
        let arrival = self.sources.get(source).copied();
        let waits = arrival.and_then(|arrival| self.waiting.get(&arrival));
        if waits.is_some_and(|waiting| waiting.envelope.hash() == hash) {
            arrival.and_then(|arrival| self.remove(arrival));
        }
    }
}
