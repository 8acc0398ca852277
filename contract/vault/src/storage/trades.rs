use soroban_sdk::{BytesN, Env};

use super::DataKey;
use crate::ttl;

pub fn is_trade_settled(env: &Env, trade_id: &BytesN<32>) -> bool {
    env.storage()
        .temporary()
        .has(&DataKey::Trade(trade_id.clone()))
}

/// Remembers the trade for at least `ledgers` ledgers.
pub fn mark_trade_settled(env: &Env, trade_id: &BytesN<32>, ledgers: u32) {
    let key = DataKey::Trade(trade_id.clone());
    env.storage().temporary().set(&key, &());
    ttl::extend_temporary(env, &key, ledgers);
}
