//! The vault as one would explain it: maps, no pages, no bytes.

use std::collections::{BTreeMap, BTreeSet};

use vault::{
    CHANGE_LIFETIME_SECONDS, EXIT_DELAY_SECONDS, FUTURE_WINDOW_SECONDS, MAX_FEE_CAP_PPM,
    MIN_CHANGE_DELAY_SECONDS, PAST_WINDOW_SECONDS,
};

use crate::encoding::{Fees, encode_with};

/// Why the model refuses. Which of several broken rules is named first is not its concern: the unit tests hold the errors.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum No {
    /// Somebody's authority is missing.
    Authority,
    /// A rule is broken.
    Rule,
}

pub type Verdict = Result<(), No>;

pub struct Trade {
    pub id: u8,
    pub buyer: usize,
    pub seller: usize,
    pub base: usize,
    pub quote: usize,
    pub base_amount: i128,
    pub quote_amount: i128,
    pub timestamp: u64,
}

#[derive(Clone)]
pub struct Batch {
    pub channel: u32,
    pub epoch: u64,
    pub sequence: u64,
    pub trade_count: u32,
    pub deltas: Vec<u8>,
}

/// An engine for a channel, by its position in the caller's list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EngineChange {
    pub channel: u32,
    pub engine: usize,
}

/// What batches may take of what is traded, in parts per million, and no other figure in a run: the highest, with which small trades
/// pay more than the unit that rounding up allows.
pub const FEE_CAP_PPM: u32 = MAX_FEE_CAP_PPM;

/// How many ledgers the marker of a settled trade lives.
const MARKER_LEDGERS: u32 = 17_280;

/// Users and assets are positions in the caller's lists.
#[derive(Clone, Default)]
pub struct Model {
    /// Accounts in the order of their index.
    pub accounts: Vec<usize>,
    pub assets: usize,
    /// (user, asset) → in the vault.
    pub balances: BTreeMap<(usize, usize), i128>,
    /// (user, asset) → outside of it.
    pub purses: BTreeMap<(usize, usize), i128>,
    /// (user, asset) → amount and due time of a request.
    pub exits: BTreeMap<(usize, usize), (i128, u64)>,
    /// Trade id → the ledger in which it settled.
    pub settled: BTreeMap<u8, u32>,
    /// Channel → epoch and sequence of its last batch.
    pub channels: BTreeMap<u32, (u64, u64)>,
    pub engines: BTreeMap<u32, usize>,
    /// (channel, asset) → fees that nobody has collected.
    pub fees: BTreeMap<(u32, usize), i128>,
    /// Asset → fees that the treasury has got.
    pub treasury: BTreeMap<usize, i128>,
    pub paused: bool,
    pub paused_assets: BTreeSet<usize>,
    pub changes: Vec<(EngineChange, u64)>,
}

fn rule(holds: bool) -> Verdict {
    if holds { Ok(()) } else { Err(No::Rule) }
}

impl Model {
    pub fn balance(&self, user: usize, asset: usize) -> i128 {
        self.balances.get(&(user, asset)).copied().unwrap_or(0)
    }

    pub fn purse(&self, user: usize, asset: usize) -> i128 {
        self.purses.get(&(user, asset)).copied().unwrap_or(0)
    }

    pub fn cursor(&self, channel: u32) -> (u64, u64) {
        self.channels.get(&channel).copied().unwrap_or((0, 0))
    }

    fn moves(&self, asset: usize) -> Verdict {
        rule(!self.paused && !self.paused_assets.contains(&asset))
    }

    /// Whether the balance still covers what a due exit has set aside.
    fn covers(&self, user: usize, asset: usize, now: u64) -> Verdict {
        let exit = self.exits.get(&(user, asset));
        rule(exit.is_none_or(|&(amount, due)| now < due || self.balance(user, asset) >= amount))
    }

    pub fn leave(&mut self, user: usize, asset: usize, amount: i128) {
        *self.balances.entry((user, asset)).or_default() -= amount;
        *self.purses.entry((user, asset)).or_default() += amount;
    }

    pub fn request(&mut self, user: usize, asset: usize, amount: i128, now: u64) -> Verdict {
        rule(amount > 0 && self.balance(user, asset) > 0)?;
        rule(!self.exits.contains_key(&(user, asset)))?;
        let amount = amount.min(self.balance(user, asset));
        self.exits
            .insert((user, asset), (amount, now + EXIT_DELAY_SECONDS));
        Ok(())
    }

    pub fn cancel(&mut self, user: usize, asset: usize) -> Verdict {
        rule(self.exits.remove(&(user, asset)).is_some())
    }

    pub fn claim(&mut self, user: usize, asset: usize, now: u64) -> Verdict {
        let (amount, due) = self.exits.remove(&(user, asset)).ok_or(No::Rule)?;
        let amount = amount.min(self.balance(user, asset));
        rule(now >= due && amount > 0)?;
        self.leave(user, asset, amount);
        Ok(())
    }

    pub fn pause(&mut self, asset: Option<usize>, paused: bool) -> Verdict {
        match asset {
            None => self.paused = paused,
            Some(asset) => {
                rule(asset < self.assets)?;
                if paused {
                    self.paused_assets.insert(asset);
                } else {
                    self.paused_assets.remove(&asset);
                }
            }
        }
        Ok(())
    }

    fn current(&self, now: u64) -> Vec<(EngineChange, u64)> {
        let lives = |due: u64| now <= due + CHANGE_LIFETIME_SECONDS;
        self.changes
            .iter()
            .copied()
            .filter(|(_, due)| lives(*due))
            .collect()
    }

    pub fn announce(&mut self, change: EngineChange, now: u64) -> Verdict {
        self.changes = self.current(now);
        rule(self.changes.iter().all(|(other, _)| *other != change))?;
        self.changes.push((change, now + MIN_CHANGE_DELAY_SECONDS));
        Ok(())
    }

    pub fn cancel_change(&mut self, change: EngineChange, now: u64) -> Verdict {
        self.changes = self.current(now);
        let at = self.changes.iter().position(|(other, _)| *other == change);
        self.changes.remove(at.ok_or(No::Rule)?);
        Ok(())
    }

    pub fn apply_change(&mut self, change: EngineChange, now: u64) -> Verdict {
        self.changes = self.current(now);
        let founding = self.accounts.is_empty();
        match self.changes.iter().position(|(other, _)| *other == change) {
            Some(at) => {
                let (_, due) = self.changes.remove(at);
                rule(founding || now >= due)?;
            }
            None => rule(founding)?,
        }
        self.engines.insert(change.channel, change.engine);
        Ok(())
    }

    pub fn deposit(&mut self, user: usize, asset: usize, amount: i128) -> Verdict {
        rule(amount > 0 && asset < self.assets && amount <= self.purse(user, asset))?;
        self.moves(asset)?;
        if !self.accounts.contains(&user) {
            self.accounts.push(user);
        }
        *self.purses.entry((user, asset)).or_default() -= amount;
        *self.balances.entry((user, asset)).or_default() += amount;
        Ok(())
    }

    pub fn withdraw(&mut self, user: usize, asset: usize, amount: i128) -> Verdict {
        rule(amount > 0 && asset < self.assets && amount <= self.balance(user, asset))?;
        self.leave(user, asset, amount);
        if let Some((asked, due)) = self.exits.remove(&(user, asset))
            && asked > amount
        {
            self.exits.insert((user, asset), (asked - amount, due));
        }
        Ok(())
    }

    pub fn collect(&mut self, channel: u32, asset: usize) -> Verdict {
        let amount = self.fees.remove(&(channel, asset)).ok_or(No::Rule)?;
        *self.treasury.entry(asset).or_default() += amount;
        Ok(())
    }

    pub fn settle_trade(&mut self, trade: &Trade, now: u64, ledger: u32) -> Verdict {
        rule(trade.base_amount > 0 && trade.quote_amount > 0)?;
        rule(trade.buyer != trade.seller && trade.base != trade.quote)?;
        rule(trade.base < self.assets && trade.quote < self.assets)?;
        rule(self.accounts.contains(&trade.buyer) && self.accounts.contains(&trade.seller))?;
        rule(trade.timestamp + PAST_WINDOW_SECONDS >= now)?;
        rule(trade.timestamp <= now + FUTURE_WINDOW_SECONDS)?;
        let settled = self.settled.get(&trade.id);
        rule(settled.is_none_or(|settled| ledger >= settled + MARKER_LEDGERS))?;
        self.moves(trade.base)?;
        self.moves(trade.quote)?;
        rule(self.balance(trade.seller, trade.base) >= trade.base_amount)?;
        rule(self.balance(trade.buyer, trade.quote) >= trade.quote_amount)?;
        for (user, asset, change) in [
            (trade.buyer, trade.base, trade.base_amount),
            (trade.seller, trade.base, -trade.base_amount),
            (trade.buyer, trade.quote, -trade.quote_amount),
            (trade.seller, trade.quote, trade.quote_amount),
        ] {
            *self.balances.entry((user, asset)).or_default() += change;
        }
        self.covers(trade.seller, trade.base, now)?;
        self.covers(trade.buyer, trade.quote, now)?;
        self.settled.insert(trade.id, ledger);
        Ok(())
    }

    pub fn settle_batch(&mut self, batch: &Batch, now: u64) -> Verdict {
        rule(self.engines.contains_key(&batch.channel) && batch.trade_count > 0)?;
        rule(!self.paused)?;
        let (epoch, sequence) = self.cursor(batch.channel);
        rule(batch.sequence == sequence + 1 && batch.epoch >= epoch)?;
        let (deltas, fees) = decode(&batch.deltas).ok_or(No::Rule)?;
        let mut sums = BTreeMap::<u32, i128>::new();
        let mut after = self.balances.clone();
        for &(account, asset, delta) in &deltas {
            rule((asset as usize) < self.assets)?;
            self.moves(asset as usize)?;
            let user = *self.accounts.get(account as usize).ok_or(No::Rule)?;
            let balance = after.entry((user, asset as usize)).or_default();
            *balance = balance.checked_add(delta).ok_or(No::Rule)?;
            let sum = sums.entry(asset).or_default();
            *sum = sum.checked_add(delta).ok_or(No::Rule)?;
        }
        for (&asset, &(amount, turnover)) in &fees {
            let sum = sums.entry(asset).or_default();
            *sum = sum.checked_add(amount).ok_or(No::Rule)?;
            let part = turnover
                .checked_mul(i128::from(FEE_CAP_PPM))
                .ok_or(No::Rule)?
                / 1_000_000;
            rule(amount > 0 && amount <= turnover)?;
            rule(amount <= part + i128::from(batch.trade_count))?;
            let pot = self
                .fees
                .entry((batch.channel, asset as usize))
                .or_default();
            *pot += amount;
        }
        rule(sums.values().all(|sum| *sum == 0))?;
        rule(after.values().all(|balance| *balance >= 0))?;
        self.balances = after;
        for &(account, asset, delta) in &deltas {
            if delta < 0 {
                self.covers(self.accounts[account as usize], asset as usize, now)?;
            }
        }
        self.channels
            .insert(batch.channel, (batch.epoch, batch.sequence));
        Ok(())
    }
}

/// (account, asset, delta)
type Moves = Vec<(u32, u32, i128)>;

/// The deltas, and fees, or nothing where they break the encoding. Decodes freely and then encodes again: what
/// does not give the same bytes was not spelled as it should be.
fn decode(blob: &[u8]) -> Option<(Moves, Fees)> {
    let mut bytes = blob.iter().copied();
    let mut deltas = Vec::new();
    let mut fees = Fees::new();
    while bytes.len() > 0 {
        let group = u32::try_from(varint(&mut bytes)?).ok()?;
        let count = varint(&mut bytes)?;
        let mut account: u32 = 0;
        for _ in 0..count {
            let gap = u32::try_from(varint(&mut bytes)?).ok()?;
            account = account.checked_add(gap)?;
            let mask = bytes.next()?;
            for bit in (0..8).filter(|bit| mask >> bit & 1 == 1) {
                let zigzag = varint(&mut bytes)?;
                let half = (zigzag / 2) as i128;
                let delta = if zigzag % 2 == 0 { half } else { -half - 1 };
                let asset = group.checked_mul(4)?.checked_add(bit)?;
                // A high bit of the mask reads as an asset of the next group, which encodes differently.
                deltas.push((account, asset, delta));
            }
        }
        if bytes.clone().next() == Some(0) {
            bytes.next();
            let mask = bytes.next()?;
            for bit in (0..8).filter(|bit| mask >> bit & 1 == 1) {
                let amount = i128::try_from(varint(&mut bytes)?).ok()?;
                let turnover = i128::try_from(varint(&mut bytes)?).ok()?;
                let asset = group.checked_mul(4)?.checked_add(bit)?;
                fees.insert(asset, (amount, turnover));
            }
        }
    }
    let canonical = deltas
        .iter()
        .map(|&(account, asset, delta)| ((account, asset), delta))
        .collect();
    let unique: BTreeSet<_> = deltas
        .iter()
        .map(|(account, asset, _)| (account, asset))
        .collect();
    let same = unique.len() == deltas.len() && encode_with(&canonical, &fees) == blob;
    same.then_some((deltas, fees))
}

fn varint(bytes: &mut impl Iterator<Item = u8>) -> Option<u128> {
    let mut value: u128 = 0;
    for position in 0..19 {
        let byte = bytes.next()?;
        let part = u128::from(byte & 0x7f);
        value = value.checked_add(part.checked_mul(1_u128 << (7 * position))?)?;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
