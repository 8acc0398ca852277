//! The ledger: entries, changes on top of them, and closing the next ledger.

mod capacity;
mod close;
mod entry;
mod overlay;
mod replay;
mod room;
mod snapshot;

pub use close::{Closed, Ledger, Order, Terms, check, refusal_result};
pub use entry::{
    Lifetime, Source, Stored, encode, encoded_len, is_contract_entry, is_persistent,
    lifetime_entry, lifetime_hash, lifetime_key,
};
pub use overlay::{Changed, Overlay};
pub use room::{KINDS, LedgerLimits, Room};
pub use snapshot::{Snapshot, header_hash};
