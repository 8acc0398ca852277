//! `settle_batch`: the channel's cursor, and netted trades all or nothing.

use soroban_sdk::Address;
use vault::{ACCOUNTS_PER_PAGE, Channel, Error};

use crate::chain::{Chain, Refusal};
use crate::encoding::{Deltas, encode, swap};

/// Two assets, `accounts` accounts with 1,000 of each.
pub fn traders(accounts: u32) -> (Chain, Vec<Address>, Vec<Address>) {
    let (chain, tokens) = Chain::with_assets(2);
    let users = (0..accounts)
        .map(|_| chain.depositor(&tokens, 1_000))
        .collect();
    (chain, tokens, users)
}

#[test]
fn a_batch_moves_the_channel_on() {
    let (chain, _, _) = traders(2);
    for sequence in 1..=3 {
        let mut batch = chain.batch(&swap(0, 1, 10, 20));
        batch.epoch = sequence * 10;
        assert_eq!(batch.sequence, sequence);
        assert_eq!(chain.settle_batch(&batch), Ok(()));
        let expected = Channel {
            epoch: sequence * 10,
            sequence,
            state_root: chain.bytes32(0xaa),
            trades_root: chain.bytes32(0xbb),
        };
        assert_eq!(chain.vault.get_channel(&0), expected);
    }
}

#[test]
fn a_sequence_settles_once_and_in_order() {
    let (chain, tokens, users) = traders(2);
    let batch = chain.batch(&swap(0, 1, 10, 20));
    assert_eq!(chain.settle_batch(&batch), Ok(()));
    for sequence in [0, 1, 3, u64::MAX] {
        let mut wrong = batch.clone();
        wrong.sequence = sequence;
        assert_eq!(
            chain.settle_batch(&wrong),
            Err(Refusal::Contract(Error::WrongSequence))
        );
    }
    assert_eq!(chain.balance(&users[0], &tokens[0]), 1_010);
}

#[test]
fn the_last_sequence_is_the_end() {
    let (chain, _, _) = traders(2);
    let channel = Channel {
        epoch: 0,
        sequence: u64::MAX,
        state_root: chain.bytes32(0),
        trades_root: chain.bytes32(0),
    };
    chain.env.as_contract(&chain.vault.address, || {
        chain
            .env
            .storage()
            .persistent()
            .set(&vault::DataKey::Channel(0), &channel);
    });
    let mut batch = crate::digest::example(&chain.env, &swap(0, 1, 1, 1));
    for sequence in [0, u64::MAX] {
        batch.sequence = sequence;
        assert_eq!(
            chain.settle_batch(&batch),
            Err(Refusal::Contract(Error::WrongSequence))
        );
    }
}

#[test]
fn an_epoch_never_goes_back() {
    let (chain, _, _) = traders(2);
    let mut batch = chain.batch(&swap(0, 1, 10, 20));
    batch.epoch = 7;
    assert_eq!(chain.settle_batch(&batch), Ok(()));
    let mut next = chain.batch(&swap(0, 1, 10, 20));
    next.epoch = 6;
    assert_eq!(
        chain.settle_batch(&next),
        Err(Refusal::Contract(Error::StaleEpoch))
    );
    next.epoch = 7;
    assert_eq!(chain.settle_batch(&next), Ok(()));
}

#[test]
fn a_batch_has_trades_and_an_engine() {
    let (chain, _, _) = traders(2);
    let mut batch = chain.batch(&swap(0, 1, 10, 20));
    batch.trade_count = 0;
    assert_eq!(
        chain.settle_batch(&batch),
        Err(Refusal::Contract(Error::EmptyBatch))
    );
    batch.trade_count = 1;
    batch.channel = 1;
    assert_eq!(
        chain.settle_batch(&batch),
        Err(Refusal::Contract(Error::MatchingEngineNotSet))
    );
}

/// Trades may cancel out; they are settled all the same.
#[test]
fn a_batch_may_move_nothing() {
    let (chain, _, _) = traders(2);
    let mut batch = chain.batch(&[]);
    batch.trade_count = 2;
    assert_eq!(chain.settle_batch(&batch), Ok(()));
    assert_eq!(chain.vault.get_channel(&0).sequence, 1);
}

#[test]
fn a_batch_is_all_or_nothing() {
    let (chain, tokens, users) = traders(ACCOUNTS_PER_PAGE + 1);
    // The first page is fine and is written before the second one fails.
    let deltas = Deltas::from([
        ((0, 0), -10),
        ((1, 0), 1_011),
        ((ACCOUNTS_PER_PAGE, 0), -1_001),
    ]);
    assert_eq!(
        chain.settle_batch(&chain.batch(&encode(&deltas))),
        Err(Refusal::Contract(Error::InsufficientBalance))
    );
    for user in &users {
        assert_eq!(chain.balance(user, &tokens[0]), 1_000);
    }
    assert_eq!(chain.vault.get_channel(&0).sequence, 0);
}

/// A balance may go down to nothing and not below, whatever else the batch brings to the account.
#[test]
fn a_balance_may_be_used_up() {
    let (chain, tokens, users) = traders(2);
    assert_eq!(
        chain.settle_batch(&chain.batch(&swap(0, 1, 1_000, 1_000))),
        Ok(())
    );
    assert_eq!(chain.balance(&users[1], &tokens[0]), 0);
    assert_eq!(
        chain.settle_batch(&chain.batch(&swap(0, 1, 1, 1))),
        Err(Refusal::Contract(Error::InsufficientBalance))
    );
}

/// An account may receive an asset it never held, in a group that has no page yet.
#[test]
fn an_account_may_receive_an_asset_of_a_new_group() {
    let (chain, tokens) = Chain::with_assets(9);
    let rich = chain.depositor(&tokens, 100);
    for _ in 0..ACCOUNTS_PER_PAGE {
        chain.depositor(&tokens[..1], 100);
    }
    let last = ACCOUNTS_PER_PAGE;
    let user = chain.vault.get_account(&last).unwrap();
    let deltas = Deltas::from([((0, 8), -30), ((last, 8), 30)]);
    assert_eq!(chain.settle_batch(&chain.batch(&encode(&deltas))), Ok(()));
    assert_eq!(chain.balance(&user, &tokens[8]), 30);
    assert_eq!(chain.balance(&rich, &tokens[8]), 70);
}

/// Many accounts over many pages and three groups, against sums made by hand.
#[test]
fn a_batch_of_many_accounts() {
    let (chain, tokens) = Chain::with_assets(9);
    let traded = [0, 1, 8].map(|asset: usize| tokens[asset].clone());
    let users = (0..3 * ACCOUNTS_PER_PAGE)
        .map(|_| chain.depositor(&traded, 1_000))
        .collect::<Vec<_>>();
    let mut deltas = Deltas::new();
    for (account, next) in (0..3 * ACCOUNTS_PER_PAGE).zip(1..3 * ACCOUNTS_PER_PAGE) {
        for (asset, amount) in [(0, 3), (1, 5), (8, 7)] {
            *deltas.entry((account, asset)).or_default() -= amount * i128::from(account % 11);
            *deltas.entry((next, asset)).or_default() += amount * i128::from(account % 11);
        }
    }
    assert_eq!(chain.settle_batch(&chain.batch(&encode(&deltas))), Ok(()));
    for (account, user) in (0_u32..).zip(&users) {
        for asset in [0, 1, 8] {
            let delta = deltas.get(&(account, asset)).copied().unwrap_or(0);
            assert_eq!(chain.balance(user, &tokens[asset as usize]), 1_000 + delta);
        }
    }
}
