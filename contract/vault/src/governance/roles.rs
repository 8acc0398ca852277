use soroban_sdk::{Address, Env};

use crate::errors::Error;
use crate::storage;

pub fn admin(env: &Env) -> Result<Address, Error> {
    storage::admin(env).ok_or(Error::AdminNotSet)
}

/// The administrator, as long as no pauser was named.
pub fn pauser(env: &Env) -> Result<Address, Error> {
    match storage::pauser(env) {
        Some(pauser) => Ok(pauser),
        None => admin(env),
    }
}

pub fn require_admin(env: &Env) -> Result<(), Error> {
    admin(env)?.require_auth();
    Ok(())
}

pub fn require_pauser(env: &Env) -> Result<(), Error> {
    pauser(env)?.require_auth();
    Ok(())
}
