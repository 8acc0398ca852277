//! How long entries live. All figures are in ledgers.

use soroban_sdk::Env;

use crate::storage::{self, DataKey};

/// Ledgers a day at one every 5 s, which is how the network itself translates days into TTL settings.
pub const DAY_IN_LEDGERS: u32 = 17_280;

/// 120 days: what the public network gives a new persistent entry (`minPersistentTTL` = 2,073,600), so that creating an entry
/// never pays for an extension on top.
pub const EXTEND_TO_LEDGERS: u32 = 120 * DAY_IN_LEDGERS;

/// An entry is extended when fewer than 100 days are left. An account therefore may rest at least 100 days after the last time
/// somebody touched it, and an extension pays for about 20 days. Rent is linear in time, so small steps cost the same as large
/// ones but for one TTL write (2,541 stroops) each; they keep the batch that happens to extend a page from paying months of rent
/// for it at once.
pub const EXTENSION_THRESHOLD_LEDGERS: u32 = 100 * DAY_IN_LEDGERS;

/// Keeps the contract's instance and code alive. Changes only their TTL entries, which the network merges without ordering the
/// transactions (CAP-0063), so settlement stays parallel.
pub fn extend_instance(env: &Env) {
    env.storage()
        .instance()
        .extend_ttl(EXTENSION_THRESHOLD_LEDGERS, EXTEND_TO_LEDGERS);
}

/// Keeps a persistent entry alive; the entry must exist.
pub fn extend<K: storage::Key>(env: &Env, key: &K) {
    env.storage()
        .persistent()
        .extend_ttl(key, EXTENSION_THRESHOLD_LEDGERS, EXTEND_TO_LEDGERS);
}

/// Makes a temporary entry live for at least `ledgers` more ledgers; the entry must exist.
pub fn extend_temporary(env: &Env, key: &DataKey, ledgers: u32) {
    env.storage().temporary().extend_ttl(key, ledgers, ledgers);
}
