//! Balances as the ledger holds them, read without the contract: what an auditor would do.

use std::collections::BTreeMap;

use soroban_sdk::{Address, Bytes, Map};
use vault::{ACCOUNTS_PER_PAGE, ASSETS_PER_GROUP, Channel, DataKey};

use crate::chain::Chain;

/// By (account index, asset index).
#[derive(Default)]
pub struct Books {
    /// For every slot of every page, zeros included.
    pub balances: BTreeMap<(u32, u32), i128>,
    /// Amount and due time of each request.
    pub exits: BTreeMap<(u32, u32), (i128, u64)>,
}

/// What stands behind the slots of a page for each request, and then their number.
const EXIT_BYTES: usize = 26;

/// The pages up to these many accounts and assets.
pub fn books(chain: &Chain, accounts: u32, assets: u32) -> Books {
    let mut books = Books::default();
    chain.env.as_contract(&chain.vault.address, || {
        for group in 0..assets.div_ceil(ASSETS_PER_GROUP) {
            for number in 0..accounts.div_ceil(ACCOUNTS_PER_PAGE) {
                let key = (u64::from(group) << 32) | u64::from(number);
                let page: Option<Bytes> = chain.env.storage().persistent().get(&key);
                let page: Vec<u8> = page.into_iter().flatten().collect();
                let (slots, exits) = split(&page);
                assert_eq!(slots.len() % 64, 0, "a page holds whole slots");
                for exit in exits.chunks(EXIT_BYTES) {
                    let account = number * ACCOUNTS_PER_PAGE + u32::from(exit[0]);
                    let asset = group * ASSETS_PER_GROUP + u32::from(exit[1]);
                    let due = u64::from_be_bytes(exit[2..10].try_into().expect("8 bytes"));
                    let amount = i128::from_be_bytes(exit[10..].try_into().expect("16 bytes"));
                    let known = books.exits.insert((account, asset), (amount, due));
                    assert_eq!(known, None, "an account has one request an asset");
                }
                for (slot, cells) in (0_u32..).zip(slots.chunks(64)) {
                    for (position, cell) in (0_u32..).zip(cells.chunks(16)) {
                        let account = number * ACCOUNTS_PER_PAGE + slot;
                        let asset = group * ASSETS_PER_GROUP + position;
                        let balance = i128::from_be_bytes(cell.try_into().expect("16 bytes"));
                        books.balances.insert((account, asset), balance);
                    }
                }
            }
        }
    });
    books
}

/// What a channel's batches took and nobody collected, by asset.
pub fn fees(chain: &Chain, channel: u32) -> BTreeMap<usize, i128> {
    chain.env.as_contract(&chain.vault.address, || {
        let storage = chain.env.storage().persistent();
        let fees: Option<Map<u32, i128>> = storage.get(&DataKey::Fees(channel));
        fees.into_iter()
            .flat_map(|fees| fees.iter())
            .map(|(asset, amount)| (asset as usize, amount))
            .collect()
    })
}

/// Where a channel stands, as epoch and sequence, and whose it is.
pub fn channel(chain: &Chain, channel: u32) -> ((u64, u64), Option<Address>) {
    chain.env.as_contract(&chain.vault.address, || {
        let storage = chain.env.storage();
        let last: Option<Channel> = storage.persistent().get(&DataKey::Channel(channel));
        let engine = storage.instance().get(&DataKey::MatchingEngine(channel));
        (
            last.map_or((0, 0), |last| (last.epoch, last.sequence)),
            engine,
        )
    })
}

/// A page's slots, and its requests where its length is odd.
fn split(page: &[u8]) -> (&[u8], &[u8]) {
    match page.split_last() {
        Some((count, before)) if page.len() % 2 == 1 => {
            before.split_at(before.len() - usize::from(*count) * EXIT_BYTES)
        }
        _ => (page, &[]),
    }
}
