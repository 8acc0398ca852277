//! A ledger as it was closed: header and entries. Cloning one is cheap and the clone never
//! changes, so whoever reads does not wait for whoever closes the next.

use super::entry::{Source, Stored, is_persistent};
use super::overlay::Changed;
use crate::network::{Network, sha256};
use crate::settings::Settings;
use rpds::HashTrieMapSync;
use std::sync::Arc;
use stellar_xdr::*;

#[derive(Clone)]
pub struct Snapshot {
    network: Arc<Network>,
    header: Arc<LedgerHeader>,
    hash: Hash,
    entries: HashTrieMapSync<LedgerKey, Stored>,
    settings: Arc<Settings>,
}

impl Source for Snapshot {
    fn get(&self, key: &LedgerKey) -> Option<Stored> {
        self.entries.get(key).cloned()
    }
}

struct Entries<'a>(&'a HashTrieMapSync<LedgerKey, Stored>);

impl Source for Entries<'_> {
    fn get(&self, key: &LedgerKey) -> Option<Stored> {
        self.0.get(key).cloned()
    }
}

impl Snapshot {
    /// A ledger from its parts; fails if they lack the network's settings.
    pub fn new(
        network: Arc<Network>,
        header: LedgerHeader,
        entries: impl IntoIterator<Item = (LedgerKey, Stored)>,
    ) -> Result<Self, String> {
        let entries: HashTrieMapSync<LedgerKey, Stored> = entries.into_iter().collect();
        let settings = Arc::new(Settings::load(&Entries(&entries))?);
        let hash = header_hash(&header);
        Ok(Self {
            network,
            header: Arc::new(header),
            hash,
            entries,
            settings,
        })
    }

    /// The ledger that follows from this one.
    pub fn successor(&self, header: LedgerHeader, changed: Changed) -> Self {
        let mut entries = self.entries.clone();
        for (key, stored) in changed {
            match stored {
                Some(stored) => entries.insert_mut(key, stored),
                None => {
                    entries.remove_mut(&key);
                }
            }
        }
        let hash = header_hash(&header);
        Self {
            network: self.network.clone(),
            header: Arc::new(header),
            hash,
            entries,
            settings: self.settings.clone(),
        }
    }

    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    pub fn header(&self) -> &LedgerHeader {
        &self.header
    }

    pub fn hash(&self) -> &Hash {
        &self.hash
    }

    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    pub fn sequence(&self) -> u32 {
        self.header.ledger_seq
    }

    /// Unix seconds.
    pub fn close_time(&self) -> u64 {
        self.header.scp_value.close_time.0
    }

    pub fn entries(&self) -> impl Iterator<Item = (&LedgerKey, &Stored)> {
        self.entries.iter()
    }

    /// Drops temporary entries that have expired: they are gone for good, and nothing that reads
    /// through the rules can tell whether their bytes are still here.
    pub fn sweep(&mut self) {
        let ledger = self.sequence();
        let gone: Vec<LedgerKey> = self
            .entries
            .iter()
            .filter(|(key, stored)| !is_persistent(key) && !stored.is_live(ledger))
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            self.entries.remove_mut(&key);
        }
    }

    pub fn len(&self) -> usize {
        self.entries.size()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// A ledger's hash is that of its header.
pub fn header_hash(header: &LedgerHeader) -> Hash {
    Hash(sha256(&super::entry::encode(header)))
}
