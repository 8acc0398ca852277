//! Tokens in and out, honest ones and others.

use soroban_sdk::Address;
use soroban_sdk::testutils::Address as _;
use vault::Error;

use crate::chain::{Chain, Outcome, Refusal, outcome};
use crate::encoding::swap;
use crate::tokens::{Behaviour, OddToken, OddTokenClient};

fn refused<T>(error: Error) -> Outcome<T> {
    Err(Refusal::Contract(error))
}

#[test]
fn what_goes_in_comes_out() {
    let (chain, tokens) = Chain::with_assets(6);
    // The first asset of the first group and one of the second.
    for token in [&tokens[0], &tokens[5]] {
        let user = chain.holder(std::slice::from_ref(token), 100);
        chain.deposit(&user, token, 60).unwrap();
        chain.deposit(&user, token, 15).unwrap();
        assert_eq!(chain.balance(&user, token), 75);
        assert_eq!(chain.held(&chain.vault.address, token), 75);
        chain.withdraw(&user, token, 75).unwrap();
        assert_eq!(chain.balance(&user, token), 0);
        assert_eq!(chain.held(&user, token), 100);
        assert_eq!(chain.held(&chain.vault.address, token), 0);
    }
}

#[test]
fn amounts_are_above_zero() {
    let (chain, tokens) = Chain::with_assets(1);
    let user = chain.depositor(&tokens, 100);
    for amount in [0, -1, i128::MIN] {
        assert_eq!(
            chain.deposit(&user, &tokens[0], amount),
            refused(Error::InvalidAmount)
        );
        assert_eq!(
            chain.withdraw(&user, &tokens[0], amount),
            refused(Error::InvalidAmount)
        );
    }
}

#[test]
fn a_withdrawal_stays_within_the_balance() {
    let (chain, tokens) = Chain::with_assets(2);
    let user = chain.depositor(&tokens[..1], 100);
    chain.depositor(&tokens, 100);
    let short = refused(Error::InsufficientBalance);
    assert_eq!(chain.withdraw(&user, &tokens[0], 101), short);
    assert_eq!(chain.withdraw(&user, &tokens[0], i128::MAX), short);
    // Nothing of this asset, though the vault holds some.
    assert_eq!(chain.withdraw(&user, &tokens[1], 1), short);
    assert_eq!(chain.balance(&user, &tokens[0]), 100);
}

#[test]
fn unknown_assets_and_accounts_are_refused() {
    let (chain, tokens) = Chain::with_assets(1);
    let user = chain.depositor(&tokens, 100);
    let other = chain.classic_asset();
    assert_eq!(
        chain.deposit(&user, &other, 1),
        refused(Error::UnknownAsset)
    );
    assert_eq!(
        chain.withdraw(&user, &other, 1),
        refused(Error::UnknownAsset)
    );
    assert_eq!(
        outcome!(chain.vault.try_get_balance(&user, &other)),
        refused(Error::UnknownAsset)
    );
    let stranger = Address::generate(&chain.env);
    assert_eq!(
        chain.withdraw(&stranger, &tokens[0], 1),
        refused(Error::UnknownAccount)
    );
}

#[test]
fn a_transfer_that_the_token_refuses_changes_nothing() {
    let (chain, tokens) = Chain::with_assets(1);
    let user = chain.holder(&tokens, 10);
    assert_eq!(
        chain.deposit(&user, &tokens[0], 11),
        refused(Error::TokenTransferFailed)
    );
    assert_eq!(chain.vault.get_account_count(), 0);
}

struct Odd {
    chain: Chain,
    token: Address,
    client: OddTokenClient<'static>,
}

/// A vault whose first asset is an odd token, still honest.
fn odd() -> Odd {
    let chain = Chain::new();
    let token = chain.env.register(OddToken, ());
    let client = OddTokenClient::new(&chain.env, &token);
    chain.add_asset(&token).unwrap();
    Odd {
        chain,
        token,
        client,
    }
}

#[test]
fn a_deposit_credits_what_arrives() {
    let Odd {
        chain,
        token,
        client,
    } = odd();
    let user = Address::generate(&chain.env);
    client.mint(&user, &1_000);
    client.become_token(&Behaviour::TakesFee);
    chain.deposit(&user, &token, 100).unwrap();
    assert_eq!(chain.balance(&user, &token), 90);
    client.become_token(&Behaviour::TakesMore);
    chain.deposit(&user, &token, 100).unwrap();
    assert_eq!(chain.balance(&user, &token), 191);
    assert_eq!(client.balance(&chain.vault.address), 191);
}

#[test]
fn a_token_that_moves_nothing_credits_nothing() {
    let Odd {
        chain,
        token,
        client,
    } = odd();
    let user = Address::generate(&chain.env);
    client.mint(&user, &1_000);
    client.become_token(&Behaviour::MovesNothing);
    assert_eq!(
        chain.deposit(&user, &token, 100),
        refused(Error::TokenAmountMismatch)
    );
}

#[test]
fn a_withdrawal_takes_from_the_vault_what_it_says() {
    let Odd {
        chain,
        token,
        client,
    } = odd();
    let [user, other] = [(); 2].map(|()| Address::generate(&chain.env));
    for holder in [&user, &other] {
        client.mint(holder, &1_000);
        chain.deposit(holder, &token, 1_000).unwrap();
    }
    for behaviour in [Behaviour::TakesMore, Behaviour::MovesNothing] {
        client.become_token(&behaviour);
        assert_eq!(
            chain.withdraw(&user, &token, 10),
            refused(Error::TokenAmountMismatch)
        );
    }
    for behaviour in [Behaviour::Refuses, Behaviour::Reenters] {
        client.become_token(&behaviour);
        assert_eq!(
            chain.withdraw(&user, &token, 10),
            refused(Error::TokenTransferFailed)
        );
    }
    assert_eq!(client.balance(&chain.vault.address), 2_000);
    assert_eq!(chain.balance(&user, &token), 1_000);
    // A fee on the way out is the receiver's.
    client.become_token(&Behaviour::TakesFee);
    assert_eq!(chain.withdraw(&user, &token, 10), Ok(()));
    assert_eq!(client.balance(&user), 9);
}

#[test]
fn a_token_cannot_call_back() {
    let Odd {
        chain,
        token,
        client,
    } = odd();
    let user = Address::generate(&chain.env);
    client.mint(&user, &1_000);
    client.become_token(&Behaviour::Reenters);
    assert_eq!(
        chain.deposit(&user, &token, 10),
        refused(Error::TokenTransferFailed)
    );
}

/// A token of unlimited supply can't push a balance over the edge.
#[test]
fn balances_do_not_overflow() {
    let Odd {
        chain,
        token,
        client,
    } = odd();
    let user = Address::generate(&chain.env);
    let other = Address::generate(&chain.env);
    client.mint(&user, &i128::MAX);
    client.mint(&other, &i128::MAX);
    chain.deposit(&user, &token, i128::MAX).unwrap();
    // The vault's own holding would overflow first, inside the token.
    assert_eq!(
        chain.deposit(&other, &token, 1),
        refused(Error::TokenTransferFailed)
    );

    let second = chain.env.register(OddToken, ());
    chain.add_asset(&second).unwrap();
    OddTokenClient::new(&chain.env, &second).mint(&other, &10);
    chain.deposit(&other, &second, 10).unwrap();
    let drained = OddTokenClient::new(&chain.env, &token);
    drained.mint(&chain.vault.address, &-i128::MAX);
    assert_eq!(
        chain.deposit(&user, &token, 0),
        refused(Error::InvalidAmount)
    );
    drained.mint(&user, &1);
    assert_eq!(
        chain.deposit(&user, &token, 1),
        refused(Error::BalanceOverflow)
    );
    chain.deposit(&other, &token, 5).unwrap();
    assert_eq!(
        chain.settle_batch(&chain.batch(&swap(0, 1, 1, 1))),
        refused(Error::BalanceOverflow)
    );
}

/// Of a length that the contract never writes: refused, not guessed at.
#[test]
fn a_damaged_page_is_named() {
    let (chain, tokens) = Chain::with_assets(1);
    let user = chain.depositor(&tokens, 100);
    for length in [63, 65, 64 * vault::ACCOUNTS_PER_PAGE + 64] {
        chain.env.as_contract(&chain.vault.address, || {
            let page = soroban_sdk::Bytes::from_slice(&chain.env, &vec![0; length as usize]);
            chain.env.storage().persistent().set(&0_u64, &page);
        });
        assert_eq!(
            outcome!(chain.vault.try_get_balance(&user, &tokens[0])),
            refused(Error::CorruptPage)
        );
    }
}
