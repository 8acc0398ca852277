//! Deltas that do not follow the encoding, one shape at a time, each with its error.

use vault::Error;

use crate::batch::traders;
use crate::chain::Refusal;
use crate::encoding::{Deltas, encode, varint, zigzag};

/// What a batch with these deltas is refused with, among 2 accounts with 1,000 of each of 2 assets.
fn refusal(deltas: &[u8]) -> Error {
    let (chain, tokens, users) = traders(2);
    let outcome = chain.settle_batch(&chain.batch(deltas));
    for token in &tokens {
        for user in &users {
            assert_eq!(chain.balance(user, token), 1_000);
        }
    }
    match outcome {
        Err(Refusal::Contract(error)) => error,
        other => panic!("{deltas:02x?}: {other:?}"),
    }
}

/// Account 0 gives `delta` of asset 0 to account 1: group 0, 2 records.
fn pair(delta: i128) -> Vec<u8> {
    encode(&Deltas::from([((0, 0), -delta), ((1, 0), delta)]))
}

#[test]
fn the_pair_alone_is_right() {
    let (chain, _, _) = traders(2);
    assert_eq!(pair(1), [0, 2, 0, 1, 1, 1, 1, 2]);
    assert_eq!(chain.settle_batch(&chain.batch(&pair(1))), Ok(()));
}

#[test]
fn every_shorter_blob_is_truncated() {
    let blob = pair(1_000);
    for length in 1..blob.len() {
        assert_eq!(
            refusal(&blob[..length]),
            Error::DeltasTruncated,
            "{length} bytes"
        );
    }
}

#[test]
fn trailing_bytes_are_refused() {
    for (tail, error) in [
        // Where there is no group 0 any more these are fees.
        (&[0][..], Error::DeltasTruncated),
        (&[0, 0][..], Error::InvalidMask),
        (&[0x80][..], Error::DeltasTruncated),
        (&[1][..], Error::UnknownAsset),
    ] {
        assert_eq!(refusal(&[pair(1).as_slice(), tail].concat()), error);
    }
}

#[test]
fn a_group_comes_once() {
    let (chain, tokens) = crate::chain::Chain::with_assets(5);
    chain.depositor(&tokens, 10);
    chain.depositor(&tokens, 10);
    let mut second = pair(1);
    second[0] = 1;
    let outcome = chain.settle_batch(&chain.batch(&[second.clone(), second].concat()));
    assert_eq!(outcome, Err(Refusal::Contract(Error::GroupOrder)));
    // The first one's second section reads as its fees.
    assert_eq!(refusal(&[pair(1), pair(1)].concat()), Error::InvalidFee);
}

#[test]
fn groups_rise() {
    // Of a vault with three groups, the last one first.
    let (chain, tokens) = crate::chain::Chain::with_assets(9);
    chain.depositor(&tokens, 10);
    chain.depositor(&tokens, 10);
    let mut second = pair(1);
    second[0] = 1;
    let [mut third, mut first] = [second.clone(), pair(1)];
    third[0] = 2;
    first[0] = 1;
    let outcome = chain.settle_batch(&chain.batch(&[third, first].concat()));
    assert_eq!(outcome, Err(Refusal::Contract(Error::GroupOrder)));
    let outcome = chain.settle_batch(&chain.batch(&[pair(1), second].concat()));
    assert_eq!(outcome, Ok(()));
}

#[test]
fn a_section_has_records() {
    assert_eq!(refusal(&[0, 0]), Error::EmptySection);
}

#[test]
fn more_records_than_announced_are_another_section() {
    let mut blob = pair(1);
    blob[1] = 1;
    assert_eq!(refusal(&blob), Error::DeltasUnbalanced);
    blob[1] = 3;
    assert_eq!(refusal(&blob), Error::DeltasTruncated);
}

#[test]
fn accounts_rise() {
    assert_eq!(refusal(&[0, 2, 1, 1, 1, 0, 1, 2]), Error::AccountOrder);
}

#[test]
fn accounts_exist() {
    // Past the page's end, past the last account within it, and where the sum of gaps leaves u32.
    for gap in [2, 31, 32, 33, u128::from(u32::MAX)] {
        let blob = [&[0, 2, 0, 1, 1][..], &varint(gap), &[1, 2]].concat();
        assert_eq!(refusal(&blob), Error::UnknownAccount, "gap {gap}");
    }
    let overflow = [&[0, 2, 1, 1, 1][..], &varint(u32::MAX.into()), &[1, 2]].concat();
    assert_eq!(refusal(&overflow), Error::UnknownAccount);
}

#[test]
fn assets_exist() {
    for group in [1, 2, u128::from(u32::MAX)] {
        let blob = [varint(group), pair(1)[1..].to_vec()].concat();
        assert_eq!(refusal(&blob), Error::UnknownAsset);
    }
    for mask in [4, 8, 5] {
        assert_eq!(
            refusal(&[0, 2, 0, mask, 1, 1, mask, 2]),
            Error::UnknownAsset
        );
    }
}

#[test]
fn masks_have_one_to_four_bits() {
    for mask in [0, 0x10, 0x11, 0x80, 0xff] {
        assert_eq!(refusal(&[0, 2, 0, mask, 1, 1, mask, 2]), Error::InvalidMask);
    }
}

#[test]
fn deltas_are_not_zero() {
    assert_eq!(refusal(&[0, 2, 0, 1, 0, 1, 1, 0]), Error::ZeroDelta);
}

#[test]
fn varints_are_as_short_as_can_be() {
    for blob in [
        &[0x80, 0, 2, 0, 1, 1, 1, 1, 2][..],
        &[0, 0x82, 0, 0, 1, 1, 1, 1, 2],
        &[0, 2, 0x80, 0, 1, 1, 1, 1, 2],
        &[0, 2, 0, 1, 0x81, 0, 1, 1, 2],
        &[0, 2, 0, 1, 0x81, 0x80, 0, 1, 1, 2],
    ] {
        assert_eq!(refusal(blob), Error::VarintOverlong, "{blob:02x?}");
    }
    // A tenth byte of zero, beyond what fits 63 bits, and a nineteenth.
    for length in [9, 17] {
        let blob = [&[0, 2, 0, 1][..], &vec![0xff; length], &[0x80, 0]].concat();
        assert_eq!(refusal(&blob), Error::VarintOverlong);
    }
}

#[test]
fn varints_fit_their_fields() {
    let wide = varint(u128::from(u32::MAX) + 1);
    for blob in [
        [&wide[..], &[2]].concat(),
        [&[0], &wide[..]].concat(),
        [&[0, 2], &wide[..], &[1, 1]].concat(),
    ] {
        assert_eq!(refusal(&blob), Error::VarintOutOfRange);
    }
    // The largest delta has 19 bytes, the last of which is 3.
    let largest = varint(u128::MAX);
    assert_eq!((largest.len(), largest[18]), (19, 3));
    for tail in [&[4][..], &[0x7f], &[0x83, 1], &[0x83, 0]] {
        let blob = [&[0, 2, 0, 1], &largest[..18], tail].concat();
        assert_eq!(refusal(&blob), Error::VarintOutOfRange);
    }
}

#[test]
fn an_asset_sums_to_zero() {
    let unbalanced = [
        // One asset of two, and two assets whose total is zero although neither's is.
        Deltas::from([((0, 0), -1), ((1, 0), 2)]),
        Deltas::from([((0, 0), 5)]),
        Deltas::from([((0, 0), -1), ((1, 1), 1)]),
        Deltas::from([((0, 0), -1), ((1, 0), 1), ((0, 1), 1)]),
    ];
    for deltas in unbalanced {
        assert_eq!(refusal(&encode(&deltas)), Error::DeltasUnbalanced);
    }
}

#[test]
fn balances_and_sums_stay_within_i128() {
    assert_eq!(refusal(&pair(i128::MAX)), Error::InsufficientBalance);
    let section = |deltas: [i128; 2]| {
        [
            &[0, 2, 0, 1][..],
            &zigzag(deltas[0]),
            &[1, 1],
            &zigzag(deltas[1]),
        ]
        .concat()
    };
    assert_eq!(
        refusal(&section([i128::MIN, 1])),
        Error::InsufficientBalance
    );
    assert_eq!(refusal(&section([i128::MAX, 1])), Error::BalanceOverflow);
    let largest = i128::MAX - 1_000;
    assert_eq!(
        refusal(&section([largest, largest])),
        Error::DeltaSumOverflow
    );
}

/// One byte changed anywhere in a right blob: refused, or a transfer that balances.
#[test]
fn a_changed_byte_never_makes_money() {
    let blob = encode(&Deltas::from([
        ((0, 0), -300),
        ((1, 0), 300),
        ((0, 1), 200),
        ((1, 1), -200),
    ]));
    let (chain, tokens, users) = traders(2);
    for position in 0..blob.len() {
        for bit in 0..8 {
            let mut changed = blob.clone();
            changed[position] ^= 1 << bit;
            let _ = chain.settle_batch(&chain.batch(&changed));
            for token in &tokens {
                let balances = [0, 1].map(|user: usize| chain.balance(&users[user], token));
                assert_eq!(balances.iter().sum::<i128>(), 2_000);
                assert!(balances.iter().all(|balance| *balance >= 0));
            }
        }
    }
}
