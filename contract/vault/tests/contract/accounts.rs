//! Account indexes: assigned once, in order, readable both ways.

use soroban_sdk::testutils::Address as _;
use soroban_sdk::{Address, Env};
use vault::{ACCOUNTS_PER_PAGE, Error};

use crate::chain::{Chain, Refusal};
use crate::tokens::OddToken;

#[test]
fn indexes_are_assigned_in_order_and_kept() {
    let (chain, tokens) = Chain::with_assets(2);
    // Over the end of a page, where a new entry of addresses begins.
    let users = (0..ACCOUNTS_PER_PAGE + 2)
        .map(|_| chain.holder(&tokens, 10))
        .collect::<Vec<_>>();
    for (index, user) in (0_u32..).zip(&users) {
        assert_eq!(chain.deposit(user, &tokens[0], 1), Ok(index));
    }
    assert_eq!(chain.deposit(&users[3], &tokens[1], 1), Ok(3));
    assert_eq!(chain.vault.get_account_count(), ACCOUNTS_PER_PAGE + 2);
    for (index, user) in (0_u32..).zip(&users) {
        assert_eq!(chain.vault.get_account_index(user), Some(index));
        assert_eq!(chain.vault.get_account(&index), Some(user.clone()));
        assert_eq!(chain.balance(user, &tokens[0]), 1);
    }
    assert_eq!(chain.vault.get_account(&(ACCOUNTS_PER_PAGE + 2)), None);
    assert_eq!(chain.vault.get_account(&u32::MAX), None);
}

/// The same 32 bytes are another account as a classic account's key than as a contract's id.
#[test]
fn classic_and_contract_addresses_differ() {
    let chain = Chain::new();
    let token = chain.env.register(OddToken, ());
    chain.add_asset(&token).unwrap();
    let [classic, contract] = same_bytes(&chain.env);
    let odd = crate::tokens::OddTokenClient::new(&chain.env, &token);
    chain.env.mock_all_auths();
    for (index, user) in [(0, &classic), (1, &contract)] {
        odd.mint(user, &10);
        assert_eq!(
            chain.vault.deposit(user, &token, &(4 + i128::from(index))),
            index
        );
    }
    assert_eq!(chain.balance(&classic, &token), 4);
    assert_eq!(chain.balance(&contract, &token), 5);
}

fn same_bytes(env: &Env) -> [Address; 2] {
    use soroban_sdk::xdr::{AccountId, ContractId, Hash, PublicKey, ScAddress, ScVal, Uint256};
    let bytes = [7; 32];
    [
        ScAddress::Account(AccountId(PublicKey::PublicKeyTypeEd25519(Uint256(bytes)))),
        ScAddress::Contract(ContractId(Hash(bytes))),
    ]
    .map(|address| soroban_sdk::TryFromVal::try_from_val(env, &ScVal::Address(address)).unwrap())
}

#[test]
fn indexes_run_out() {
    let (chain, tokens) = Chain::with_assets(1);
    chain.depositor(&tokens, 1);
    chain.env.as_contract(&chain.vault.address, || {
        chain
            .env
            .storage()
            .persistent()
            .set(&vault::DataKey::AccountCount, &u32::MAX);
    });
    let user = chain.holder(&tokens, 1);
    assert_eq!(
        chain.deposit(&user, &tokens[0], 1),
        Err(Refusal::Contract(Error::AccountLimitReached))
    );
}

#[test]
fn strangers_have_nothing() {
    let (chain, tokens) = Chain::with_assets(1);
    let stranger = Address::generate(&chain.env);
    assert_eq!(chain.balance(&stranger, &tokens[0]), 0);
    assert_eq!(chain.vault.get_account_index(&stranger), None);
}
