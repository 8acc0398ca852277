use soroban_sdk::{Address, BytesN, Env, contracttype};

use crate::balances::Balances;
use crate::errors::Error;
use crate::events::TradeSettled;
use crate::storage;

/// One trade: the buyer pays the quote amount to the seller and gets the base amount.
#[contracttype]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SettlementInstruction {
    pub trade_id: BytesN<32>,
    pub buyer: Address,
    pub seller: Address,
    pub base_asset: Address,
    pub quote_asset: Address,
    /// In the base asset's smallest unit, above zero.
    pub base_amount: i128,
    /// In the quote asset's smallest unit, above zero.
    pub quote_amount: i128,
    /// When the trade was made, in Unix seconds.
    pub timestamp: u64,
}

/// How old a trade may be when it settles: four hours.
pub const PAST_WINDOW_SECONDS: u64 = 4 * 3_600;

/// How far the engine's clock may be ahead of the ledger's: five minutes.
pub const FUTURE_WINDOW_SECONDS: u64 = 300;

/// How many ledgers the marker of a settled trade lives, at least.
///
/// An instruction with timestamp T is accepted while T − future ≤ ledger time ≤ T + past. If it settles at ledger time t₀, then
/// T ≤ t₀ + future, so it can't be accepted after t₀ + future + past. The network makes the close time of each ledger greater
/// than that of the one before, in whole seconds (stellar-core refuses a value whose closeTime is not above the last one), so
/// this many ledgers later the time is past that end, however fast ledgers close: the marker outlives the instruction. At 5 s a
/// ledger it does so five times over, and it stays below the 17,280 ledgers that a temporary entry lives on the public network in
/// any case, so it costs nothing on top.
const MARKER_LEDGERS: u32 = (PAST_WINDOW_SECONDS + FUTURE_WINDOW_SECONDS + 1) as u32;

/// Settles a trade that the channel's engine has already authorised.
pub fn settle_trade(env: &Env, trade: &SettlementInstruction) -> Result<(), Error> {
    if trade.base_amount <= 0 || trade.quote_amount <= 0 {
        return Err(Error::InvalidAmount);
    }
    if trade.buyer == trade.seller {
        return Err(Error::SelfTrade);
    }
    if trade.base_asset == trade.quote_asset {
        return Err(Error::SameAsset);
    }
    check_window(env.ledger().timestamp(), trade.timestamp)?;
    if storage::is_trade_settled(env, &trade.trade_id) {
        return Err(Error::TradeAlreadySettled);
    }
    storage::mark_trade_settled(env, &trade.trade_id, MARKER_LEDGERS);

    let base = storage::asset_index(env, &trade.base_asset).ok_or(Error::UnknownAsset)?;
    let quote = storage::asset_index(env, &trade.quote_asset).ok_or(Error::UnknownAsset)?;
    for asset in [base, quote] {
        storage::pauses(env).check(asset)?;
    }
    let buyer = storage::account_index(env, &trade.buyer).ok_or(Error::UnknownAccount)?;
    let seller = storage::account_index(env, &trade.seller).ok_or(Error::UnknownAccount)?;
    transfer(env, seller, buyer, base, trade.base_amount)?;
    transfer(env, buyer, seller, quote, trade.quote_amount)?;

    TradeSettled {
        trade_id: trade.trade_id.clone(),
        buyer,
        seller,
        base_asset: base,
        quote_asset: quote,
        base_amount: trade.base_amount,
        quote_amount: trade.quote_amount,
        timestamp: trade.timestamp,
    }
    .publish(env);
    Ok(())
}

fn check_window(now: u64, timestamp: u64) -> Result<(), Error> {
    if timestamp > now.saturating_add(FUTURE_WINDOW_SECONDS) {
        return Err(Error::TradeInFuture);
    }
    if timestamp.saturating_add(PAST_WINDOW_SECONDS) < now {
        return Err(Error::TradeTooOld);
    }
    Ok(())
}

fn transfer(env: &Env, from: u32, to: u32, asset: u32, amount: i128) -> Result<(), Error> {
    let debit = amount.checked_neg().ok_or(Error::InvalidAmount)?;
    let mut balances = Balances::new(env);
    balances.add(from, asset, debit)?;
    balances.add(to, asset, amount)?;
    balances.close()
}
