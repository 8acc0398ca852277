//! Deposits, withdrawals and single trades.

use soroban_env_host::xdr::{AccountId, ScVal};

use crate::report::Report;
use crate::transaction::Executed;
use crate::vault::Vault;
use crate::xdr::{account_address, amount, bytes, contract_address, map};
use crate::{ACCOUNTS_PER_PAGE, Outcome};

const AMOUNT: i128 = 1_000_000_000;
const TRADE_TIME: u64 = 1_790_000_000;

pub fn measure(wasm: &[u8], report: &Report) -> Outcome<()> {
    let mut vault = Vault::deploy(wasm)?;
    let mut users = Vec::new();
    // The very first one also makes the vault's own balance in the token.
    for seed in 0..ACCOUNTS_PER_PAGE + 2 {
        let user = vault.put_user(seed)?;
        let case = match seed {
            0 => Some("deposit, first account of all"),
            _ if seed == ACCOUNTS_PER_PAGE / 2 => Some("deposit, new account in a page half full"),
            _ if seed == ACCOUNTS_PER_PAGE => Some("deposit, new account in a new page"),
            _ => None,
        };
        for token in [0, 1] {
            let executed = deposit(&vault, &user, token)?;
            if let (Some(case), 0) = (case, token) {
                report.cost(case, &executed.cost);
            }
            executed.apply(&mut vault.chain)?;
        }
        users.push(user);
    }
    let (first, last) = (&users[0], &users[users.len() - 1]);
    report.cost("deposit, known account", &deposit(&vault, first, 0)?.cost);
    report.cost("withdraw", &withdraw(&vault, first)?.cost);
    report.cost(
        "settle_trade within a page",
        &trade(&vault, first, &users[1])?.cost,
    );
    report.cost(
        "settle_trade across pages",
        &trade(&vault, first, last)?.cost,
    );
    Ok(())
}

fn deposit(vault: &Vault, user: &AccountId, token: usize) -> Outcome<Executed> {
    let arguments = vec![
        account_address(user),
        contract_address(&vault.tokens[token]),
        amount(AMOUNT),
    ];
    vault.call(user, "deposit", arguments, false)
}

fn withdraw(vault: &Vault, user: &AccountId) -> Outcome<Executed> {
    let arguments = vec![
        account_address(user),
        contract_address(&vault.tokens[0]),
        amount(AMOUNT / 2),
    ];
    vault.call(user, "withdraw", arguments, true)
}

fn trade(vault: &Vault, buyer: &AccountId, seller: &AccountId) -> Outcome<Executed> {
    let instruction = map(vec![
        ("base_amount", amount(AMOUNT / 2)),
        ("base_asset", contract_address(&vault.tokens[0])),
        ("buyer", account_address(buyer)),
        ("quote_amount", amount(AMOUNT / 3)),
        ("quote_asset", contract_address(&vault.tokens[1])),
        ("seller", account_address(seller)),
        ("timestamp", ScVal::U64(TRADE_TIME)),
        ("trade_id", bytes(&[9; 32])?),
    ])?;
    vault.call(&vault.engine, "settle_trade", vec![instruction], false)
}
