use soroban_sdk::{BytesN, Env, contracttype};

use super::{DataKey, entry};

/// Where a settlement channel stands: what its last batch said. All zero before the first one.
#[contracttype]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Channel {
    pub epoch: u64,
    pub sequence: u64,
    pub state_root: BytesN<32>,
    pub trades_root: BytesN<32>,
}

pub fn channel(env: &Env, channel: u32) -> Option<Channel> {
    entry::read(env, &DataKey::Channel(channel))
}

/// Moves the channel on; `first` if it had no entry when it was read in this call.
pub fn set_channel(env: &Env, channel: u32, state: &Channel, first: bool) {
    let key = DataKey::Channel(channel);
    if first {
        entry::create(env, &key, state);
    } else {
        entry::replace(env, &key, state);
    }
}
