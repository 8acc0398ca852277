use soroban_sdk::Env;

use super::page::{ACCOUNTS_PER_PAGE, ASSETS_PER_GROUP, Page};
use crate::errors::Error;
use crate::storage::{self, PageKey};

/// Balances under change: one page is open at a time and is written back when another one is needed. A caller that visits
/// accounts in order reads and writes each page once.
///
/// What was changed last is only stored by [`Balances::close`]; a call that fails is rolled back by the host as a whole, so
/// nothing else has to be undone.
pub struct Balances<'a> {
    env: &'a Env,
    open: Option<PageKey>,
    page: Page,
    account_count: Option<u32>,
}

impl<'a> Balances<'a> {
    pub fn new(env: &'a Env) -> Self {
        Self {
            env,
            open: None,
            page: Page::empty(),
            account_count: None,
        }
    }

    /// Opens the account's page of the group. Refuses an index that was never assigned.
    ///
    /// The number of accounts is read only where the page itself can't tell, and once: a batch that read it every time would
    /// conflict with every first deposit.
    pub fn open_existing(&mut self, account: u32, group: u32) -> Result<(), Error> {
        self.open(account, group)?;
        if self.page.covers(account % ACCOUNTS_PER_PAGE) {
            return Ok(());
        }
        let count = match self.account_count {
            Some(count) => count,
            None => {
                let count = storage::account_count(self.env);
                self.account_count = Some(count);
                count
            }
        };
        if account < count {
            Ok(())
        } else {
            Err(Error::UnknownAccount)
        }
    }

    /// Adds to the balance of an account in the open page.
    pub fn add_at(&mut self, account: u32, position: u32, delta: i128) -> Result<(), Error> {
        self.page.add(account % ACCOUNTS_PER_PAGE, position, delta)
    }

    /// Adds to a balance of an account that is known to exist.
    pub fn add(&mut self, account: u32, asset: u32, delta: i128) -> Result<(), Error> {
        self.open(account, asset / ASSETS_PER_GROUP)?;
        self.add_at(account, asset % ASSETS_PER_GROUP, delta)
    }

    pub fn close(self) -> Result<(), Error> {
        match self.open {
            Some(key) => self.page.store(self.env, &key),
            None => Ok(()),
        }
    }

    #[inline(always)]
    fn open(&mut self, account: u32, group: u32) -> Result<(), Error> {
        let key = PageKey {
            group,
            number: account / ACCOUNTS_PER_PAGE,
        };
        if self.open == Some(key) {
            return Ok(());
        }
        self.turn_to(key)
    }

    /// Writes the open page back and reads another one.
    #[cold]
    #[inline(never)]
    fn turn_to(&mut self, key: PageKey) -> Result<(), Error> {
        if let Some(previous) = self.open {
            self.page.store(self.env, &previous)?;
        }
        self.page.load(self.env, &key)?;
        self.open = Some(key);
        Ok(())
    }
}

/// A balance in the asset's smallest unit, without changing anything.
pub fn balance(env: &Env, account: u32, asset: u32) -> Result<i128, Error> {
    let mut page = Page::empty();
    page.load(
        env,
        &PageKey {
            group: asset / ASSETS_PER_GROUP,
            number: account / ACCOUNTS_PER_PAGE,
        },
    )?;
    Ok(page.balance(account % ACCOUNTS_PER_PAGE, asset % ASSETS_PER_GROUP))
}
