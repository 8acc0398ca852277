//! What the venue keeps of trades: added to by batches, within a cap, and paid to the treasury alone.

use soroban_sdk::{Address, Env, Map};

use crate::custody;
use crate::errors::Error;
use crate::events::{FeesCharged, FeesCollected};
use crate::settlement::SettlementBatch;
use crate::storage;

/// The cap of caps, in parts per million: one percent. No administrator can set a higher one, only other code.
pub const MAX_FEE_CAP_PPM: u32 = 10_000;

const MILLION: i128 = 1_000_000;

/// The fees of one batch. What a batch without any costs for them is this being made.
pub struct Charges<'a> {
    env: &'a Env,
    batch: &'a SettlementBatch,
    pots: Option<Pots>,
}

/// What is waiting to be collected, as the batch leaves it.
struct Pots {
    fees: Map<u32, i128>,
    first: bool,
    cap_ppm: u32,
}

impl<'a> Charges<'a> {
    pub const fn of(env: &'a Env, batch: &'a SettlementBatch) -> Self {
        Self {
            env,
            batch,
            pots: None,
        }
    }

    /// Adds the fees of an asset, in its smallest unit, that were taken from a turnover.
    pub fn add(&mut self, asset: u32, amount: i128, turnover: i128) -> Result<(), Error> {
        if amount == 0 || amount > turnover {
            return Err(Error::InvalidFee);
        }
        let Self { env, batch, .. } = *self;
        let pots = self
            .pots
            .get_or_insert_with(|| Pots::open(env, batch.channel));
        if !allowed(amount, turnover, pots.cap_ppm, batch.trade_count) {
            return Err(Error::FeeAboveCap);
        }
        let pot = pots.fees.get(asset).unwrap_or(0);
        let pot = pot.checked_add(amount).ok_or(Error::BalanceOverflow)?;
        pots.fees.set(asset, pot);
        FeesCharged {
            channel: batch.channel,
            sequence: batch.sequence,
            asset,
            amount,
            turnover,
        }
        .publish(env);
        Ok(())
    }

    pub fn close(self) {
        if let Some(Pots { fees, first, .. }) = self.pots {
            storage::set_fees(self.env, self.batch.channel, &fees, first);
        }
    }
}

impl Pots {
    fn open(env: &Env, channel: u32) -> Self {
        let fees = storage::fees(env, channel);
        Self {
            first: fees.is_none(),
            fees: fees.unwrap_or_else(|| Map::new(env)),
            cap_ppm: storage::fee_cap(env),
        }
    }
}

/// Whether a batch may take as much of an asset: the cap's part of the turnover, and a unit a trade, since every single fee is rounded
/// up and in each trade one side receives the asset. Nothing at all where the cap is 0.
fn allowed(amount: i128, turnover: i128, cap_ppm: u32, trades: u32) -> bool {
    // Multiplied out: a division of such numbers is a kilobyte of program, which every call would pay for. A product that leaves
    // i128 is of more than any token has.
    let rounded = amount.saturating_sub(i128::from(trades)).max(0);
    let most = turnover.saturating_mul(i128::from(cap_ppm));
    cap_ppm > 0
        && rounded
            .checked_mul(MILLION)
            .is_some_and(|taken| taken <= most)
}

/// Pays the treasury what a channel's batches took of a token. Gives what that was.
pub fn collect(
    env: &Env,
    treasury: &Address,
    channel: u32,
    token: &Address,
) -> Result<i128, Error> {
    let asset = storage::asset_index(env, token).ok_or(Error::UnknownAsset)?;
    let mut fees = storage::fees(env, channel).ok_or(Error::NoFees)?;
    let amount = fees.get(asset).ok_or(Error::NoFees)?;
    fees.remove(asset);
    storage::set_fees(env, channel, &fees, false);
    custody::pay(env, token, treasury, amount)?;
    FeesCollected {
        token: token.clone(),
        channel,
        asset,
        amount,
        treasury: treasury.clone(),
    }
    .publish(env);
    Ok(amount)
}
