use soroban_sdk::{Bytes, Env};

use super::{PageKey, entry};

pub fn page(env: &Env, key: &PageKey) -> Option<Bytes> {
    entry::read(env, key)
}

pub fn create_page(env: &Env, key: &PageKey, page: &Bytes) {
    entry::create(env, key, page);
}

pub fn replace_page(env: &Env, key: &PageKey, page: &Bytes) {
    entry::replace(env, key, page);
}
