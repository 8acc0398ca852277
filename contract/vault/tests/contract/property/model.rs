//! The vault as one would explain it: maps, no pages, no bytes.

use std::collections::{BTreeMap, BTreeSet};

use vault::{FUTURE_WINDOW_SECONDS, PAST_WINDOW_SECONDS};

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

pub struct Batch {
    pub channel: u32,
    pub epoch: u64,
    pub sequence: u64,
    pub trade_count: u32,
    pub deltas: Vec<u8>,
}

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
    pub settled: BTreeMap<u8, u64>,
    pub epoch: u64,
    pub sequence: u64,
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

    pub fn deposit(&mut self, user: usize, asset: usize, amount: i128) -> Verdict {
        rule(amount > 0 && asset < self.assets && amount <= self.purse(user, asset))?;
        if !self.accounts.contains(&user) {
            self.accounts.push(user);
        }
        *self.purses.entry((user, asset)).or_default() -= amount;
        *self.balances.entry((user, asset)).or_default() += amount;
        Ok(())
    }

    pub fn withdraw(&mut self, user: usize, asset: usize, amount: i128) -> Verdict {
        rule(amount > 0 && asset < self.assets && amount <= self.balance(user, asset))?;
        *self.balances.entry((user, asset)).or_default() -= amount;
        *self.purses.entry((user, asset)).or_default() += amount;
        Ok(())
    }

    pub fn settle_trade(&mut self, trade: &Trade, now: u64) -> Verdict {
        rule(trade.base_amount > 0 && trade.quote_amount > 0)?;
        rule(trade.buyer != trade.seller && trade.base != trade.quote)?;
        rule(trade.base < self.assets && trade.quote < self.assets)?;
        rule(self.accounts.contains(&trade.buyer) && self.accounts.contains(&trade.seller))?;
        rule(trade.timestamp + PAST_WINDOW_SECONDS >= now)?;
        rule(trade.timestamp <= now + FUTURE_WINDOW_SECONDS)?;
        rule(!self.settled.contains_key(&trade.id))?;
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
        self.settled.insert(trade.id, now);
        Ok(())
    }

    pub fn settle_batch(&mut self, batch: &Batch) -> Verdict {
        rule(batch.channel == 0 && batch.trade_count > 0)?;
        rule(batch.sequence == self.sequence + 1 && batch.epoch >= self.epoch)?;
        let deltas = decode(&batch.deltas).ok_or(No::Rule)?;
        let mut sums = BTreeMap::<u32, i128>::new();
        let mut after = self.balances.clone();
        for &(account, asset, delta) in &deltas {
            rule((asset as usize) < self.assets)?;
            let user = *self.accounts.get(account as usize).ok_or(No::Rule)?;
            let balance = after.entry((user, asset as usize)).or_default();
            *balance = balance.checked_add(delta).ok_or(No::Rule)?;
            let sum = sums.entry(asset).or_default();
            *sum = sum.checked_add(delta).ok_or(No::Rule)?;
        }
        rule(sums.values().all(|sum| *sum == 0))?;
        rule(after.values().all(|balance| *balance >= 0))?;
        self.balances = after;
        self.epoch = batch.epoch;
        self.sequence = batch.sequence;
        Ok(())
    }
}

/// The deltas as (account, asset, delta), or nothing where they break the encoding. Decodes freely and then encodes again: what
/// does not give the same bytes was not spelled as it should be.
fn decode(blob: &[u8]) -> Option<Vec<(u32, u32, i128)>> {
    let mut bytes = blob.iter().copied();
    let mut deltas = Vec::new();
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
    }
    let canonical = deltas
        .iter()
        .map(|&(account, asset, delta)| ((account, asset), delta))
        .collect();
    let unique: BTreeSet<_> = deltas
        .iter()
        .map(|(account, asset, _)| (account, asset))
        .collect();
    (unique.len() == deltas.len() && crate::encoding::encode(&canonical) == blob).then_some(deltas)
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
