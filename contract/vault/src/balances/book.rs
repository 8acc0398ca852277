use soroban_sdk::Env;

use super::exits::Exit;
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

    /// Adds to the balance of an account in the open page. What an exit has set aside is not there to be taken.
    pub fn add_at(&mut self, account: u32, position: u32, delta: i128) -> Result<(), Error> {
        let slot = account % ACCOUNTS_PER_PAGE;
        self.page.add(slot, position, delta)?;
        if delta < 0 && self.page.has_exits() {
            return self.leave_for_exit(slot, position);
        }
        Ok(())
    }

    /// Adds to a balance of an account that is known to exist. What an exit has set aside is not there to be taken.
    pub fn add(&mut self, account: u32, asset: u32, delta: i128) -> Result<(), Error> {
        self.open(account, asset / ASSETS_PER_GROUP)?;
        self.add_at(account, asset % ASSETS_PER_GROUP, delta)
    }

    /// Takes from a balance for its owner, who may take what an exit has set aside.
    pub fn pay_out(&mut self, account: u32, asset: u32, amount: i128) -> Result<(), Error> {
        let debit = amount.checked_neg().ok_or(Error::InvalidAmount)?;
        self.visit(account, asset)?;
        self.page
            .add(account % ACCOUNTS_PER_PAGE, asset % ASSETS_PER_GROUP, debit)
    }

    pub fn balance(&mut self, account: u32, asset: u32) -> Result<i128, Error> {
        self.visit(account, asset)?;
        Ok(self
            .page
            .balance(account % ACCOUNTS_PER_PAGE, asset % ASSETS_PER_GROUP))
    }

    pub fn exit(&mut self, account: u32, asset: u32) -> Result<Option<Exit>, Error> {
        self.visit(account, asset)?;
        Ok(self
            .page
            .exit(account % ACCOUNTS_PER_PAGE, asset % ASSETS_PER_GROUP))
    }

    pub fn set_exit(&mut self, account: u32, asset: u32, exit: Option<&Exit>) -> Result<(), Error> {
        self.visit(account, asset)?;
        self.page.set_exit(
            self.env,
            account % ACCOUNTS_PER_PAGE,
            asset % ASSETS_PER_GROUP,
            exit,
        )
    }

    pub fn close(self) -> Result<(), Error> {
        match self.open {
            Some(key) => self.page.store(self.env, &key),
            None => Ok(()),
        }
    }

    /// Refuses a balance that no longer covers an exit whose time has come.
    #[cold]
    #[inline(never)]
    fn leave_for_exit(&self, slot: u32, position: u32) -> Result<(), Error> {
        match self.page.exit(slot, position) {
            Some(exit)
                if exit.due <= self.env.ledger().timestamp()
                    && self.page.balance(slot, position) < exit.amount =>
            {
                Err(Error::FundsLeaving)
            }
            _ => Ok(()),
        }
    }

    /// [`Self::open`] for what is not done in a loop.
    #[inline(never)]
    fn visit(&mut self, account: u32, asset: u32) -> Result<(), Error> {
        self.open(account, asset / ASSETS_PER_GROUP)
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

/// Keeps an account's balances alive: reading a page does.
pub fn keep(env: &Env, account: u32, asset_count: u32) {
    for group in 0..asset_count.div_ceil(ASSETS_PER_GROUP) {
        let number = account / ACCOUNTS_PER_PAGE;
        storage::page(env, &PageKey { group, number });
    }
}

/// A balance in the asset's smallest unit, without changing anything.
pub fn balance(env: &Env, account: u32, asset: u32) -> Result<i128, Error> {
    Balances::new(env).balance(account, asset)
}

/// The exit of an account's asset, without changing anything.
pub fn exit(env: &Env, account: u32, asset: u32) -> Result<Option<Exit>, Error> {
    Balances::new(env).exit(account, asset)
}
