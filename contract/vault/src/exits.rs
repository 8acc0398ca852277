//! Leaving without the engine: a request, a delay, and a claim, all by the user alone.
//!
//! During the delay settlement may use the money, so that a trade which was matched before the request still settles: nobody's
//! counterparty is starved by somebody else's exit. The venue sees the request on chain and matches nothing more against that
//! money. When the time has come, what was asked for is the user's alone: settlement may take what is above it and nothing else,
//! so an engine that turns up late, or against the user, finds it out of reach.

use soroban_sdk::{Address, Env};

use crate::balances::{Balances, Exit};
use crate::custody;
use crate::errors::Error;
use crate::events::{Claimed, ExitSet};
use crate::holding::Holding;

/// A day: many times what a venue takes from a match to its settlement, its restart after a failure included.
pub const EXIT_DELAY_SECONDS: u64 = 24 * 3_600;

pub fn request(env: &Env, user: &Address, token: &Address, amount: i128) -> Result<Exit, Error> {
    if amount <= 0 {
        return Err(Error::InvalidAmount);
    }
    let holding = Holding::of(env, user, token)?;
    let Holding { account, asset, .. } = holding;
    let mut balances = Balances::new(env);
    if balances.exit(account, asset)?.is_some() {
        return Err(Error::ExitUnderWay);
    }
    // All there is, where more is asked for: a balance that settlement moves up and down can't make a request miss.
    let amount = amount.min(balances.balance(account, asset)?);
    if amount == 0 {
        return Err(Error::InsufficientBalance);
    }
    let due = env.ledger().timestamp().saturating_add(EXIT_DELAY_SECONDS);
    let exit = Exit { amount, due };
    balances.set_exit(account, asset, Some(&exit))?;
    balances.close()?;
    announce(env, &holding, Some(&exit));
    Ok(exit)
}

pub fn cancel(env: &Env, user: &Address, token: &Address) -> Result<(), Error> {
    let holding = Holding::of(env, user, token)?;
    let Holding { account, asset, .. } = holding;
    let mut balances = Balances::new(env);
    if balances.exit(account, asset)?.is_none() {
        return Err(Error::NoExit);
    }
    balances.set_exit(account, asset, None)?;
    balances.close()?;
    announce(env, &holding, None);
    Ok(())
}

pub fn claim(env: &Env, user: &Address, token: &Address) -> Result<i128, Error> {
    let holding = Holding::of(env, user, token)?;
    let Holding { account, asset, .. } = holding;
    let mut balances = Balances::new(env);
    let exit = balances.exit(account, asset)?.ok_or(Error::NoExit)?;
    if env.ledger().timestamp() < exit.due {
        return Err(Error::ExitNotDue);
    }
    let amount = exit.amount.min(balances.balance(account, asset)?);
    if amount == 0 {
        return Err(Error::InsufficientBalance);
    }
    balances.set_exit(account, asset, None)?;
    balances.pay_out(account, asset, amount)?;
    balances.close()?;
    custody::pay(env, token, user, amount)?;
    Claimed::of(&holding, amount).publish(env);
    Ok(amount)
}

/// Takes what a withdrawal paid off an exit, and gives what is left of it where there was one.
pub fn answer(
    balances: &mut Balances,
    &Holding { account, asset, .. }: &Holding,
    paid: i128,
) -> Result<Option<Option<Exit>>, Error> {
    let Some(exit) = balances.exit(account, asset)? else {
        return Ok(None);
    };
    let left = exit.amount.saturating_sub(paid);
    let left = (left > 0).then_some(Exit {
        amount: left,
        due: exit.due,
    });
    balances.set_exit(account, asset, left.as_ref())?;
    Ok(Some(left))
}

/// Says where a holding's exit stands now.
pub fn announce(env: &Env, holding: &Holding, exit: Option<&Exit>) {
    let (amount, due) = exit.map_or((0, 0), |exit| (exit.amount, exit.due));
    ExitSet::of(holding, amount, due).publish(env);
}
