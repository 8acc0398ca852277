use soroban_sdk::{Env, Map};

use super::{DataKey, entry};

/// The fees of a channel that were not collected yet, by asset: above zero. Nothing where it never had any.
///
/// An entry a channel, so that batches of two channels do not wait for each other because of their fees; and a batch without fees
/// touches none.
pub fn fees(env: &Env, channel: u32) -> Option<Map<u32, i128>> {
    entry::read(env, &DataKey::Fees(channel))
}

/// `first` if the channel had no entry when it was read in this call.
pub fn set_fees(env: &Env, channel: u32, fees: &Map<u32, i128>, first: bool) {
    let key = DataKey::Fees(channel);
    if first {
        entry::create(env, &key, fees);
    } else {
        entry::replace(env, &key, fees);
    }
}
