//! `settle_batch` among few and many accounts, side by side and scattered.

use std::collections::BTreeSet;

use crate::Outcome;
use crate::deltas::chain_of_trades;
use crate::report::Report;
use crate::transaction::Cost;
use crate::vault::Vault;

/// Accounts of the vault; scattered ones are chosen among all of them.
const ACCOUNTS: u32 = 10_000;
const SIZES: [u32; 4] = [2, 10, 50, 150];
/// Trades that a batch stands for when its fee is told per trade.
const TRADES: u32 = 10_000;
const SEED: u64 = 20_260_901;

pub fn measure(wasm: &[u8], accounts_per_page: u32, report: &Report) -> Outcome<()> {
    let mut vault = Vault::deploy(wasm)?;
    vault.put_accounts(ACCOUNTS, accounts_per_page)?;
    // The first batch pays rent for the channel's entry; what is told is what every later one costs.
    vault
        .settle_batch(1, &chain_of_trades(&[0, 1]), 1)?
        .apply(&mut vault.chain)?;

    type Choice = fn(u32) -> Vec<u32>;
    let choices: [(&str, Choice); 2] = [("dense", dense), ("scattered", scattered)];
    for (name, choose) in choices {
        for accounts in SIZES {
            let case = format!("{accounts} accounts {name}");
            let costs = settle_in_parts(&vault, &choose(accounts))?;
            let fee: i64 = costs.iter().map(|cost| cost.fee).sum();
            if let [cost] = costs.as_slice() {
                report.cost(&case, cost);
            } else {
                report.line(&case, "fee", fee, "stroops");
            }
            report.line(&case, "transactions", costs.len(), "transactions");
            let per_trade = fee as f64 / f64::from(TRADES);
            report.line(
                &case,
                "fee_per_trade_of_10000",
                format!("{per_trade:.2}"),
                "stroops",
            );
        }
        let most = most_that_fit(&vault, choose);
        let case = format!("as many accounts as fit {name}");
        report.line(&case, "accounts", most, "accounts");
        report.cost(&case, &settle(&vault, &choose(most))?);
    }
    Ok(())
}

fn settle(vault: &Vault, accounts: &[u32]) -> Outcome<Cost> {
    Ok(vault
        .settle_batch(2, &chain_of_trades(accounts), TRADES)?
        .cost)
}

/// What a batch costs that may need more than one transaction: the least number of equal parts that fit.
fn settle_in_parts(vault: &Vault, accounts: &[u32]) -> Outcome<Vec<Cost>> {
    for parts in 1..=accounts.len() / 2 {
        let costs = accounts
            .chunks(accounts.len().div_ceil(parts))
            .map(|part| settle(vault, part))
            .collect::<Outcome<Vec<_>>>()?;
        if costs.iter().all(|cost| cost.fits(&vault.chain)) {
            return Ok(costs);
        }
    }
    Err("a batch fits no number of transactions".to_owned())
}

fn most_that_fit(vault: &Vault, choose: fn(u32) -> Vec<u32>) -> u32 {
    let fits =
        |accounts| settle(vault, &choose(accounts)).is_ok_and(|cost| cost.fits(&vault.chain));
    let (mut most, mut too_many): (u32, u32) = (2, 4_096);
    while too_many - most > 1 {
        let middle = most.midpoint(too_many);
        if fits(middle) {
            most = middle;
        } else {
            too_many = middle;
        }
    }
    most
}

fn dense(accounts: u32) -> Vec<u32> {
    (0..accounts).collect()
}

/// Chosen at random among all accounts, the same ones on every run; fewer ones are a part of more.
fn scattered(accounts: u32) -> Vec<u32> {
    let mut state = SEED;
    let mut chosen = BTreeSet::new();
    while chosen.len() < accounts as usize {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chosen.insert(((mixed ^ (mixed >> 31)) % u64::from(ACCOUNTS)) as u32);
    }
    chosen.into_iter().collect()
}
