//! What the administrator sets: loaded with every call, written only by the administrator's calls. A deposit or settlement that
//! wrote here would put every transaction of the vault into one cluster and make it wait for the others.

use soroban_sdk::{Address, Env, Vec};

use super::DataKey;

/// Every call loads the registry, at about 44 bytes an asset; this bounds what that can cost.
pub const MAX_ASSETS: u32 = 64;

/// Every call loads the engines as well, at about 90 bytes a channel.
pub const MAX_CHANNELS: u32 = 32;

pub fn admin(env: &Env) -> Option<Address> {
    env.storage().instance().get(&DataKey::Admin)
}

pub fn set_admin(env: &Env, admin: &Address) {
    env.storage().instance().set(&DataKey::Admin, admin);
}

pub fn pauser(env: &Env) -> Option<Address> {
    env.storage().instance().get(&DataKey::Pauser)
}

pub fn set_pauser(env: &Env, pauser: &Address) {
    env.storage().instance().set(&DataKey::Pauser, pauser);
}

/// Parts per million; 0, and no fees at all, where it was never set.
pub fn fee_cap(env: &Env) -> u32 {
    env.storage().instance().get(&DataKey::FeeCap).unwrap_or(0)
}

pub fn set_fee_cap(env: &Env, cap_ppm: u32) {
    env.storage().instance().set(&DataKey::FeeCap, &cap_ppm);
}

pub fn treasury(env: &Env) -> Option<Address> {
    env.storage().instance().get(&DataKey::Treasury)
}

pub fn set_treasury(env: &Env, treasury: &Address) {
    env.storage().instance().set(&DataKey::Treasury, treasury);
}

pub fn matching_engine(env: &Env, channel: u32) -> Option<Address> {
    env.storage()
        .instance()
        .get(&DataKey::MatchingEngine(channel))
}

pub fn set_matching_engine(env: &Env, channel: u32, matching_engine: &Address) {
    env.storage()
        .instance()
        .set(&DataKey::MatchingEngine(channel), matching_engine);
}

pub fn remove_matching_engine(env: &Env, channel: u32) {
    env.storage()
        .instance()
        .remove(&DataKey::MatchingEngine(channel));
}

pub fn assets(env: &Env) -> Vec<Address> {
    env.storage()
        .instance()
        .get(&DataKey::Assets)
        .unwrap_or_else(|| Vec::new(env))
}

pub fn asset_count(env: &Env) -> u32 {
    assets(env).len()
}

pub fn asset_index(env: &Env, token: &Address) -> Option<u32> {
    assets(env).first_index_of(token)
}

/// Appends the token and returns its index. Assets are never removed or moved: pages of balances rest on the index.
pub fn add_asset(env: &Env, token: &Address) -> u32 {
    let mut assets = assets(env);
    let index = assets.len();
    assets.push_back(token.clone());
    env.storage().instance().set(&DataKey::Assets, &assets);
    index
}
