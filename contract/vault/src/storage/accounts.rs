//! Account indexes: address to index, index to address, and how many there are.
//!
//! The counter is an entry of its own. In instance storage every first deposit would conflict with every settlement; here it
//! conflicts only with other first deposits, and with a batch that credits an account in a group where neither it nor one after
//! it in the page ever held anything (see `settlement::deltas`).

use soroban_sdk::{Address, Env, Vec};

use super::{DataKey, entry};
use crate::balances::ACCOUNTS_PER_PAGE;
use crate::errors::Error;

pub fn account_count(env: &Env) -> u32 {
    entry::read(env, &DataKey::AccountCount).unwrap_or(0)
}

pub fn account_index(env: &Env, user: &Address) -> Option<u32> {
    entry::read(env, user)
}

pub fn account_address(env: &Env, index: u32) -> Option<Address> {
    let accounts: Vec<Address> = entry::read(env, &DataKey::Accounts(index / ACCOUNTS_PER_PAGE))?;
    accounts.get(index % ACCOUNTS_PER_PAGE)
}

/// Assigns the next index to an address that has none.
pub fn open_account(env: &Env, user: &Address) -> Result<u32, Error> {
    let last: Option<u32> = entry::read(env, &DataKey::AccountCount);
    let index = last.unwrap_or(0);
    let count = index.checked_add(1).ok_or(Error::AccountLimitReached)?;
    match last {
        Some(_) => entry::replace(env, &DataKey::AccountCount, &count),
        None => entry::create(env, &DataKey::AccountCount, &count),
    }
    entry::create(env, user, &index);

    let key = DataKey::Accounts(index / ACCOUNTS_PER_PAGE);
    match entry::read::<_, Vec<Address>>(env, &key) {
        Some(mut accounts) => {
            accounts.push_back(user.clone());
            entry::replace(env, &key, &accounts);
        }
        None => entry::create(env, &key, &Vec::from_array(env, [user.clone()])),
    }
    Ok(index)
}
