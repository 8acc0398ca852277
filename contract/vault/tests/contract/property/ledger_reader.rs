//! Balances as the ledger holds them, read without the contract: what an auditor would do.

use std::collections::BTreeMap;

use soroban_sdk::Bytes;
use vault::{ACCOUNTS_PER_PAGE, ASSETS_PER_GROUP};

use crate::chain::Chain;

/// (account index, asset index) → balance, for every slot of every page up to these many accounts and assets.
pub fn balances(chain: &Chain, accounts: u32, assets: u32) -> BTreeMap<(u32, u32), i128> {
    let mut balances = BTreeMap::new();
    chain.env.as_contract(&chain.vault.address, || {
        for group in 0..assets.div_ceil(ASSETS_PER_GROUP) {
            for number in 0..accounts.div_ceil(ACCOUNTS_PER_PAGE) {
                let key = (u64::from(group) << 32) | u64::from(number);
                let page: Option<Bytes> = chain.env.storage().persistent().get(&key);
                let page: Vec<u8> = page.into_iter().flatten().collect();
                assert_eq!(page.len() % 64, 0, "a page holds whole slots");
                for (slot, cells) in (0_u32..).zip(page.chunks(64)) {
                    for (position, cell) in (0_u32..).zip(cells.chunks(16)) {
                        let account = number * ACCOUNTS_PER_PAGE + slot;
                        let asset = group * ASSETS_PER_GROUP + position;
                        let balance = i128::from_be_bytes(cell.try_into().expect("16 bytes"));
                        balances.insert((account, asset), balance);
                    }
                }
            }
        }
    });
    balances
}
