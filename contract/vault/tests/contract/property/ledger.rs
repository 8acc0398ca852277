//! The ledger between operations. Each runs on a host of its own that finds here whatever it reads, as a validator's transactions do: a
//! host that lives on keeps all that was ever touched at hand, and copies it at every write.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use soroban_sdk::testutils::{HostError, SnapshotSource};
use soroban_sdk::xdr::{LedgerEntry, LedgerKey};

use super::ledger_reader::LedgerReader;
use crate::chain::Chain;

/// An entry, and the last ledger of its life.
type Lasting = (Rc<LedgerEntry>, Option<u32>);

#[derive(Clone, Default)]
pub struct Ledger {
    entries: RefCell<HashMap<Rc<LedgerKey>, Lasting>>,
}

impl SnapshotSource for Ledger {
    fn get(&self, key: &Rc<LedgerKey>) -> Result<Option<Lasting>, HostError> {
        Ok(self.entries.borrow().get(key).cloned())
    }
}

impl Ledger {
    /// Takes what was written on a chain's host, and lets the reader see it. Says whether that was anything of the vault's, or a balance.
    pub fn take(&self, chain: &Chain, reader: &mut LedgerReader) -> bool {
        let mut changed = false;
        let mut entries = self.entries.borrow_mut();
        let stored = chain.env.host().get_stored_entries();
        for (key, entry) in stored.expect("the ledger can be read") {
            let Some(entry) = entry else {
                if entries.remove(&key).is_some() {
                    changed |= reader.see(&key, None);
                }
                continue;
            };
            // What was only read is the very same entry.
            let known = entries.get(&key);
            if !known.is_some_and(|(known, _)| Rc::ptr_eq(known, &entry.0)) {
                changed |= reader.see(&key, Some(&entry.0));
            }
            entries.insert(key, entry);
        }
        changed
    }

    /// All of it, read at once.
    pub fn read(&self, reader: &mut LedgerReader) {
        for (key, (entry, _)) in self.entries.borrow().iter() {
            reader.see(key, Some(entry));
        }
    }
}
