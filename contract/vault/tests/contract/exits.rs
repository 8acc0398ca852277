//! The way out that needs nobody but the user: request, delay, claim.

use soroban_sdk::testutils::Address as _;
use soroban_sdk::{Address, IntoVal, Val, Vec as HostVec};
use vault::{EXIT_DELAY_SECONDS, Error, Exit};

use crate::batch::traders;
use crate::chain::{Chain, Outcome, Refusal, START_TIME, outcome};
use crate::encoding::{Deltas, encode, swap};
use crate::tokens::{Behaviour, OddToken, OddTokenClient};

fn refused<T>(error: Error) -> Outcome<T> {
    Err(Refusal::Contract(error))
}

fn exit(amount: i128, due: u64) -> Exit {
    Exit { amount, due }
}

/// Lets the exit delay pass, to the second.
fn wait(chain: &Chain) {
    chain.pass(1, EXIT_DELAY_SECONDS);
}

#[test]
fn money_leaves_with_the_users_authority_alone() {
    let (chain, tokens, users) = traders(2);
    let due = START_TIME + EXIT_DELAY_SECONDS;
    assert_eq!(
        chain.request(&users[0], &tokens[0], 400),
        Ok(exit(400, due))
    );
    assert_eq!(
        chain.vault.get_exit(&users[0], &tokens[0]),
        Some(exit(400, due))
    );
    // Nobody else's, no other asset's.
    assert_eq!(chain.vault.get_exit(&users[0], &tokens[1]), None);
    assert_eq!(chain.vault.get_exit(&users[1], &tokens[0]), None);
    assert_eq!(
        chain
            .vault
            .get_exit(&Address::generate(&chain.env), &tokens[0]),
        None
    );
    chain.pass(1, EXIT_DELAY_SECONDS - 1);
    assert_eq!(
        chain.claim(&users[0], &tokens[0]),
        refused(Error::ExitNotDue)
    );
    chain.pass(1, 1);
    assert_eq!(chain.claim(&users[0], &tokens[0]), Ok(400));
    assert_eq!(chain.held(&users[0], &tokens[0]), 400);
    assert_eq!(chain.balance(&users[0], &tokens[0]), 600);
    assert_eq!(chain.vault.get_exit(&users[0], &tokens[0]), None);
    assert_eq!(chain.claim(&users[0], &tokens[0]), refused(Error::NoExit));
}

#[test]
fn only_the_user_requests_cancels_and_claims() {
    let (chain, tokens, users) = traders(2);
    chain.request(&users[0], &tokens[0], 10).unwrap();
    wait(&chain);
    let (user, token) = (&users[0], &tokens[0]);
    let pair: HostVec<Val> = (user, token).into_val(&chain.env);
    for signer in [&users[1], &chain.engine, &chain.admin] {
        chain.authorise(&[chain.by(signer, "claim_withdraw", pair.clone())]);
        assert_eq!(
            outcome!(chain.vault.try_claim_withdraw(user, token)),
            Err(Refusal::Host)
        );
        chain.authorise(&[chain.by(signer, "cancel_request", pair.clone())]);
        assert_eq!(
            outcome!(chain.vault.try_cancel_request(user, token)),
            Err(Refusal::Host)
        );
        let arguments = (user, &tokens[1], 10_i128).into_val(&chain.env);
        chain.authorise(&[chain.by(signer, "request_withdraw", arguments)]);
        assert_eq!(
            outcome!(chain.vault.try_request_withdraw(user, &tokens[1], &10)),
            Err(Refusal::Host)
        );
    }
    assert_eq!(chain.claim(user, token), Ok(10));
}

/// A vault that never had an engine lets go all the same.
#[test]
fn an_exit_needs_no_engine() {
    let chain = Chain::without_engine();
    let token = chain.classic_asset();
    chain.add_asset(&token).unwrap();
    let user = chain.depositor(std::slice::from_ref(&token), 10);
    chain.request(&user, &token, 10).unwrap();
    wait(&chain);
    assert_eq!(chain.claim(&user, &token), Ok(10));
}

#[test]
fn a_request_is_for_what_there_is() {
    let (chain, tokens, users) = traders(2);
    let due = START_TIME + EXIT_DELAY_SECONDS;
    assert_eq!(
        chain.request(&users[0], &tokens[0], i128::MAX),
        Ok(exit(1_000, due))
    );
    for amount in [0, -1, i128::MIN] {
        assert_eq!(
            chain.request(&users[0], &tokens[1], amount),
            refused(Error::InvalidAmount)
        );
    }
    let poor = chain.depositor(&tokens[..1], 1);
    assert_eq!(
        chain.request(&poor, &tokens[1], 1),
        refused(Error::InsufficientBalance)
    );
    let stranger = Address::generate(&chain.env);
    assert_eq!(
        chain.request(&stranger, &tokens[0], 1),
        refused(Error::UnknownAccount)
    );
    assert_eq!(
        chain.request(&users[0], &chain.classic_asset(), 1),
        refused(Error::UnknownAsset)
    );
}

#[test]
fn one_request_at_a_time_until_it_is_cancelled() {
    let (chain, tokens, users) = traders(2);
    assert_eq!(
        chain.cancel_request(&users[0], &tokens[0]),
        refused(Error::NoExit)
    );
    chain.request(&users[0], &tokens[0], 10).unwrap();
    assert_eq!(
        chain.request(&users[0], &tokens[0], 20),
        refused(Error::ExitUnderWay)
    );
    chain.pass(1, 60);
    assert_eq!(chain.cancel_request(&users[0], &tokens[0]), Ok(()));
    // The delay begins anew: a request kept warm is no way round it.
    let due = START_TIME + 60 + EXIT_DELAY_SECONDS;
    assert_eq!(chain.request(&users[0], &tokens[0], 20), Ok(exit(20, due)));
}

/// Trades matched before the request settle from the money that was asked for; the claim pays what they left.
#[test]
fn settlement_uses_the_money_until_it_is_due() {
    let (chain, tokens, users) = traders(2);
    chain.request(&users[1], &tokens[0], 1_000).unwrap();
    chain.pass(1, EXIT_DELAY_SECONDS - 1);
    assert_eq!(
        chain.settle_batch(&chain.batch(&swap(0, 1, 300, 5))),
        Ok(())
    );
    chain.pass(1, 1);
    assert_eq!(chain.claim(&users[1], &tokens[0]), Ok(700));
    assert_eq!(chain.balance(&users[1], &tokens[0]), 0);
}

#[test]
fn what_is_due_is_out_of_settlements_reach() {
    let (chain, tokens, users) = traders(2);
    chain.request(&users[1], &tokens[0], 600).unwrap();
    wait(&chain);
    let late = refused(Error::FundsLeaving);
    assert_eq!(chain.settle_batch(&chain.batch(&swap(0, 1, 401, 5))), late);
    let mut trade = crate::trade::instruction(&chain, &users[0], &users[1], &tokens[0], &tokens[1]);
    trade.timestamp = chain.env.ledger().timestamp();
    let mut large = trade.clone();
    large.base_amount = 401;
    assert_eq!(chain.settle_trade(&large), late);
    // What is above it, what comes in, other assets and other accounts stay in use.
    assert_eq!(
        chain.settle_batch(&chain.batch(&swap(0, 1, 400, 1_000))),
        Ok(())
    );
    assert_eq!(
        chain.settle_batch(&chain.batch(&swap(1, 0, 50, 2_000))),
        Ok(())
    );
    assert_eq!(chain.settle_batch(&chain.batch(&swap(0, 1, 51, 1))), late);
    assert_eq!(chain.settle_trade(&trade), Ok(()));
    assert_eq!(chain.claim(&users[1], &tokens[0]), Ok(600));
    assert_eq!(chain.balance(&users[1], &tokens[0]), 40);
}

/// Less is there than was asked for when the time comes: what there is belongs to the user.
#[test]
fn a_balance_below_the_request_only_grows() {
    let (chain, tokens, users) = traders(2);
    chain.request(&users[1], &tokens[0], 600).unwrap();
    assert_eq!(
        chain.settle_batch(&chain.batch(&swap(0, 1, 900, 5))),
        Ok(())
    );
    wait(&chain);
    assert_eq!(
        chain.settle_batch(&chain.batch(&swap(0, 1, 1, 5))),
        refused(Error::FundsLeaving)
    );
    assert_eq!(chain.settle_batch(&chain.batch(&swap(1, 0, 20, 5))), Ok(()));
    assert_eq!(chain.claim(&users[1], &tokens[0]), Ok(120));
}

#[test]
fn a_claim_of_nothing_is_refused_and_can_wait() {
    let (chain, tokens, users) = traders(2);
    chain.request(&users[1], &tokens[0], 600).unwrap();
    chain
        .settle_batch(&chain.batch(&swap(0, 1, 1_000, 5)))
        .unwrap();
    wait(&chain);
    assert_eq!(
        chain.claim(&users[1], &tokens[0]),
        refused(Error::InsufficientBalance)
    );
    chain.settle_batch(&chain.batch(&swap(1, 0, 7, 5))).unwrap();
    assert_eq!(chain.claim(&users[1], &tokens[0]), Ok(7));
}

/// The engine answers early with its ordinary withdrawal, in part or in full, before the money is due and after.
#[test]
fn a_withdrawal_answers_a_request() {
    let (chain, tokens, users) = traders(2);
    let due = START_TIME + EXIT_DELAY_SECONDS;
    chain.request(&users[0], &tokens[0], 600).unwrap();
    chain.withdraw(&users[0], &tokens[0], 200).unwrap();
    assert_eq!(
        chain.vault.get_exit(&users[0], &tokens[0]),
        Some(exit(400, due))
    );
    // Of another asset: no answer to this one.
    chain.withdraw(&users[0], &tokens[1], 200).unwrap();
    assert_eq!(
        chain.vault.get_exit(&users[0], &tokens[0]),
        Some(exit(400, due))
    );
    wait(&chain);
    chain.withdraw(&users[0], &tokens[0], 700).unwrap();
    assert_eq!(chain.vault.get_exit(&users[0], &tokens[0]), None);
    assert_eq!(chain.balance(&users[0], &tokens[0]), 100);
    assert_eq!(chain.claim(&users[0], &tokens[0]), refused(Error::NoExit));
}

/// More exits in a page than anybody should need: of every account, in every asset of the group, taken back in another order.
#[test]
fn a_page_full_of_exits_keeps_its_balances() {
    let (chain, tokens) = Chain::with_assets(4);
    let users = (0..vault::ACCOUNTS_PER_PAGE)
        .map(|_| chain.depositor(&tokens, 100))
        .collect::<Vec<_>>();
    let places = users
        .iter()
        .flat_map(|user| tokens.iter().map(move |token| (user, token)))
        .collect::<Vec<_>>();
    for (amount, (user, token)) in (1_i128..).zip(&places) {
        chain.request(user, token, amount % 100 + 1).unwrap();
    }
    assert_eq!(
        chain.settle_batch(&chain.batch(&swap(0, 31, 99, 99))),
        Ok(())
    );
    wait(&chain);
    assert_eq!(
        chain.settle_batch(&chain.batch(&swap(31, 0, 99, 99))),
        Ok(())
    );
    for (number, (user, token)) in places.iter().enumerate().rev() {
        let amount = (number as i128 + 1) % 100 + 1;
        assert_eq!(
            chain.vault.get_exit(user, token).map(|exit| exit.amount),
            Some(amount)
        );
        assert_eq!(chain.claim(user, token), Ok(amount));
        assert_eq!(chain.balance(user, token), 100 - amount);
    }
    // Nothing of it is left behind the slots.
    let page: soroban_sdk::Bytes = chain.env.as_contract(&chain.vault.address, || {
        chain.env.storage().persistent().get(&0_u64).unwrap()
    });
    assert_eq!(page.len(), 64 * vault::ACCOUNTS_PER_PAGE);
}

/// A first deposit makes a page longer that has exits behind its slots.
#[test]
fn a_page_with_exits_grows() {
    let (chain, tokens) = Chain::with_assets(2);
    let first = chain.depositor(&tokens, 50);
    chain.request(&first, &tokens[1], 20).unwrap();
    let second = chain.depositor(&tokens, 70);
    assert_eq!(chain.balance(&first, &tokens[1]), 50);
    assert_eq!(chain.balance(&second, &tokens[1]), 70);
    let deltas = Deltas::from([((0, 1), 5), ((1, 1), -5)]);
    assert_eq!(chain.settle_batch(&chain.batch(&encode(&deltas))), Ok(()));
    wait(&chain);
    assert_eq!(chain.claim(&first, &tokens[1]), Ok(20));
    assert_eq!(chain.balance(&second, &tokens[1]), 65);
}

/// A claim that the token refuses, or pays wrongly, leaves request and money where they were.
#[test]
fn a_claim_that_fails_can_be_made_again() {
    let chain = Chain::new();
    let token = chain.env.register(OddToken, ());
    let odd = OddTokenClient::new(&chain.env, &token);
    chain.add_asset(&token).unwrap();
    let user = Address::generate(&chain.env);
    odd.mint(&user, &1_000);
    chain.deposit(&user, &token, 1_000).unwrap();
    chain.request(&user, &token, 1_000).unwrap();
    wait(&chain);
    for (behaviour, error) in [
        (Behaviour::Refuses, Error::TokenTransferFailed),
        (Behaviour::Reenters, Error::TokenTransferFailed),
        (Behaviour::MovesNothing, Error::TokenAmountMismatch),
        (Behaviour::TakesMore, Error::TokenAmountMismatch),
    ] {
        odd.become_token(&behaviour);
        assert_eq!(chain.claim(&user, &token), refused(error));
        assert_eq!(chain.balance(&user, &token), 1_000);
    }
    odd.become_token(&Behaviour::Honest);
    assert_eq!(chain.claim(&user, &token), Ok(1_000));
}

/// Lengths that the contract never writes behind the slots.
#[test]
fn a_damaged_page_is_named() {
    let (chain, tokens, users) = traders(1);
    let pages: [&[u8]; 5] = [
        &[0],
        &[1],
        &[0; 64 + 26 + 1],
        &[2; 64 + 26 + 1],
        &[1; 26 + 2],
    ];
    for page in pages {
        chain.env.as_contract(&chain.vault.address, || {
            let page = soroban_sdk::Bytes::from_slice(&chain.env, page);
            chain.env.storage().persistent().set(&0_u64, &page);
        });
        assert_eq!(
            outcome!(chain.vault.try_get_exit(&users[0], &tokens[0])),
            refused(Error::CorruptPage)
        );
    }
}
