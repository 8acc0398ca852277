use soroban_sdk::{Address, Env, Vec};

use super::{
    Announcement, CHANGE_LIFETIME_SECONDS, Change, MAX_ANNOUNCEMENTS, MIN_CHANGE_DELAY_SECONDS,
    admin, pauser, require_admin,
};
use crate::errors::Error;
use crate::events::{
    AdminSet, ChangeAnnounced, ChangeCancelled, CodeSet, DelaySet, FeeCapSet, MatchingEngineSet,
    PauserSet, TreasurySet,
};
use crate::storage;

/// Says that a change is to come, and returns from when on it may.
pub fn announce(env: &Env, change: Change) -> Result<u64, Error> {
    change.check()?;
    let mut changes = announced(env);
    if position(&changes, &change).is_some() {
        return Err(Error::ChangeAnnounced);
    }
    if changes.len() >= MAX_ANNOUNCEMENTS {
        return Err(Error::ChangeLimitReached);
    }
    let due = env.ledger().timestamp().saturating_add(delay(env));
    changes.push_back(Announcement {
        change: change.clone(),
        due,
    });
    storage::set_announcements(env, &changes);
    ChangeAnnounced { change, due }.publish(env);
    Ok(due)
}

/// Takes an announcement back. Administrator and pauser may, but for one thing: a pauser can't keep its successor away.
pub fn cancel(env: &Env, caller: &Address, change: Change) -> Result<(), Error> {
    let may =
        *caller == admin(env)? || (*caller == pauser(env)? && !matches!(change, Change::Pauser(_)));
    if !may {
        return Err(Error::NotPermitted);
    }
    caller.require_auth();
    let mut changes = announced(env);
    let at = position(&changes, &change).ok_or(Error::ChangeNotAnnounced)?;
    changes.remove(at);
    storage::set_announcements(env, &changes);
    ChangeCancelled { change }.publish(env);
    Ok(())
}

/// Makes a change whose time has come. As long as nobody has an account there is nobody to wait for, and what the administrator
/// decides happens at once.
pub fn apply(env: &Env, change: Change) -> Result<(), Error> {
    change.check()?;
    // A new administrator accepts, so that the vault is never handed to a key that nobody has.
    match &change {
        Change::Admin(successor) => successor.require_auth(),
        _ => require_admin(env)?,
    }
    let founding = storage::account_count(env) == 0;
    let mut changes = announced(env);
    match position(&changes, &change) {
        Some(at) => {
            let announcement = changes.get(at).ok_or(Error::ChangeNotAnnounced)?;
            if env.ledger().timestamp() < announcement.due && !founding {
                return Err(Error::ChangeNotDue);
            }
            changes.remove(at);
            storage::set_announcements(env, &changes);
        }
        None if founding && !matches!(change, Change::Admin(_)) => {}
        None => return Err(Error::ChangeNotAnnounced),
    }
    take_effect(env, change);
    Ok(())
}

/// In seconds, for the next announcement.
pub fn delay(env: &Env) -> u64 {
    storage::change_delay(env).unwrap_or(MIN_CHANGE_DELAY_SECONDS)
}

/// The changes under way; one that was not made in its time is none any more.
pub fn announced(env: &Env) -> Vec<Announcement> {
    let now = env.ledger().timestamp();
    let mut current = Vec::new(env);
    for announcement in storage::announcements(env) {
        if now <= announcement.due.saturating_add(CHANGE_LIFETIME_SECONDS) {
            current.push_back(announcement);
        }
    }
    current
}

fn position(changes: &Vec<Announcement>, change: &Change) -> Option<u32> {
    (0_u32..)
        .zip(changes.iter())
        .find(|(_, announcement)| announcement.change == *change)
        .map(|(at, _)| at)
}

fn take_effect(env: &Env, change: Change) {
    match change {
        Change::Admin(admin) => {
            storage::set_admin(env, &admin);
            AdminSet { admin }.publish(env);
        }
        Change::Engine(channel, matching_engine) => {
            storage::set_matching_engine(env, channel, &matching_engine);
            MatchingEngineSet {
                channel,
                matching_engine: Some(matching_engine),
            }
            .publish(env);
        }
        Change::Pauser(pauser) => {
            storage::set_pauser(env, &pauser);
            PauserSet { pauser }.publish(env);
        }
        Change::Delay(seconds) => {
            storage::set_change_delay(env, seconds);
            DelaySet { seconds }.publish(env);
        }
        Change::Code(wasm_hash) => {
            env.deployer()
                .update_current_contract_wasm(wasm_hash.clone());
            CodeSet { wasm_hash }.publish(env);
        }
        Change::FeeCap(cap_ppm) => {
            storage::set_fee_cap(env, cap_ppm);
            FeeCapSet { cap_ppm }.publish(env);
        }
        Change::Treasury(treasury) => {
            storage::set_treasury(env, &treasury);
            TreasurySet { treasury }.publish(env);
        }
    }
}
