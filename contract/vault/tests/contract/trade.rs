//! `settle_trade`: one instruction, once.

use soroban_sdk::testutils::Address as _;
use soroban_sdk::{Address, BytesN};
use vault::{Error, FUTURE_WINDOW_SECONDS, PAST_WINDOW_SECONDS, SettlementInstruction};

use crate::chain::{Chain, Refusal, START_TIME};

/// 10 of base against 20 of quote, made now.
pub fn instruction(
    chain: &Chain,
    buyer: &Address,
    seller: &Address,
    base: &Address,
    quote: &Address,
) -> SettlementInstruction {
    SettlementInstruction {
        trade_id: chain.bytes32(1),
        buyer: buyer.clone(),
        seller: seller.clone(),
        base_asset: base.clone(),
        quote_asset: quote.clone(),
        base_amount: 10,
        quote_amount: 20,
        timestamp: START_TIME,
    }
}

struct Market {
    chain: Chain,
    tokens: Vec<Address>,
    buyer: Address,
    seller: Address,
}

fn market() -> Market {
    let (chain, tokens) = Chain::with_assets(2);
    let buyer = chain.depositor(&tokens, 100);
    let seller = chain.depositor(&tokens, 100);
    Market {
        chain,
        tokens,
        buyer,
        seller,
    }
}

impl Market {
    fn trade(&self) -> SettlementInstruction {
        instruction(
            &self.chain,
            &self.buyer,
            &self.seller,
            &self.tokens[0],
            &self.tokens[1],
        )
    }

    fn refused(&self, change: impl FnOnce(&mut SettlementInstruction), error: Error) {
        let mut trade = self.trade();
        change(&mut trade);
        assert_eq!(
            self.chain.settle_trade(&trade),
            Err(Refusal::Contract(error))
        );
        assert!(!self.chain.vault.is_trade_settled(&trade.trade_id));
        assert_eq!(self.chain.balance(&self.buyer, &self.tokens[0]), 100);
        assert_eq!(self.chain.balance(&self.seller, &self.tokens[1]), 100);
    }
}

#[test]
fn a_trade_moves_base_one_way_and_quote_the_other() {
    let market = market();
    let Market {
        chain,
        tokens,
        buyer,
        seller,
    } = &market;
    assert_eq!(chain.settle_trade(&market.trade()), Ok(()));
    let balances =
        [buyer, seller].map(|user| [0, 1].map(|asset| chain.balance(user, &tokens[asset])));
    assert_eq!(balances, [[110, 80], [90, 120]]);
    assert!(chain.vault.is_trade_settled(&market.trade().trade_id));
}

#[test]
fn a_trade_across_pages_and_groups() {
    let (chain, tokens) = Chain::with_assets(5);
    let buyer = chain.depositor(&tokens, 100);
    for _ in 0..vault::ACCOUNTS_PER_PAGE {
        chain.depositor(&tokens[..1], 100);
    }
    let seller = chain.depositor(&tokens, 100);
    let trade = instruction(&chain, &buyer, &seller, &tokens[4], &tokens[1]);
    assert_eq!(chain.settle_trade(&trade), Ok(()));
    let balances =
        [&buyer, &seller].map(|user| [4, 1].map(|asset| chain.balance(user, &tokens[asset])));
    assert_eq!(balances, [[110, 80], [90, 120]]);
}

#[test]
fn a_trade_settles_once() {
    let market = market();
    assert_eq!(market.chain.settle_trade(&market.trade()), Ok(()));
    let mut again = market.trade();
    let settled = Err(Refusal::Contract(Error::TradeAlreadySettled));
    assert_eq!(market.chain.settle_trade(&again), settled);
    // The id alone decides.
    again.base_amount = 1;
    again.timestamp += 1;
    assert_eq!(market.chain.settle_trade(&again), settled);
}

/// The marker outlives the window even if ledgers close as fast as the network can let them, one second apart, and the
/// instruction came as early as it may.
#[test]
fn a_trade_settles_once_at_any_ledger_speed() {
    for seconds in [1, 5] {
        let market = market();
        let mut trade = market.trade();
        trade.timestamp = START_TIME + FUTURE_WINDOW_SECONDS;
        assert_eq!(market.chain.settle_trade(&trade), Ok(()));
        let window = PAST_WINDOW_SECONDS + FUTURE_WINDOW_SECONDS;
        let ledgers = u32::try_from(window / seconds).unwrap();
        market.chain.pass(ledgers, seconds);
        assert_eq!(
            market.chain.settle_trade(&trade),
            Err(Refusal::Contract(Error::TradeAlreadySettled))
        );
        market.chain.pass(1, seconds);
        assert_eq!(
            market.chain.settle_trade(&trade),
            Err(Refusal::Contract(Error::TradeTooOld))
        );
    }
}

/// The same where temporary entries live for less than the window unless they are extended.
#[test]
fn the_marker_does_not_rest_on_the_network_minimum() {
    use soroban_sdk::testutils::Ledger as _;
    let market = market();
    market
        .chain
        .env
        .ledger()
        .with_mut(|ledger| ledger.min_temp_entry_ttl = 16);
    assert_eq!(market.chain.settle_trade(&market.trade()), Ok(()));
    market
        .chain
        .pass(u32::try_from(PAST_WINDOW_SECONDS).unwrap(), 1);
    assert_eq!(
        market.chain.settle_trade(&market.trade()),
        Err(Refusal::Contract(Error::TradeAlreadySettled))
    );
}

#[test]
fn the_window_has_two_ends() {
    let market = market();
    market.refused(
        |trade| trade.timestamp = START_TIME - PAST_WINDOW_SECONDS - 1,
        Error::TradeTooOld,
    );
    market.refused(
        |trade| trade.timestamp = START_TIME + FUTURE_WINDOW_SECONDS + 1,
        Error::TradeInFuture,
    );
    market.refused(|trade| trade.timestamp = 0, Error::TradeTooOld);
    market.refused(|trade| trade.timestamp = u64::MAX, Error::TradeInFuture);
    for (id, timestamp) in [
        (1, START_TIME - PAST_WINDOW_SECONDS),
        (2, START_TIME + FUTURE_WINDOW_SECONDS),
    ] {
        let mut trade = market.trade();
        trade.trade_id = BytesN::from_array(&market.chain.env, &[id; 32]);
        trade.timestamp = timestamp;
        assert_eq!(market.chain.settle_trade(&trade), Ok(()));
    }
}

#[test]
fn what_is_no_trade_is_refused() {
    let market = market();
    let Market {
        chain,
        tokens,
        buyer,
        ..
    } = &market;
    market.refused(|trade| trade.seller = buyer.clone(), Error::SelfTrade);
    market.refused(
        |trade| trade.quote_asset = tokens[0].clone(),
        Error::SameAsset,
    );
    for amount in [0, -1, i128::MIN] {
        market.refused(|trade| trade.base_amount = amount, Error::InvalidAmount);
        market.refused(|trade| trade.quote_amount = amount, Error::InvalidAmount);
    }
    let other = chain.classic_asset();
    market.refused(
        |trade| trade.base_asset = other.clone(),
        Error::UnknownAsset,
    );
    market.refused(
        |trade| trade.quote_asset = other.clone(),
        Error::UnknownAsset,
    );
    let stranger = Address::generate(&chain.env);
    market.refused(
        |trade| trade.buyer = stranger.clone(),
        Error::UnknownAccount,
    );
    market.refused(
        |trade| trade.seller = stranger.clone(),
        Error::UnknownAccount,
    );
}

#[test]
fn nobody_trades_what_they_do_not_have() {
    let market = market();
    market.refused(|trade| trade.base_amount = 101, Error::InsufficientBalance);
    market.refused(|trade| trade.quote_amount = 101, Error::InsufficientBalance);
    market.refused(
        |trade| trade.quote_amount = i128::MAX,
        Error::InsufficientBalance,
    );
}
