//! Tokens coming in and going out.
//!
//! Tokens are other people's contracts. They are asked what they hold before and after, and believed only in that: the books
//! follow the vault's measured balance. A token can't call the vault back, since the host refuses to enter a contract that is
//! already on the call stack (CAP-0046-01, reentrancy), so what is read here before the transfer is still true after it.

use soroban_sdk::{Address, Env, token::TokenClient};

use crate::balances::Balances;
use crate::errors::Error;
use crate::events::{Deposited, Withdrawn};
use crate::exits;
use crate::holding::Holding;
use crate::storage;

/// Takes `amount` from a user who has authorised it and credits what arrived. Returns the account's index, which the first
/// deposit assigns.
pub fn deposit(env: &Env, user: &Address, token: &Address, amount: i128) -> Result<u32, Error> {
    if amount <= 0 {
        return Err(Error::InvalidAmount);
    }
    let asset = storage::asset_index(env, token).ok_or(Error::UnknownAsset)?;
    storage::pauses(env).check(asset)?;
    let vault = env.current_contract_address();
    let held = vault_balance(env, token)?;
    transfer(env, token, user, &vault, amount)?;
    let received = vault_balance(env, token)?
        .checked_sub(held)
        .ok_or(Error::TokenAmountMismatch)?;
    if received <= 0 {
        return Err(Error::TokenAmountMismatch);
    }

    let account = match storage::account_index(env, user) {
        Some(account) => account,
        None => storage::open_account(env, user)?,
    };
    let mut balances = Balances::new(env);
    balances.add(account, asset, received)?;
    balances.close()?;

    let holding = Holding {
        user,
        token,
        account,
        asset,
    };
    Deposited::of(&holding, received).publish(env);
    Ok(account)
}

/// Sends `amount` to a user; user and engine have authorised it.
pub fn withdraw(env: &Env, user: &Address, token: &Address, amount: i128) -> Result<(), Error> {
    if amount <= 0 {
        return Err(Error::InvalidAmount);
    }
    let holding = Holding::of(env, user, token)?;
    let mut balances = Balances::new(env);
    balances.pay_out(holding.account, holding.asset, amount)?;
    let answered = exits::answer(&mut balances, &holding, amount)?;
    balances.close()?;
    pay(env, token, user, amount)?;

    Withdrawn::of(&holding, amount).publish(env);
    if let Some(left) = answered {
        exits::announce(env, &holding, left.as_ref());
    }
    Ok(())
}

/// Moves tokens out of the vault, whose balance has to fall by just this.
pub fn pay(env: &Env, token: &Address, to: &Address, amount: i128) -> Result<(), Error> {
    let vault = env.current_contract_address();
    let held = vault_balance(env, token)?;
    transfer(env, token, &vault, to, amount)?;
    // A token that took more than asked would leave the others' balances without cover; one that took less would leave money
    // that nobody owns.
    if held.checked_sub(vault_balance(env, token)?) != Some(amount) {
        return Err(Error::TokenAmountMismatch);
    }
    Ok(())
}

/// What the token says the vault holds.
pub fn vault_balance(env: &Env, token: &Address) -> Result<i128, Error> {
    match TokenClient::new(env, token).try_balance(&env.current_contract_address()) {
        Ok(Ok(balance)) => Ok(balance),
        Ok(Err(_)) | Err(_) => Err(Error::NotAToken),
    }
}

fn transfer(
    env: &Env,
    token: &Address,
    from: &Address,
    to: &Address,
    amount: i128,
) -> Result<(), Error> {
    match TokenClient::new(env, token).try_transfer(from, to, &amount) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Error::TokenTransferFailed),
    }
}
