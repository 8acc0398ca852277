//! An encoder of batch deltas, written from docs/contract.md and not from the contract, and the document's worked examples.

use std::collections::BTreeMap;

use crate::chain::Chain;

/// (account index, asset index) → change of balance.
pub type Deltas = BTreeMap<(u32, u32), i128>;

/// Asset index → fees, and what they were taken from.
pub type Fees = BTreeMap<u32, (i128, i128)>;

pub fn encode(deltas: &Deltas) -> Vec<u8> {
    encode_with(deltas, &Fees::new())
}

/// Fees of a group without deltas have no place to stand.
pub fn encode_with(deltas: &Deltas, fees: &Fees) -> Vec<u8> {
    let mut groups: BTreeMap<u32, BTreeMap<u32, BTreeMap<u32, i128>>> = BTreeMap::new();
    for (&(account, asset), &delta) in deltas.iter().filter(|(_, delta)| **delta != 0) {
        groups
            .entry(asset / 4)
            .or_default()
            .entry(account)
            .or_default()
            .insert(asset % 4, delta);
    }
    let mut out = Vec::new();
    for (group, accounts) in groups {
        out.extend(varint(group.into()));
        out.extend(varint(accounts.len() as u128));
        let mut last = 0;
        for (account, changes) in accounts {
            out.extend(varint(u128::from(account - last)));
            last = account;
            out.push(changes.keys().map(|bit| 1_u8 << bit).sum());
            for delta in changes.values() {
                out.extend(zigzag(*delta));
            }
        }
        let charged = fees
            .iter()
            .filter(|(asset, _)| **asset / 4 == group)
            .collect::<Vec<_>>();
        if !charged.is_empty() {
            out.push(0);
            out.push(charged.iter().map(|(asset, _)| 1_u8 << (**asset % 4)).sum());
            for (_, (amount, turnover)) in charged {
                out.extend(varint(*amount as u128));
                out.extend(varint(*turnover as u128));
            }
        }
    }
    out
}

pub fn varint(mut value: u128) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

pub fn zigzag(delta: i128) -> Vec<u8> {
    varint(((delta << 1) ^ (delta >> 127)) as u128)
}

/// `buyer` gets `base` of asset 0 and pays `quote` of asset 1.
pub fn swap(buyer: u32, seller: u32, base: i128, quote: i128) -> Vec<u8> {
    encode(&Deltas::from([
        ((buyer, 0), base),
        ((seller, 0), -base),
        ((buyer, 1), -quote),
        ((seller, 1), quote),
    ]))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first example of docs/contract.md: one trade between accounts 0 and 1.
#[test]
fn example_of_one_trade() {
    let blob = swap(0, 1, 1_000, 25_000);
    assert_eq!(hex(&blob), "00020003d00fcf86030103cf0fd08603");
    let (chain, tokens) = Chain::with_assets(2);
    let buyer = chain.depositor(&tokens, 1_000_000);
    let seller = chain.depositor(&tokens, 1_000_000);
    assert_eq!(chain.settle_batch(&chain.batch(&blob)), Ok(()));
    assert_eq!(chain.balance(&buyer, &tokens[0]), 1_001_000);
    assert_eq!(chain.balance(&buyer, &tokens[1]), 975_000);
    assert_eq!(chain.balance(&seller, &tokens[0]), 999_000);
    assert_eq!(chain.balance(&seller, &tokens[1]), 1_025_000);
    assert_eq!(
        hex(&crate::digest::of(&crate::digest::example(
            &chain.env, &blob
        ))),
        DIGEST_OF_ONE_TRADE
    );
}

const DIGEST_OF_ONE_TRADE: &str =
    "ac2a3e245898dc63cecd60ff0075466a9e52ff9e70896be9feb828e3ee350c4c";

/// The second example: two groups, a gap of more than one byte, a delta beyond 64 bits.
#[test]
fn example_of_two_groups() {
    let blob = encode(&Deltas::from([
        ((3, 0), -1),
        ((300, 0), 1),
        ((3, 1), 1 << 70),
        ((301, 1), -(1 << 70)),
        ((3, 6), -64),
        ((4, 6), 64),
    ]));
    assert_eq!(hex(&blob), EXAMPLE_OF_TWO_GROUPS);
}

const EXAMPLE_OF_TWO_GROUPS: &str =
    "00030303018080808080808080808002a90201020102ffffffffffffffffffff01010203047f01048001";

/// The third example: the trade of the first one, of which the venue keeps 2 of asset 0 from the buyer and 50 of asset 1 from the
/// seller.
#[test]
fn example_of_a_trade_with_fees() {
    let blob = charged_trade();
    assert_eq!(hex(&blob), EXAMPLE_WITH_FEES);
    let (chain, tokens) = Chain::with_assets(2);
    chain.apply(&vault::Change::FeeCap(2_000)).unwrap();
    let buyer = chain.depositor(&tokens, 1_000_000);
    let seller = chain.depositor(&tokens, 1_000_000);
    assert_eq!(chain.settle_batch(&chain.batch(&blob)), Ok(()));
    assert_eq!(chain.balance(&buyer, &tokens[0]), 1_000_998);
    assert_eq!(chain.balance(&seller, &tokens[1]), 1_024_950);
    assert_eq!(chain.vault.get_fees(&0, &tokens[0]), 2);
    assert_eq!(chain.vault.get_fees(&0, &tokens[1]), 50);
}

pub fn charged_trade() -> Vec<u8> {
    encode_with(
        &Deltas::from([
            ((0, 0), 998),
            ((1, 0), -1_000),
            ((0, 1), -25_000),
            ((1, 1), 24_950),
        ]),
        &Fees::from([(0, (2, 1_000)), (1, (50, 25_000))]),
    )
}

const EXAMPLE_WITH_FEES: &str = "00020003cc0fcf86030103cf0fec8503000302e80732a8c301";
