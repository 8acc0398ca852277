use soroban_sdk::Env;

use super::{DataKey, entry};

pub fn issuer_flags(env: &Env, asset: u32) -> Option<u32> {
    entry::read(env, &DataKey::IssuerFlags(asset))
}

pub fn set_issuer_flags(env: &Env, asset: u32, flags: u32) {
    entry::create(env, &DataKey::IssuerFlags(asset), &flags);
}
