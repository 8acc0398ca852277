//! The first ledger: two accounts with all the money there is, and the network's settings.

use crate::ledger::{Snapshot, Stored};
use crate::network::{Network, PROTOCOL, account_of};
use crate::settings;
use std::sync::Arc;
use stellar_xdr::*;

/// 100 billion XLM in stroops, half of it the root's and half friendbot's.
pub const TOTAL_COINS: i64 = 1_000_000_000_000_000_000;
/// Stroops per operation.
pub const BASE_FEE: u32 = 100;
/// Stroops per entry that an account owns: 0.5 XLM.
pub const BASE_RESERVE: u32 = 5_000_000;
/// Operations in the classic part of a ledger, as on the public network.
pub const LEDGER_OPERATIONS_MAX: u32 = 1_000;
pub const FIRST_LEDGER: u32 = 1;

fn account(account_id: AccountId, balance: i64) -> LedgerEntryData {
    LedgerEntryData::Account(AccountEntry {
        account_id,
        balance,
        seq_num: SequenceNumber(0),
        thresholds: Thresholds([1, 0, 0, 0]),
        ..AccountEntry::default()
    })
}

fn header(close_time: u64) -> LedgerHeader {
    LedgerHeader {
        ledger_version: PROTOCOL,
        previous_ledger_hash: Hash([0; 32]),
        scp_value: StellarValue {
            tx_set_hash: Hash([0; 32]),
            close_time: TimePoint(close_time),
            upgrades: VecM::default(),
            ext: StellarValueExt::Basic,
        },
        tx_set_result_hash: Hash([0; 32]),
        bucket_list_hash: Hash([0; 32]),
        ledger_seq: FIRST_LEDGER,
        total_coins: TOTAL_COINS,
        fee_pool: 0,
        inflation_seq: 0,
        id_pool: 0,
        base_fee: BASE_FEE,
        base_reserve: BASE_RESERVE,
        max_tx_set_size: LEDGER_OPERATIONS_MAX,
        skip_list: [const { Hash([0; 32]) }; 4],
        ext: LedgerHeaderExt::V0,
    }
}

/// The first ledger of a network. `extra` are entries that a benchmark wants to find there; their
/// money comes from nowhere.
pub fn genesis(
    network: Arc<Network>,
    close_time: u64,
    extra: impl IntoIterator<Item = (LedgerKey, Stored)>,
) -> Result<Snapshot, String> {
    let half = TOTAL_COINS / 2;
    let mut data = vec![
        account(account_of(&network.root_key()), half),
        account(account_of(&network.friendbot_key()), half),
    ];
    data.extend(
        settings::entries()
            .into_iter()
            .map(LedgerEntryData::ConfigSetting),
    );
    let entries = data.into_iter().map(|data| {
        let entry = LedgerEntry {
            last_modified_ledger_seq: FIRST_LEDGER,
            data,
            ext: LedgerEntryExt::V0,
        };
        (
            entry.to_key(),
            Stored {
                entry: Arc::new(entry),
                lifetime: None,
            },
        )
    });
    Snapshot::new(network, header(close_time), entries.chain(extra))
}
