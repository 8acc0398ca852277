use soroban_sdk::{Address, BytesN, contracttype};

use super::{MAX_CHANGE_DELAY_SECONDS, MIN_CHANGE_DELAY_SECONDS};
use crate::errors::Error;
use crate::fees::MAX_FEE_CAP_PPM;
use crate::storage::MAX_CHANNELS;

/// What could harm those whose money is in the vault, and so is announced before it can happen.
#[contracttype]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// Another administrator, who accepts by applying the change.
    Admin(Address),
    /// The engine of a channel, whether it had one or not.
    Engine(u32, Address),
    /// Who may pause, and refuse changes.
    Pauser(Address),
    /// Seconds between announcement and change, from the next announcement on.
    Delay(u64),
    /// The contract's code, by the sha256 of its wasm.
    Code(BytesN<32>),
    /// What batches may take as fees, in parts per million of what is traded.
    FeeCap(u32),
    /// Who may collect fees.
    Treasury(Address),
}

/// A change that was announced and has neither happened nor been cancelled.
#[contracttype]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Announcement {
    pub change: Change,
    /// Ledger time in Unix seconds from which on it may be applied, for `CHANGE_LIFETIME_SECONDS`.
    pub due: u64,
}

impl Change {
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Engine(channel, _) if *channel >= MAX_CHANNELS => Err(Error::ChannelLimitReached),
            Self::Delay(seconds)
                if !(MIN_CHANGE_DELAY_SECONDS..=MAX_CHANGE_DELAY_SECONDS).contains(seconds) =>
            {
                Err(Error::InvalidDelay)
            }
            Self::FeeCap(cap_ppm) if *cap_ppm > MAX_FEE_CAP_PPM => Err(Error::InvalidFeeCap),
            _ => Ok(()),
        }
    }
}
