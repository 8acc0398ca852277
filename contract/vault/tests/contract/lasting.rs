//! Accounts that were left alone: what keeps them, and how they come back.

use soroban_sdk::testutils::Address as _;
use soroban_sdk::testutils::storage::Persistent as _;
use soroban_sdk::{Address, IntoVal, Val};
use vault::{DAY_IN_LEDGERS, DataKey, EXIT_DELAY_SECONDS, EXTEND_TO_LEDGERS, Error};

use crate::chain::{Chain, Refusal, outcome};
use crate::encoding::swap;

fn life<K: IntoVal<soroban_sdk::Env, Val>>(chain: &Chain, key: &K) -> u32 {
    chain.env.as_contract(&chain.vault.address, || {
        chain.env.storage().persistent().get_ttl(key)
    })
}

/// Two accounts in two groups of assets, untouched for as many days.
fn left_alone(days: u32) -> (Chain, Vec<Address>, [Address; 2]) {
    let (chain, tokens) = Chain::with_assets(5);
    let users = [(); 2].map(|()| chain.depositor(&tokens, 100));
    let key = chain.bytes32(9);
    let arguments = (&users[0], Some(key.clone())).into_val(&chain.env);
    chain.authorise(&[chain.by(&users[0], "set_trading_key", arguments)]);
    chain.vault.set_trading_key(&users[0], &Some(key));
    chain.pass(days * DAY_IN_LEDGERS, 5);
    (chain, tokens, users)
}

/// Nobody's authority: whoever likes pays for somebody else's rent.
#[test]
fn anybody_extends_all_that_is_an_accounts() {
    let (chain, _, users) = left_alone(60);
    chain.authorise(&[]);
    assert_eq!(outcome!(chain.vault.try_extend(&users[0])), Ok(()));
    let lives = [
        life(&chain, &users[0]),
        life(&chain, &0_u64),
        life(&chain, &(1_u64 << 32)),
        life(&chain, &DataKey::Accounts(0)),
        life(&chain, &DataKey::AccountCount),
        life(&chain, &DataKey::TradingKey(users[0].clone())),
    ];
    assert_eq!(lives, [EXTEND_TO_LEDGERS; 6]);
    assert!(life(&chain, &users[1]) < EXTEND_TO_LEDGERS);
    assert_eq!(
        outcome!(chain.vault.try_extend(&Address::generate(&chain.env))),
        Err(Refusal::Contract(Error::UnknownAccount))
    );
}

/// Years later, everything long in the archive: a batch, a deposit, a withdrawal and an exit find the money where it was.
#[test]
fn an_archived_account_comes_back_with_its_money() {
    let years = 3 * 365;
    let (chain, tokens, users) = left_alone(years);
    assert_eq!(chain.settle_batch(&chain.batch(&swap(0, 1, 7, 7))), Ok(()));
    assert_eq!(chain.balance(&users[0], &tokens[0]), 107);
    assert_eq!(chain.balance(&users[0], &tokens[4]), 100);

    let (chain, tokens, users) = left_alone(years);
    chain.mint(&tokens[4], &users[1], 5);
    assert_eq!(chain.deposit(&users[1], &tokens[4], 5), Ok(1));
    assert_eq!(chain.balance(&users[1], &tokens[4]), 105);

    let (chain, tokens, users) = left_alone(years);
    assert_eq!(chain.withdraw(&users[0], &tokens[3], 100), Ok(()));

    let (chain, tokens, users) = left_alone(years);
    assert!(chain.request(&users[1], &tokens[4], i128::MAX).is_ok());
    // Archived once more while the request is under way.
    chain.pass(200 * DAY_IN_LEDGERS, EXIT_DELAY_SECONDS);
    assert_eq!(chain.claim(&users[1], &tokens[4]), Ok(100));
    assert_eq!(
        chain.vault.get_trading_key(&users[0]),
        Some(chain.bytes32(9))
    );
    // The next account's index is the next one, and nobody's twice.
    let newcomer = chain.depositor(&tokens, 1);
    assert_eq!(chain.vault.get_account_index(&newcomer), Some(2));
}
