//! Nothing moves and nothing is set without the authority that the rule demands. Every case here would succeed with it.

use soroban_sdk::testutils::Address as _;
use soroban_sdk::{Address, IntoVal, Val, Vec as HostVec};
use vault::Change;

use crate::chain::{Chain, Refusal, outcome};
use crate::encoding::swap;

const NO_AUTHORITY: Refusal = Refusal::Host;

#[test]
fn only_the_admin_administers() {
    let (chain, _) = Chain::with_assets(1);
    let token = chain.classic_asset();
    let stranger = Address::generate(&chain.env);
    for signer in [&stranger, &chain.engine] {
        chain.authorise(&[chain.by(signer, "add_asset", (&token,).into_val(&chain.env))]);
        assert_eq!(
            outcome!(chain.vault.try_add_asset(&token)),
            Err(NO_AUTHORITY)
        );
        let arguments = (&stranger,).into_val(&chain.env);
        chain.authorise(&[chain.by(signer, "set_matching_engine", arguments)]);
        assert_eq!(
            outcome!(chain.vault.try_set_matching_engine(&stranger)),
            Err(NO_AUTHORITY)
        );
    }
    assert_eq!(
        chain.vault.get_matching_engine(),
        Some(chain.engine.clone())
    );
}

#[test]
fn only_the_user_deposits() {
    let (chain, tokens) = Chain::with_assets(1);
    let user = chain.holder(&tokens, 100);
    let thief = chain.holder(&tokens, 100);
    let mut authority = chain.deposit_authority(&user, &tokens[0], 10);
    authority.address = &thief;
    chain.authorise(&[authority]);
    assert_eq!(
        outcome!(chain.vault.try_deposit(&user, &tokens[0], &10)),
        Err(NO_AUTHORITY)
    );
    // Authority over another amount is none over this one.
    chain.authorise(&[chain.deposit_authority(&user, &tokens[0], 9)]);
    assert_eq!(
        outcome!(chain.vault.try_deposit(&user, &tokens[0], &10)),
        Err(NO_AUTHORITY)
    );
}

/// Without the transfer below it, the token refuses what the vault would have taken.
#[test]
fn a_deposit_needs_the_transfer_authorised() {
    let (chain, tokens) = Chain::with_assets(1);
    let user = chain.holder(&tokens, 100);
    let mut authority = chain.deposit_authority(&user, &tokens[0], 10);
    authority.below.clear();
    chain.authorise(&[authority]);
    assert_eq!(
        outcome!(chain.vault.try_deposit(&user, &tokens[0], &10)),
        Err(Refusal::Contract(vault::Error::TokenTransferFailed))
    );
    assert_eq!(chain.vault.get_account_index(&user), None);
}

#[test]
fn a_withdrawal_needs_user_and_engine() {
    let (chain, tokens) = Chain::with_assets(1);
    let user = chain.depositor(&tokens, 100);
    let stranger = Address::generate(&chain.env);
    let arguments: HostVec<Val> = (&user, &tokens[0], 10_i128).into_val(&chain.env);
    let signers: [&[&Address]; 5] = [
        &[],
        &[&user],
        &[&chain.engine],
        &[&user, &stranger],
        &[&chain.engine, &stranger],
    ];
    for signers in signers {
        let authorities = signers
            .iter()
            .map(|signer| chain.by(signer, "withdraw", arguments.clone()))
            .collect::<Vec<_>>();
        chain.authorise(&authorities);
        assert_eq!(
            outcome!(chain.vault.try_withdraw(&user, &tokens[0], &10)),
            Err(NO_AUTHORITY)
        );
    }
    assert_eq!(chain.balance(&user, &tokens[0]), 100);
    assert_eq!(chain.withdraw(&user, &tokens[0], 10), Ok(()));
}

/// An engine that trades for itself signs once.
#[test]
fn an_engine_withdraws_its_own_with_one_authority() {
    let (chain, tokens) = Chain::with_assets(1);
    chain.mint(&tokens[0], &chain.engine, 50);
    chain.deposit(&chain.engine, &tokens[0], 50).unwrap();
    let arguments = (&chain.engine, &tokens[0], 20_i128).into_val(&chain.env);
    chain.authorise(&[chain.by(&chain.engine, "withdraw", arguments)]);
    assert_eq!(
        outcome!(chain.vault.try_withdraw(&chain.engine, &tokens[0], &20)),
        Ok(())
    );
    assert_eq!(chain.balance(&chain.engine, &tokens[0]), 30);
}

#[test]
fn only_the_engine_settles() {
    let (chain, tokens) = Chain::with_assets(2);
    let buyer = chain.depositor(&tokens, 100);
    let seller = chain.depositor(&tokens, 100);
    let batch = chain.batch(&swap(0, 1, 10, 20));
    let trade = crate::trade::instruction(&chain, &buyer, &seller, &tokens[0], &tokens[1]);
    for signer in [&buyer, &seller, &chain.admin] {
        chain.authorise(&[chain.batch_authority(signer, &batch)]);
        assert_eq!(
            outcome!(chain.vault.try_settle_batch(&batch)),
            Err(NO_AUTHORITY)
        );
        let arguments = (trade.clone(),).into_val(&chain.env);
        chain.authorise(&[chain.by(signer, "settle_trade", arguments)]);
        assert_eq!(
            outcome!(chain.vault.try_settle_trade(&trade)),
            Err(NO_AUTHORITY)
        );
    }
    // An engine that was replaced is a stranger.
    let successor = Address::generate(&chain.env);
    chain.change(&Change::Engine(0, successor.clone()));
    assert_eq!(chain.settle_batch(&batch), Err(NO_AUTHORITY));
    chain.authorise(&[chain.batch_authority(&successor, &batch)]);
    assert_eq!(outcome!(chain.vault.try_settle_batch(&batch)), Ok(()));
}
