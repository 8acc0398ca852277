//! Changes to come. Only the administrator's calls read them, so they are no part of the instance, which every call pays for.

use soroban_sdk::{Env, Vec};

use super::{DataKey, entry};
use crate::governance::Announcement;

pub fn announcements(env: &Env) -> Vec<Announcement> {
    entry::read(env, &DataKey::Announcements).unwrap_or_else(|| Vec::new(env))
}

pub fn set_announcements(env: &Env, announcements: &Vec<Announcement>) {
    entry::create(env, &DataKey::Announcements, announcements);
}

/// Seconds; nothing where it was never changed.
pub fn change_delay(env: &Env) -> Option<u64> {
    entry::read(env, &DataKey::ChangeDelay)
}

pub fn set_change_delay(env: &Env, seconds: u64) {
    entry::create(env, &DataKey::ChangeDelay, &seconds);
}
