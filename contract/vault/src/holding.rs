use soroban_sdk::{Address, Env};

use crate::errors::Error;
use crate::storage;

/// A user's part in a token, by their addresses and by the indexes that the books know them by.
pub struct Holding<'a> {
    pub user: &'a Address,
    pub token: &'a Address,
    pub account: u32,
    pub asset: u32,
}

impl<'a> Holding<'a> {
    /// Of somebody who has deposited before, whatever it was.
    pub fn of(env: &Env, user: &'a Address, token: &'a Address) -> Result<Self, Error> {
        let asset = storage::asset_index(env, token).ok_or(Error::UnknownAsset)?;
        let account = storage::account_index(env, user).ok_or(Error::UnknownAccount)?;
        Ok(Self {
            user,
            token,
            account,
            asset,
        })
    }
}
