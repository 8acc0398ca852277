//! Persistent entries. Reading one keeps it alive, so an entry that is replaced after it was read needs no second extension.

use soroban_sdk::{Env, IntoVal, TryFromVal, Val};

use super::Key;
use crate::ttl;

pub fn read<K: Key, V: TryFromVal<Env, Val>>(env: &Env, key: &K) -> Option<V> {
    let value = env.storage().persistent().get(key);
    if value.is_some() {
        ttl::extend(env, key);
    }
    value
}

pub fn remove<K: Key>(env: &Env, key: &K) {
    env.storage().persistent().remove(key);
}

/// Writes an entry that was not there before, or was not read.
pub fn create<K: Key, V: IntoVal<Env, Val>>(env: &Env, key: &K, value: &V) {
    env.storage().persistent().set(key, value);
    // The network decides how long a new entry lives; on one with a shorter minimum than the public network's this catches up.
    ttl::extend(env, key);
}

/// Writes an entry that was read in the same call.
pub fn replace<K: Key, V: IntoVal<Env, Val>>(env: &Env, key: &K, value: &V) {
    env.storage().persistent().set(key, value);
}
