use soroban_sdk::{Bytes, Env};

use super::exits::{Exit, Exits};
use crate::errors::Error;
use crate::storage::{self, PageKey};

/// Assets that share a page. A market's two assets cost one page when they share a group, so what trades together should be
/// added together.
pub const ASSETS_PER_GROUP: u32 = 4;

/// Accounts that share a page; measured in docs/decisions/0001-balance-pages.md. Stored pages rest on it: it can't be changed for
/// a contract that holds balances.
pub const ACCOUNTS_PER_PAGE: u32 = if cfg!(feature = "accounts-per-page-1") {
    1
} else if cfg!(feature = "accounts-per-page-16") {
    16
} else if cfg!(feature = "accounts-per-page-64") {
    64
} else {
    32
};

const SLOTS: usize = ACCOUNTS_PER_PAGE as usize;
const BALANCES: usize = ASSETS_PER_GROUP as usize;
/// A big-endian i128.
const BALANCE_BYTES: usize = 16;
const SLOT_BYTES: usize = BALANCES * BALANCE_BYTES;

type Slot = [[u8; BALANCE_BYTES]; BALANCES];

/// A page in memory: one slot an account, one balance an asset of the group.
///
/// On the ledger a page ends with the highest slot that was ever written, so an account pays rent for its own slot and not for
/// those of accounts to come. A slot inside a stored page therefore belongs to an account that exists, or to one before it, which
/// exists as well since indexes are assigned in order.
pub struct Page {
    slots: [Slot; SLOTS],
    used: usize,
    exits: Exits,
    stored: bool,
}

impl Page {
    pub const fn empty() -> Self {
        Self {
            slots: [[[0; BALANCE_BYTES]; BALANCES]; SLOTS],
            used: 0,
            exits: Exits::none(),
            stored: false,
        }
    }

    /// Replaces the content by what is stored under the key, or by nothing.
    pub fn load(&mut self, env: &Env, key: &PageKey) -> Result<(), Error> {
        let stored = storage::page(env, key);
        self.stored = stored.is_some();
        let (length, exits) = match &stored {
            Some(bytes) => Exits::split(bytes)?,
            None => (0, Exits::none()),
        };
        self.exits = exits;
        self.used = length / SLOT_BYTES;
        if self.used > SLOTS || !length.is_multiple_of(SLOT_BYTES) {
            return Err(Error::CorruptPage);
        }
        let (content, rest) = self
            .slots
            .as_flattened_mut()
            .as_flattened_mut()
            .split_at_mut_checked(length)
            .ok_or(Error::CorruptPage)?;
        if let Some(bytes) = stored {
            if self.exits.is_empty() {
                bytes.copy_into_slice(content);
            } else {
                bytes.slice(..length as u32).copy_into_slice(content);
            }
        }
        rest.fill(0);
        Ok(())
    }

    /// Writes the page back under the key it was loaded from.
    pub fn store(&self, env: &Env, key: &PageKey) -> Result<(), Error> {
        let content = self.slots.get(..self.used).ok_or(Error::CorruptPage)?;
        let mut bytes = Bytes::from_slice(env, content.as_flattened().as_flattened());
        self.exits.append_to(&mut bytes)?;
        if self.stored {
            storage::replace_page(env, key, &bytes);
        } else {
            storage::create_page(env, key, &bytes);
        }
        Ok(())
    }

    /// Whether the slot was written before, which proves that its account exists.
    pub fn covers(&self, slot: u32) -> bool {
        (slot as usize) < self.used
    }

    /// The smallest unit of the group's asset at `position`; zero where nothing was written.
    pub fn balance(&self, slot: u32, position: u32) -> i128 {
        self.slots
            .get(slot as usize)
            .and_then(|slot| slot.get(position as usize))
            .map_or(0, |balance| i128::from_be_bytes(*balance))
    }

    pub const fn has_exits(&self) -> bool {
        !self.exits.is_empty()
    }

    pub fn exit(&self, slot: u32, position: u32) -> Option<Exit> {
        self.exits.find(slot, position)
    }

    pub fn set_exit(
        &mut self,
        env: &Env,
        slot: u32,
        position: u32,
        exit: Option<&Exit>,
    ) -> Result<(), Error> {
        self.exits.set(env, slot, position, exit)
    }

    /// Adds a delta to a balance, which stays within 0 and i128's end or is left as it was.
    pub fn add(&mut self, slot: u32, position: u32, delta: i128) -> Result<(), Error> {
        let cell = self
            .slots
            .get_mut(slot as usize)
            .and_then(|slot| slot.get_mut(position as usize))
            .ok_or(Error::CorruptPage)?;
        let balance = i128::from_be_bytes(*cell)
            .checked_add(delta)
            .ok_or(Error::BalanceOverflow)?;
        if balance < 0 {
            return Err(Error::InsufficientBalance);
        }
        *cell = balance.to_be_bytes();
        self.used = self.used.max(slot as usize + 1);
        Ok(())
    }
}
