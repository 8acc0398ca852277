//! An entry as the ledger keeps it, and the way to read entries from a ledger or from changes on
//! top of one.

use crate::network::sha256;
use std::sync::Arc;
use stellar_xdr::*;

/// Until when a contract's entry lives. On the network this is an entry of its own (`TtlEntry`);
/// here it stands beside the entry it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// The last ledger in which the entry is live.
    pub until: u32,
    /// The ledger that changed it last.
    pub modified: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub entry: Arc<LedgerEntry>,
    /// Present for contract data and contract code, and only there.
    pub lifetime: Option<Lifetime>,
}

impl Stored {
    pub fn is_live(&self, ledger: u32) -> bool {
        self.lifetime
            .is_none_or(|lifetime| lifetime.until >= ledger)
    }
}

/// Anything that entries can be read from. Expired entries are returned as they are; what that
/// means depends on who reads.
pub trait Source {
    fn get(&self, key: &LedgerKey) -> Option<Stored>;
}

pub fn is_contract_entry(key: &LedgerKey) -> bool {
    matches!(key, LedgerKey::ContractData(_) | LedgerKey::ContractCode(_))
}

pub fn is_persistent(key: &LedgerKey) -> bool {
    match key {
        LedgerKey::ContractCode(_) => true,
        LedgerKey::ContractData(data) => data.durability == ContractDataDurability::Persistent,
        _ => false,
    }
}

/// The bytes of a value in XDR. Values that came from XDR or were built within its bounds always
/// have them; a value that does not is a defect of this program, and continuing would corrupt the
/// ledger.
pub fn encode(value: &impl WriteXdr) -> Vec<u8> {
    match value.to_xdr(Limits::none()) {
        Ok(bytes) => bytes,
        Err(error) => panic!("a value of the ledger has no encoding: {error}"),
    }
}

pub fn encoded_len(value: &impl WriteXdr) -> u32 {
    u32::try_from(encode(value).len()).unwrap_or(u32::MAX)
}

/// The hash under which a contract entry's lifetime is filed.
pub fn lifetime_hash(key: &LedgerKey) -> Hash {
    Hash(sha256(&encode(key)))
}

pub fn lifetime_key(key: &LedgerKey) -> LedgerKey {
    LedgerKey::Ttl(LedgerKeyTtl {
        key_hash: lifetime_hash(key),
    })
}

/// The lifetime of a contract entry in the form that metadata shows.
pub fn lifetime_entry(key: &LedgerKey, lifetime: Lifetime) -> LedgerEntry {
    LedgerEntry {
        last_modified_ledger_seq: lifetime.modified,
        data: LedgerEntryData::Ttl(TtlEntry {
            key_hash: lifetime_hash(key),
            live_until_ledger_seq: lifetime.until,
        }),
        ext: LedgerEntryExt::V0,
    }
}
