use soroban_sdk::{Address, Env};

use crate::errors::Error;
use crate::events::PauseSet;
use crate::storage;

/// Stops deposits and settlement of a token, or of all, or lets them go on. Whatever pays money out is never stopped.
pub fn set_paused(env: &Env, token: Option<Address>, paused: bool) -> Result<(), Error> {
    let mut pauses = storage::pauses(env);
    pauses.set(index(env, token.as_ref())?, paused);
    storage::set_pauses(env, pauses);
    PauseSet { token, paused }.publish(env);
    Ok(())
}

pub fn is_paused(env: &Env, token: Option<&Address>) -> Result<bool, Error> {
    let asset = index(env, token)?;
    let pauses = storage::pauses(env);
    Ok(pauses.all() || asset.is_some_and(|asset| pauses.asset(asset)))
}

fn index(env: &Env, token: Option<&Address>) -> Result<Option<u32>, Error> {
    token
        .map(|token| storage::asset_index(env, token).ok_or(Error::UnknownAsset))
        .transpose()
}
