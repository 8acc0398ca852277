use soroban_sdk::Env;

use super::{DataKey, MAX_ASSETS};
use crate::errors::Error;

/// What is paused: a bit for each asset, and one more for everything. One number, because every settlement reads it.
#[derive(Clone, Copy)]
pub struct Pauses(u128);

const ALL: u32 = MAX_ASSETS;
const _: () = assert!(ALL < u128::BITS);

impl Pauses {
    pub const fn all(self) -> bool {
        self.bit(ALL)
    }

    pub const fn asset(self, asset: u32) -> bool {
        self.bit(asset)
    }

    /// Refuses an asset that may not move at the moment.
    pub const fn check(self, asset: u32) -> Result<(), Error> {
        if self.all() {
            return Err(Error::Paused);
        }
        if self.asset(asset) {
            return Err(Error::AssetPaused);
        }
        Ok(())
    }

    /// The bits of eight assets from `first` on, the lowest first.
    pub fn from(self, first: u32) -> u8 {
        self.0.checked_shr(first).unwrap_or(0) as u8
    }

    /// Of an asset, or of everything.
    pub fn set(&mut self, asset: Option<u32>, paused: bool) {
        let bit = 1_u128.checked_shl(asset.unwrap_or(ALL)).unwrap_or(0);
        if paused {
            self.0 |= bit;
        } else {
            self.0 &= !bit;
        }
    }

    const fn bit(self, position: u32) -> bool {
        match self.0.checked_shr(position) {
            Some(bits) => bits & 1 == 1,
            None => false,
        }
    }
}

pub fn pauses(env: &Env) -> Pauses {
    Pauses(env.storage().instance().get(&DataKey::Paused).unwrap_or(0))
}

pub fn set_pauses(env: &Env, pauses: Pauses) {
    env.storage().instance().set(&DataKey::Paused, &pauses.0);
}
