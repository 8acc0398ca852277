//! What is touched is kept alive, and instance storage is left alone by those who settle.

use soroban_sdk::testutils::storage::{Instance as _, Persistent as _};
use soroban_sdk::{Address, IntoVal, Val};
use vault::{DAY_IN_LEDGERS, DataKey, EXTEND_TO_LEDGERS, EXTENSION_THRESHOLD_LEDGERS};

use crate::batch::traders;
use crate::chain::Chain;
use crate::encoding::swap;

/// Ledgers that a persistent entry of the vault still lives.
fn life<K: IntoVal<soroban_sdk::Env, Val>>(chain: &Chain, key: &K) -> u32 {
    chain.env.as_contract(&chain.vault.address, || {
        chain.env.storage().persistent().get_ttl(key)
    })
}

fn instance_life(chain: &Chain) -> u32 {
    chain.env.as_contract(&chain.vault.address, || {
        chain.env.storage().instance().get_ttl()
    })
}

const FIRST_PAGE: u64 = 0;

/// Past the threshold, with 90 days left.
fn thirty_days_later(accounts: u32) -> (Chain, Vec<Address>, Vec<Address>) {
    let (chain, tokens, users) = traders(accounts);
    assert_eq!(chain.settle_batch(&chain.batch(&swap(0, 1, 1, 1))), Ok(()));
    chain.pass(30 * DAY_IN_LEDGERS, 5);
    assert!(life(&chain, &FIRST_PAGE) < EXTENSION_THRESHOLD_LEDGERS);
    assert!(instance_life(&chain) < EXTENSION_THRESHOLD_LEDGERS);
    (chain, tokens, users)
}

#[test]
fn an_entry_above_the_threshold_is_left_alone() {
    let (chain, tokens, users) = traders(2);
    chain.pass(10 * DAY_IN_LEDGERS, 5);
    let before = life(&chain, &FIRST_PAGE);
    chain.mint(&tokens[0], &users[0], 1);
    chain.deposit(&users[0], &tokens[0], 1).unwrap();
    assert_eq!(life(&chain, &FIRST_PAGE), before);
}

#[test]
fn a_batch_extends_what_it_touches() {
    let (chain, _, users) = thirty_days_later(2);
    assert_eq!(chain.settle_batch(&chain.batch(&swap(0, 1, 1, 1))), Ok(()));
    assert_eq!(life(&chain, &FIRST_PAGE), EXTEND_TO_LEDGERS);
    assert_eq!(life(&chain, &DataKey::Channel(0)), EXTEND_TO_LEDGERS);
    assert_eq!(instance_life(&chain), EXTEND_TO_LEDGERS);
    // It names accounts by their index and has no need of these.
    assert!(life(&chain, &users[0]) < EXTENSION_THRESHOLD_LEDGERS);
    assert!(life(&chain, &DataKey::AccountCount) < EXTENSION_THRESHOLD_LEDGERS);
}

#[test]
fn deposits_and_withdrawals_extend_what_they_touch() {
    let (chain, tokens, users) = thirty_days_later(2);
    chain.withdraw(&users[0], &tokens[0], 1).unwrap();
    assert_eq!(life(&chain, &users[0]), EXTEND_TO_LEDGERS);
    assert_eq!(life(&chain, &FIRST_PAGE), EXTEND_TO_LEDGERS);
    assert_eq!(instance_life(&chain), EXTEND_TO_LEDGERS);

    let newcomer = chain.depositor(&tokens, 1);
    // The network counts a new entry's own ledger among its 120 days.
    assert_eq!(life(&chain, &newcomer), EXTEND_TO_LEDGERS - 1);
    assert_eq!(life(&chain, &DataKey::AccountCount), EXTEND_TO_LEDGERS);
    assert_eq!(life(&chain, &DataKey::Accounts(0)), EXTEND_TO_LEDGERS);
}

#[test]
fn a_read_extends_too() {
    let (chain, tokens, users) = thirty_days_later(2);
    chain.balance(&users[1], &tokens[0]);
    assert_eq!(life(&chain, &users[1]), EXTEND_TO_LEDGERS);
    assert_eq!(life(&chain, &FIRST_PAGE), EXTEND_TO_LEDGERS);
    chain.vault.get_account(&0);
    assert_eq!(life(&chain, &DataKey::Accounts(0)), EXTEND_TO_LEDGERS);
}

/// Where new entries live for less than the public network gives them, they are extended at once.
#[test]
fn a_new_entry_lives_as_long_on_any_network() {
    use soroban_sdk::testutils::Ledger as _;
    let (chain, tokens) = Chain::with_assets(2);
    chain
        .env
        .ledger()
        .with_mut(|ledger| ledger.min_persistent_entry_ttl = 4_096);
    let user = chain.depositor(&tokens, 10);
    chain.depositor(&tokens, 10);
    assert_eq!(chain.settle_batch(&chain.batch(&swap(0, 1, 1, 1))), Ok(()));
    let lives = [
        life(&chain, &user),
        life(&chain, &FIRST_PAGE),
        life(&chain, &DataKey::AccountCount),
        life(&chain, &DataKey::Accounts(0)),
        life(&chain, &DataKey::Channel(0)),
    ];
    assert_eq!(lives, [EXTEND_TO_LEDGERS; 5]);
}

/// What each call writes, and that instance storage is never among it: that is what lets them run side by side.
#[test]
fn calls_write_their_own_entries_only() {
    let (chain, tokens, users) = traders(2);
    let written = |chain: &Chain| chain.env.cost_estimate().resources().write_entries;

    chain.settle_batch(&chain.batch(&swap(0, 1, 1, 1))).unwrap();
    chain.settle_batch(&chain.batch(&swap(0, 1, 1, 1))).unwrap();
    // The page and the channel; the third is the nonce of the engine's authorisation.
    assert_eq!(written(&chain), 3);

    let trade = crate::trade::instruction(&chain, &users[0], &users[1], &tokens[0], &tokens[1]);
    chain.settle_trade(&trade).unwrap();
    // The page, the marker, the nonce.
    assert_eq!(written(&chain), 3);

    chain.mint(&tokens[0], &users[0], 5);
    chain.deposit(&users[0], &tokens[0], 5).unwrap();
    // The page, two token balances, the nonce.
    assert_eq!(written(&chain), 4);

    let newcomer = chain.holder(&tokens, 5);
    chain.deposit(&newcomer, &tokens[0], 5).unwrap();
    // Beside these the account, the counter and the page of addresses.
    assert_eq!(written(&chain), 7);
}
