use soroban_sdk::{Address, BytesN, Env};

use super::{DataKey, entry};

pub fn trading_key(env: &Env, user: &Address) -> Option<BytesN<32>> {
    entry::read(env, &DataKey::TradingKey(user.clone()))
}

pub fn set_trading_key(env: &Env, user: &Address, key: Option<&BytesN<32>>) {
    let entry = DataKey::TradingKey(user.clone());
    match key {
        Some(key) => entry::create(env, &entry, key),
        None => entry::remove(env, &entry),
    }
}
