//! Administration: the engine, the assets, and the views of them.

use soroban_sdk::testutils::{Address as _, Events as _};
use soroban_sdk::{Address, Event as _, IntoVal, vec};
use vault::{Error, IssuerFlagsSet, MAX_ASSETS};

use crate::chain::{Chain, Refusal, outcome};
use crate::encoding::swap;

#[test]
fn a_new_vault_has_an_admin_and_nothing_else() {
    let chain = Chain::without_engine();
    assert_eq!(chain.vault.get_admin(), chain.admin);
    assert_eq!(chain.vault.get_matching_engine(), None);
    assert!(chain.vault.get_assets().is_empty());
    assert_eq!(chain.vault.get_account_count(), 0);
    assert_eq!(chain.vault.get_account(&0), None);
    assert_eq!(chain.vault.get_channel(&0).sequence, 0);
    assert_eq!(chain.vault.get_version(), 3);
}

#[test]
fn assets_get_indexes_in_order() {
    let (chain, tokens) = Chain::with_assets(3);
    for (index, token) in (0_u32..).zip(&tokens) {
        assert_eq!(chain.vault.get_asset_index(token), Some(index));
    }
    let [first, second, third] = [&tokens[0], &tokens[1], &tokens[2]].map(Clone::clone);
    assert_eq!(
        chain.vault.get_assets(),
        vec![&chain.env, first, second, third]
    );
}

#[test]
fn an_asset_is_added_once() {
    let (chain, tokens) = Chain::with_assets(1);
    assert_eq!(
        chain.add_asset(&tokens[0]),
        Err(Refusal::Contract(Error::AssetAlreadyAdded))
    );
}

#[test]
fn what_is_not_a_token_is_no_asset() {
    let chain = Chain::new();
    for address in [Address::generate(&chain.env), chain.vault.address.clone()] {
        assert_eq!(
            chain.add_asset(&address),
            Err(Refusal::Contract(Error::NotAToken))
        );
    }
}

#[test]
fn what_an_issuer_can_do_is_on_record() {
    let (chain, tokens) = Chain::with_assets(2);
    let record = |signer: &Address, token: &Address, flags: u32| {
        let arguments = (token, flags).into_val(&chain.env);
        chain.authorise(&[chain.by(signer, "set_issuer_flags", arguments)]);
        outcome!(chain.vault.try_set_issuer_flags(token, &flags))
    };
    assert_eq!(chain.vault.get_issuer_flags(&tokens[1]), None);
    assert_eq!(record(&chain.engine, &tokens[1], 0), Err(Refusal::Host));
    assert_eq!(record(&chain.admin, &tokens[1], 0), Ok(()));
    assert_eq!(chain.vault.get_issuer_flags(&tokens[1]), Some(0));
    assert_eq!(record(&chain.admin, &tokens[1], 10), Ok(()));
    let set = IssuerFlagsSet {
        token: tokens[1].clone(),
        asset: 1,
        flags: 10,
    };
    let events = chain.env.events().all();
    assert_eq!(
        events.filter_by_contract(&chain.vault.address).events(),
        [set.to_xdr(&chain.env, &chain.vault.address)]
    );
    assert_eq!(chain.vault.get_issuer_flags(&tokens[1]), Some(10));
    assert_eq!(chain.vault.get_issuer_flags(&tokens[0]), None);
    let stranger = chain.classic_asset();
    assert_eq!(
        record(&chain.admin, &stranger, 0),
        Err(Refusal::Contract(Error::UnknownAsset))
    );
    assert_eq!(chain.vault.get_issuer_flags(&stranger), None);
}

#[test]
fn the_registry_has_an_end() {
    let (chain, _) = Chain::with_assets(MAX_ASSETS);
    assert_eq!(
        chain.add_asset(&chain.classic_asset()),
        Err(Refusal::Contract(Error::AssetLimitReached))
    );
}

#[test]
fn without_an_engine_nothing_settles_or_leaves() {
    let chain = Chain::without_engine();
    let token = chain.classic_asset();
    chain.add_asset(&token).unwrap();
    let user = chain.depositor(std::slice::from_ref(&token), 10);
    let unset = Err(Refusal::Contract(Error::MatchingEngineNotSet));
    assert_eq!(chain.withdraw(&user, &token, 1), unset);
    assert_eq!(chain.settle_batch(&chain.batch(&swap(0, 1, 1, 1))), unset);
    let trade = crate::trade::instruction(&chain, &user, &user, &token, &token);
    assert_eq!(chain.settle_trade(&trade), unset);
}

/// Only a real instance has an admin; one whose storage was emptied says so.
#[test]
fn a_damaged_instance_is_named() {
    let chain = Chain::without_engine();
    chain.env.as_contract(&chain.vault.address, || {
        chain
            .env
            .storage()
            .instance()
            .remove(&vault::DataKey::Admin);
    });
    assert_eq!(
        outcome!(chain.vault.try_get_admin()),
        Err(Refusal::Contract(Error::AdminNotSet))
    );
}
