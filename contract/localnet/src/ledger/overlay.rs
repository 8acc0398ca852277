//! Changes on top of a ledger (or on top of other changes) that can be kept or dropped as a whole:
//! one for a ledger, one for each of its transactions, one for each operation.

use super::entry::{Lifetime, Source, Stored, encode, is_persistent, lifetime_entry, lifetime_key};
use crate::network::sha256;
use std::collections::BTreeMap;
use std::sync::Arc;
use stellar_xdr::*;

pub type Changed = BTreeMap<LedgerKey, Option<Stored>>;

pub struct Overlay<'a> {
    below: &'a dyn Source,
    changed: Changed,
    ledger: u32,
}

impl Source for Overlay<'_> {
    fn get(&self, key: &LedgerKey) -> Option<Stored> {
        match self.changed.get(key) {
            Some(stored) => stored.clone(),
            None => self.below.get(key),
        }
    }
}

impl<'a> Overlay<'a> {
    /// `ledger` is the number of the ledger that is being made.
    pub fn new(below: &'a dyn Source, ledger: u32) -> Self {
        Self {
            below,
            changed: Changed::new(),
            ledger,
        }
    }

    pub fn nested(&self) -> Overlay<'_> {
        Overlay::new(self, self.ledger)
    }

    pub fn ledger(&self) -> u32 {
        self.ledger
    }

    /// Creates or replaces an entry; a contract entry keeps the lifetime it has.
    pub fn put(&mut self, data: LedgerEntryData) {
        let entry = LedgerEntry {
            last_modified_ledger_seq: self.ledger,
            data,
            ext: LedgerEntryExt::V0,
        };
        let key = entry.to_key();
        let lifetime = self.get(&key).and_then(|stored| stored.lifetime);
        self.changed.insert(
            key,
            Some(Stored {
                entry: Arc::new(entry),
                lifetime,
            }),
        );
    }

    /// Creates or replaces a contract entry together with its lifetime.
    pub fn put_living(&mut self, key: LedgerKey, mut entry: LedgerEntry, until: u32) {
        entry.last_modified_ledger_seq = self.ledger;
        let lifetime = Some(self.lifetime_until(&key, until));
        self.changed.insert(
            key,
            Some(Stored {
                entry: Arc::new(entry),
                lifetime,
            }),
        );
    }

    /// Changes how long a contract entry lives and leaves the entry alone.
    pub fn set_lifetime(&mut self, key: &LedgerKey, until: u32) {
        if let Some(stored) = self.get(key) {
            let lifetime = Some(self.lifetime_until(key, until));
            self.changed.insert(
                key.clone(),
                Some(Stored {
                    entry: stored.entry,
                    lifetime,
                }),
            );
        }
    }

    fn lifetime_until(&self, key: &LedgerKey, until: u32) -> Lifetime {
        match self.get(key).and_then(|stored| stored.lifetime) {
            Some(lifetime) if lifetime.until == until => lifetime,
            _ => Lifetime {
                until,
                modified: self.ledger,
            },
        }
    }

    pub fn remove(&mut self, key: &LedgerKey) {
        self.changed.insert(key.clone(), None);
    }

    /// Ends this overlay; what it changed goes to `absorb` or is dropped.
    pub fn into_changed(self) -> Changed {
        self.changed
    }

    pub fn absorb(&mut self, changed: Changed) {
        self.changed.extend(changed);
    }

    /// The changes in the form that metadata carries: a STATE before each update or removal, and
    /// lifetimes as entries of their own. Entries written back unchanged are left out.
    pub fn changes(&self) -> LedgerEntryChanges {
        let mut changes = Vec::new();
        for (key, after) in &self.changed {
            let before = self.below.get(key);
            self.entry_changes(key, before.as_ref(), after.as_ref(), &mut changes);
        }
        // The list is bounded by the entries a transaction may touch, far below 2^32.
        LedgerEntryChanges(VecM::try_from(changes).unwrap_or_default())
    }

    /// The header's commitment to the state: the last one, hashed with what this ledger changed.
    /// (On the network it is the root of the bucket list, which needs all the state at hand.)
    pub fn state_digest(&self, last: &Hash) -> Hash {
        let changes = self.changes();
        if changes.0.is_empty() {
            return last.clone();
        }
        let mut bytes = last.0.to_vec();
        bytes.extend(encode(&changes));
        Hash(sha256(&bytes))
    }

    fn entry_changes(
        &self,
        key: &LedgerKey,
        before: Option<&Stored>,
        after: Option<&Stored>,
        changes: &mut Vec<LedgerEntryChange>,
    ) {
        use LedgerEntryChange as C;
        let shown = |stored: &Stored| (*stored.entry).clone();
        let lifetime = |stored: &Stored| stored.lifetime.map(|life| lifetime_entry(key, life));
        match (before, after) {
            (None, None) => {}
            (None, Some(after)) => {
                changes.push(C::Created(shown(after)));
                changes.extend(lifetime(after).map(C::Created));
            }
            (Some(before), None) => {
                changes.push(C::State(shown(before)));
                changes.push(C::Removed(key.clone()));
                if let Some(entry) = lifetime(before) {
                    changes.push(C::State(entry));
                    changes.push(C::Removed(lifetime_key(key)));
                }
            }
            (Some(before), Some(after)) if !before.is_live(self.ledger) => {
                // Back from the archive (CAP-62, CAP-66), or a temporary entry's successor.
                let change = if is_persistent(key) {
                    C::Restored
                } else {
                    C::Created
                };
                changes.push(change(shown(after)));
                changes.extend(lifetime(after).map(change));
            }
            (Some(before), Some(after)) => {
                if before.entry != after.entry {
                    changes.push(C::State(shown(before)));
                    changes.push(C::Updated(shown(after)));
                }
                if before.lifetime != after.lifetime
                    && let (Some(old), Some(new)) = (lifetime(before), lifetime(after))
                {
                    changes.push(C::State(old));
                    changes.push(C::Updated(new));
                }
            }
        }
    }
}
