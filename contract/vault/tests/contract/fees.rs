//! What batches may keep of trades, and who gets it.

use soroban_sdk::testutils::Address as _;
use soroban_sdk::{Address, IntoVal};
use vault::{Change, DAY_IN_LEDGERS, Error, MAX_FEE_CAP_PPM, MIN_CHANGE_DELAY_SECONDS};

use crate::chain::{Chain, Outcome, Refusal, outcome};
use crate::encoding::{Deltas, Fees, charged_trade, encode_with, swap, varint};

fn refused<T>(error: Error) -> Outcome<T> {
    Err(Refusal::Contract(error))
}

impl Chain {
    pub fn collect_by(&self, signer: &Address, channel: u32, token: &Address) -> Outcome<i128> {
        let arguments = (channel, token).into_val(&self.env);
        self.authorise(&[self.by(signer, "collect_fees", arguments)]);
        outcome!(self.vault.try_collect_fees(&channel, token))
    }
}

/// Two assets, a cap and a treasury, and two accounts with a million of each.
fn venue(cap_ppm: u32) -> (Chain, Vec<Address>, Address) {
    let (chain, tokens) = Chain::with_assets(2);
    let treasury = chain.holder(&[], 0);
    chain.apply(&Change::FeeCap(cap_ppm)).unwrap();
    chain.apply(&Change::Treasury(treasury.clone())).unwrap();
    for _ in 0..2 {
        chain.depositor(&tokens, 1_000_000);
    }
    (chain, tokens, treasury)
}

/// Account 1 gives `turnover` of asset 0 to account 0, of which the venue keeps `fee`.
fn charged(fee: i128, turnover: i128) -> Vec<u8> {
    encode_with(
        &Deltas::from([((0, 0), turnover - fee), ((1, 0), -turnover)]),
        &Fees::from([(0, (fee, turnover))]),
    )
}

fn settle(chain: &Chain, deltas: &[u8], trades: u32) -> Outcome<()> {
    let mut batch = chain.batch(deltas);
    batch.trade_count = trades;
    chain.settle_batch(&batch)
}

/// The cap's part of the turnover, and a unit a trade for rounding up: to the unit.
#[test]
fn fees_keep_to_the_cap() {
    for (cap_ppm, turnover, trades, most) in [
        (1_000, 100_000, 1, 101),
        (1_000, 100_999, 1, 101),
        (1_000, 101_000, 1, 102),
        (1_000, 100_000, 3, 103),
        (1, 500, 2, 2),
        (MAX_FEE_CAP_PPM, 100_000, 1, 1_001),
    ] {
        let (chain, tokens, _) = venue(cap_ppm);
        assert_eq!(
            settle(&chain, &charged(most + 1, turnover), trades),
            refused(Error::FeeAboveCap),
            "{cap_ppm} ppm of {turnover} in {trades} trades"
        );
        assert_eq!(chain.vault.get_fees(&0, &tokens[0]), 0);
        assert_eq!(settle(&chain, &charged(most, turnover), trades), Ok(()));
        assert_eq!(chain.vault.get_fees(&0, &tokens[0]), most);
    }
}

/// Also not a unit of rounding. A vault of before has no cap.
#[test]
fn without_a_cap_there_are_no_fees() {
    let (chain, _) = Chain::with_assets(2);
    let tokens = chain.vault.get_assets();
    assert_eq!(chain.vault.get_fee_cap(), 0);
    assert_eq!(chain.vault.get_treasury(), None);
    for _ in 0..2 {
        chain.depositor(&[tokens.get_unchecked(0)], 1_000_000);
    }
    let outcome = settle(&chain, &charged(1, 100_000), 1_000);
    assert_eq!(outcome, refused(Error::FeeAboveCap));
}

#[test]
fn a_fee_is_something_and_no_more_than_its_turnover() {
    let (chain, _, _) = venue(MAX_FEE_CAP_PPM);
    for (fee, turnover) in [(0, 10), (3, 2), (1, 0)] {
        let deltas = Deltas::from([((0, 0), 10 - fee), ((1, 0), -10)]);
        let blob = encode_with(&deltas, &Fees::from([(0, (fee, turnover))]));
        assert_eq!(settle(&chain, &blob, 9), refused(Error::InvalidFee));
    }
}

/// Whatever accounts lose, others or the venue gain: no more and no less.
#[test]
fn deltas_and_fees_sum_to_zero() {
    let (chain, _, _) = venue(MAX_FEE_CAP_PPM);
    for (gain, fees) in [
        (998, Fees::from([(0, (1, 1_000))])),
        (998, Fees::from([(0, (3, 1_000))])),
        (998, Fees::from([(1, (2, 1_000))])),
        (1_000, Fees::from([(0, (2, 1_000))])),
        (998, Fees::from([(0, (2, 1_000)), (1, (2, 1_000))])),
        // Of an asset that is not there.
        (998, Fees::from([(0, (2, 1_000)), (3, (2, 1_000))])),
    ] {
        let blob = encode_with(&Deltas::from([((0, 0), gain), ((1, 0), -1_000)]), &fees);
        assert_eq!(settle(&chain, &blob, 9), refused(Error::DeltasUnbalanced));
    }
}

/// One shape at a time: what is not the encoding to the byte.
#[test]
fn fees_have_one_spelling() {
    let (chain, _, _) = venue(MAX_FEE_CAP_PPM);
    let mut deltas = charged(2, 1_000);
    let tail = [vec![0, 1], varint(2), varint(1_000)].concat();
    deltas.truncate(deltas.len() - tail.len());
    let with = |tail: &[u8]| settle(&chain, &[&deltas, tail].concat(), 9);
    for (what, tail, error) in [
        ("nothing follows", vec![], Error::DeltasUnbalanced),
        ("no mask", vec![0], Error::DeltasTruncated),
        ("no amount", vec![0, 1], Error::DeltasTruncated),
        ("no turnover", vec![0, 1, 2], Error::DeltasTruncated),
        ("no asset", vec![0, 0], Error::InvalidMask),
        ("a fifth asset", vec![0, 0x11, 2, 2], Error::InvalidMask),
        (
            "twice",
            [tail.clone(), tail.clone()].concat(),
            Error::GroupOrder,
        ),
        (
            "a long amount",
            vec![0, 1, 0x82, 0, 9],
            Error::VarintOverlong,
        ),
        (
            "an amount beyond i128",
            [vec![0, 1], varint(1 << 127), vec![9]].concat(),
            Error::VarintOutOfRange,
        ),
        (
            "a turnover beyond i128",
            [vec![0, 1, 2], varint(1 << 127)].concat(),
            Error::VarintOutOfRange,
        ),
    ] {
        assert_eq!(with(&tail), refused(error), "{what}");
    }
    assert_eq!(with(&tail), Ok(()));
    // Without a section before them they are one of group 0, and wrong.
    assert_eq!(settle(&chain, &tail, 9), refused(Error::InvalidMask));
}

/// The largest numbers there are leave i128 nowhere.
#[test]
fn fees_of_anything() {
    let (chain, _, _) = venue(1);
    let most = i128::MAX;
    let blob = |fee: i128, turnover: i128| {
        encode_with(
            &Deltas::from([((0, 0), 1_000 - fee.min(1_000)), ((1, 0), -1_000)]),
            &Fees::from([(0, (fee, turnover))]),
        )
    };
    assert_eq!(
        settle(&chain, &blob(most, most), 1),
        refused(Error::FeeAboveCap)
    );
    assert_eq!(settle(&chain, &blob(1_000, most), 1), Ok(()));
}

/// Of any fees, by nobody else, once, to nobody else, and also while everything stands still.
#[test]
fn the_treasury_collects() {
    let (chain, tokens, treasury) = venue(2_000);
    assert_eq!(
        chain.collect_by(&treasury, 0, &tokens[0]),
        refused(Error::NoFees)
    );
    assert_eq!(settle(&chain, &charged_trade(), 1), Ok(()));
    assert_eq!(settle(&chain, &charged_trade(), 1), Ok(()));
    for stranger in [&chain.admin, &chain.engine, &chain.holder(&[], 0)] {
        assert_eq!(
            chain.collect_by(stranger, 0, &tokens[1]),
            Err(Refusal::Host)
        );
    }
    let token = chain.classic_asset();
    assert_eq!(
        chain.collect_by(&treasury, 0, &token),
        refused(Error::UnknownAsset)
    );
    assert_eq!(
        chain.collect_by(&treasury, 1, &tokens[1]),
        refused(Error::NoFees)
    );
    chain.pause_by(&chain.admin, None).unwrap();
    assert_eq!(chain.collect_by(&treasury, 0, &tokens[1]), Ok(100));
    assert_eq!(chain.held(&treasury, &tokens[1]), 100);
    assert_eq!(chain.held(&chain.vault.address, &tokens[1]), 1_999_900);
    assert_eq!(chain.vault.get_fees(&0, &tokens[1]), 0);
    assert_eq!(
        chain.vault.get_fees(&0, &tokens[0]),
        4,
        "each asset by itself"
    );
    assert_eq!(
        chain.collect_by(&treasury, 0, &tokens[1]),
        refused(Error::NoFees)
    );
    chain.unpause_by(&chain.admin, None).unwrap();
    assert_eq!(settle(&chain, &charged_trade(), 1), Ok(()));
    assert_eq!(chain.collect_by(&treasury, 0, &tokens[1]), Ok(50));
}

#[test]
fn somebody_has_to_be_the_treasury() {
    let (chain, tokens) = Chain::with_assets(2);
    chain.apply(&Change::FeeCap(2_000)).unwrap();
    for _ in 0..2 {
        chain.depositor(&tokens, 1_000_000);
    }
    assert_eq!(settle(&chain, &charged_trade(), 1), Ok(()));
    let outcome = chain.collect_by(&chain.admin, 0, &tokens[0]);
    assert_eq!(outcome, refused(Error::TreasuryNotSet));
    // The fees of before are its as well.
    let treasury = Address::generate(&chain.env);
    chain.change(&Change::Treasury(treasury.clone()));
    assert_eq!(chain.vault.get_treasury(), Some(treasury.clone()));
    assert_eq!(chain.collect_by(&treasury, 0, &tokens[0]), Ok(2));
}

/// A channel's fees are its own, so that batches of two do not write the same entry.
#[test]
fn channels_keep_their_fees_apart() {
    let (chain, tokens, treasury) = venue(2_000);
    chain.change(&Change::Engine(3, chain.engine.clone()));
    assert_eq!(settle(&chain, &charged_trade(), 1), Ok(()));
    for sequence in 1..=2 {
        let mut batch = chain.batch(&charged_trade());
        (batch.channel, batch.epoch, batch.sequence) = (3, 1, sequence);
        assert_eq!(chain.settle_batch(&batch), Ok(()));
    }
    let fees = |channel| chain.vault.get_fees(&channel, &tokens[1]);
    assert_eq!([fees(0), fees(3), fees(1)], [50, 100, 0]);
    assert_eq!(chain.collect_by(&treasury, 3, &tokens[1]), Ok(100));
    assert_eq!([fees(0), fees(3)], [50, 0]);
}

/// A higher cap takes from whoever trades, and another treasury from the one before: both are said long before.
#[test]
fn cap_and_treasury_change_after_notice() {
    let (chain, tokens, treasury) = venue(1_000);
    let other = Address::generate(&chain.env);
    let changes = [Change::FeeCap(2_000), Change::Treasury(other.clone())];
    for change in &changes {
        assert_eq!(chain.apply(change), refused(Error::ChangeNotAnnounced));
        let stranger = chain.announce_by(&treasury, change);
        assert_eq!(stranger, Err(Refusal::Host));
        chain.announce(change).unwrap();
        assert_eq!(chain.apply(change), refused(Error::ChangeNotDue));
    }
    assert_eq!(
        settle(&chain, &charged_trade(), 1),
        refused(Error::FeeAboveCap)
    );
    chain.pass(1, MIN_CHANGE_DELAY_SECONDS);
    for change in &changes {
        assert_eq!(chain.apply(change), Ok(()));
    }
    assert_eq!(chain.vault.get_fee_cap(), 2_000);
    assert_eq!(settle(&chain, &charged_trade(), 1), Ok(()));
    assert_eq!(
        chain.collect_by(&treasury, 0, &tokens[0]),
        Err(Refusal::Host)
    );
    assert_eq!(chain.collect_by(&other, 0, &tokens[0]), Ok(2));
}

/// However it is announced: also before anybody has an account.
#[test]
fn the_cap_has_a_cap() {
    let (chain, _) = Chain::with_assets(1);
    let beyond = Change::FeeCap(MAX_FEE_CAP_PPM + 1);
    assert_eq!(chain.announce(&beyond), refused(Error::InvalidFeeCap));
    assert_eq!(chain.apply(&beyond), refused(Error::InvalidFeeCap));
    assert_eq!(chain.apply(&Change::FeeCap(MAX_FEE_CAP_PPM)), Ok(()));
}

/// Fees that nobody collected for years come back from the archive, with the batch that adds to them or with whoever collects.
#[test]
fn fees_wait_for_years() {
    let (chain, tokens, treasury) = venue(2_000);
    assert_eq!(settle(&chain, &charged_trade(), 1), Ok(()));
    chain.pass(3 * 365 * DAY_IN_LEDGERS, 5);
    assert_eq!(settle(&chain, &charged_trade(), 1), Ok(()));
    chain.pass(3 * 365 * DAY_IN_LEDGERS, 5);
    assert_eq!(chain.collect_by(&treasury, 0, &tokens[1]), Ok(100));
}

/// Batches of before, which know nothing of fees, are what they were.
#[test]
fn a_batch_without_fees_touches_none() {
    let (chain, _, _) = venue(2_000);
    assert_eq!(settle(&chain, &swap(0, 1, 10, 20), 1), Ok(()));
    let entry = chain.env.as_contract(&chain.vault.address, || {
        let key = vault::DataKey::Fees(0);
        chain.env.storage().persistent().has(&key)
    });
    assert!(!entry);
}
