//! Several engines beside each other, each on its own channel.

use soroban_sdk::testutils::Address as _;
use soroban_sdk::{Address, Bytes};
use vault::{Change, Error, SettlementBatch};

use crate::batch::traders;
use crate::chain::{Chain, Outcome, Refusal, outcome};
use crate::encoding::swap;

fn refused<T>(error: Error) -> Outcome<T> {
    Err(Refusal::Contract(error))
}

fn batch(chain: &Chain, channel: u32, epoch: u64, sequence: u64, fill: u8) -> SettlementBatch {
    SettlementBatch {
        channel,
        epoch,
        sequence,
        state_root: chain.bytes32(fill),
        trades_root: chain.bytes32(fill + 1),
        trade_count: 1,
        deltas: Bytes::from_slice(&chain.env, &swap(0, 1, 1, 1)),
    }
}

fn settle(chain: &Chain, engine: &Address, batch: &SettlementBatch) -> Outcome<()> {
    chain.authorise(&[chain.batch_authority(engine, batch)]);
    outcome!(chain.vault.try_settle_batch(batch))
}

fn second_engine(chain: &Chain) -> Address {
    let engine = Address::generate(&chain.env);
    chain.change(&Change::Engine(7, engine.clone()));
    assert_eq!(chain.vault.get_channel_engine(&7), Some(engine.clone()));
    assert_eq!(
        chain.vault.get_channel_engine(&0),
        Some(chain.engine.clone())
    );
    engine
}

#[test]
fn each_channel_has_its_own_cursor_and_roots() {
    let (chain, tokens, users) = traders(2);
    let second = second_engine(&chain);
    let first = chain.engine.clone();
    assert_eq!(settle(&chain, &first, &batch(&chain, 0, 5, 1, 10)), Ok(()));
    assert_eq!(settle(&chain, &second, &batch(&chain, 7, 1, 1, 20)), Ok(()));
    assert_eq!(settle(&chain, &second, &batch(&chain, 7, 1, 2, 30)), Ok(()));
    assert_eq!(settle(&chain, &first, &batch(&chain, 0, 5, 2, 40)), Ok(()));
    for (channel, epoch, fill) in [(0, 5, 40), (7, 1, 30)] {
        let state = chain.vault.get_channel(&channel);
        assert_eq!((state.epoch, state.sequence), (epoch, 2));
        assert_eq!(state.state_root, chain.bytes32(fill));
        assert_eq!(state.trades_root, chain.bytes32(fill + 1));
    }
    assert_eq!(chain.vault.get_channel(&1).sequence, 0);
    assert_eq!(chain.balance(&users[0], &tokens[0]), 1_004);
}

#[test]
fn an_engine_settles_on_its_own_channel_only() {
    let (chain, tokens, users) = traders(2);
    let second = second_engine(&chain);
    let first = chain.engine.clone();
    assert_eq!(
        settle(&chain, &first, &batch(&chain, 7, 1, 1, 0)),
        Err(Refusal::Host)
    );
    assert_eq!(
        settle(&chain, &second, &batch(&chain, 0, 1, 1, 0)),
        Err(Refusal::Host)
    );
    assert_eq!(
        settle(&chain, &first, &batch(&chain, 1, 1, 1, 0)),
        refused(Error::MatchingEngineNotSet)
    );
    // The authority over a batch of one channel is none over the same batch of another.
    let ours = batch(&chain, 7, 1, 1, 0);
    let theirs = batch(&chain, 0, 1, 1, 0);
    chain.authorise(&[chain.batch_authority(&first, &ours)]);
    assert_eq!(
        outcome!(chain.vault.try_settle_batch(&theirs)),
        Err(Refusal::Host)
    );
    assert_eq!(chain.balance(&users[0], &tokens[0]), 1_000);
}

/// A batch again, one that skips, one of an older epoch, and one from a disk that was rolled back: on each channel by its own
/// cursor, and the other channel's state helps nobody.
#[test]
fn an_older_engine_is_refused() {
    let (chain, _, _) = traders(2);
    let second = second_engine(&chain);
    let first = chain.engine.clone();
    for sequence in 1..=3 {
        assert_eq!(
            settle(&chain, &first, &batch(&chain, 0, 2, sequence, 0)),
            Ok(())
        );
    }
    assert_eq!(settle(&chain, &second, &batch(&chain, 7, 4, 1, 0)), Ok(()));
    for sequence in [0, 1, 2, 3, 5, u64::MAX] {
        assert_eq!(
            settle(&chain, &first, &batch(&chain, 0, 2, sequence, 0)),
            refused(Error::WrongSequence)
        );
    }
    assert_eq!(
        settle(&chain, &first, &batch(&chain, 0, 1, 4, 0)),
        refused(Error::StaleEpoch)
    );
    assert_eq!(
        settle(&chain, &second, &batch(&chain, 7, 3, 2, 0)),
        refused(Error::StaleEpoch)
    );
    assert_eq!(
        settle(&chain, &second, &batch(&chain, 7, 4, 4, 0)),
        refused(Error::WrongSequence)
    );
    // A new term may begin at any time, and ends the one before.
    assert_eq!(settle(&chain, &first, &batch(&chain, 0, 3, 4, 0)), Ok(()));
    assert_eq!(
        settle(&chain, &first, &batch(&chain, 0, 2, 5, 0)),
        refused(Error::StaleEpoch)
    );
}

#[test]
fn a_replaced_engine_goes_on_where_the_last_one_stood() {
    let (chain, _, _) = traders(2);
    let first = chain.engine.clone();
    assert_eq!(settle(&chain, &first, &batch(&chain, 0, 9, 1, 0)), Ok(()));
    let successor = Address::generate(&chain.env);
    chain.change(&Change::Engine(0, successor.clone()));
    assert_eq!(
        settle(&chain, &successor, &batch(&chain, 0, 1, 1, 0)),
        refused(Error::StaleEpoch)
    );
    assert_eq!(
        settle(&chain, &successor, &batch(&chain, 0, 10, 1, 0)),
        refused(Error::WrongSequence)
    );
    assert_eq!(
        settle(&chain, &successor, &batch(&chain, 0, 10, 2, 0)),
        Ok(())
    );
}
