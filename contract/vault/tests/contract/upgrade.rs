//! New code under old state.

use soroban_sdk::testutils::Address as _;
use soroban_sdk::{Address, BytesN};
use vault::{Change, EXIT_DELAY_SECONDS, Error, Exit, MIN_CHANGE_DELAY_SECONDS};

use crate::batch::traders;
use crate::chain::{Chain, Refusal, START_TIME, wasm};
use crate::encoding::{charged_trade, swap};

/// The code of earlier versions, as it was built: what a vault that is older than this contract runs.
const FIRST: &[u8] = include_bytes!("previous/vault-1.wasm");
const PREVIOUS: &[u8] = include_bytes!("previous/vault-2.wasm");

fn upload(chain: &Chain, code: &[u8]) -> BytesN<32> {
    chain.env.deployer().upload_contract_wasm(code)
}

/// Accounts, balances, requests, the channel and the assets are read by this version as the first one has written them.
#[test]
fn the_state_of_the_first_version_stays() {
    let chain = Chain::of(FIRST);
    assert_eq!(chain.vault.get_version(), 1);
    let tokens = (0..5).map(|_| chain.classic_asset()).collect::<Vec<_>>();
    for token in &tokens {
        chain.add_asset(token).unwrap();
    }
    let users = (0..40)
        .map(|_| chain.depositor(&tokens, 100))
        .collect::<Vec<_>>();
    chain
        .settle_batch(&chain.batch(&swap(0, 35, 10, 20)))
        .unwrap();
    let trade = crate::trade::instruction(&chain, &users[1], &users[2], &tokens[0], &tokens[4]);
    chain.settle_trade(&trade).unwrap();
    chain.request(&users[35], &tokens[1], 60).unwrap();
    let channel = chain.vault.get_channel(&0);
    let balances = |chain: &Chain| {
        users
            .iter()
            .flat_map(|user| tokens.iter().map(|token| chain.balance(user, token)))
            .collect::<Vec<_>>()
    };
    let before = balances(&chain);

    // Version 1 can't replace itself; the host does it in its name.
    let code = upload(&chain, &wasm());
    chain.env.as_contract(&chain.vault.address, || {
        chain.env.deployer().update_current_contract_wasm(code);
    });
    assert_eq!(chain.vault.get_version(), 3);
    assert_eq!(chain.vault.get_fee_cap(), 0);
    assert_eq!(chain.vault.get_treasury(), None);
    assert_eq!(balances(&chain), before);
    assert_eq!(chain.vault.get_channel(&0), channel);
    assert_eq!(chain.vault.get_admin(), chain.admin);
    assert_eq!(chain.vault.get_pauser(), chain.admin);
    assert_eq!(
        chain.vault.get_matching_engine(),
        Some(chain.engine.clone())
    );
    assert_eq!(chain.vault.get_account_count(), 40);
    assert_eq!(chain.vault.get_asset_index(&tokens[4]), Some(4));
    assert!(!chain.vault.is_paused(&None));
    assert!(chain.vault.get_changes().is_empty());
    assert_eq!(chain.vault.get_change_delay(), MIN_CHANGE_DELAY_SECONDS);
    let exit = Exit {
        amount: 60,
        due: START_TIME + EXIT_DELAY_SECONDS,
    };
    assert_eq!(chain.vault.get_exit(&users[35], &tokens[1]), Some(exit));

    assert_eq!(
        chain.settle_trade(&trade),
        Err(Refusal::Contract(Error::TradeAlreadySettled))
    );
    chain
        .settle_batch(&chain.batch(&swap(0, 35, 1, 1)))
        .unwrap();
    chain.pass(1, EXIT_DELAY_SECONDS);
    assert_eq!(chain.claim(&users[35], &tokens[1]), Ok(60));
}

/// What the previous version wrote besides: offices, what is announced, pauses, other channels, trading keys. It replaces itself, and
/// batches that were made for it settle as they are; fees come once a cap is set, with notice.
#[test]
fn the_previous_version_upgrades_itself() {
    let chain = Chain::of(PREVIOUS);
    assert_eq!(chain.vault.get_version(), 2);
    let tokens = [(); 2].map(|()| chain.classic_asset());
    for token in &tokens {
        chain.add_asset(token).unwrap();
    }
    let pauser = Address::generate(&chain.env);
    chain.apply(&Change::Pauser(pauser.clone())).unwrap();
    chain
        .apply(&Change::Engine(1, chain.engine.clone()))
        .unwrap();
    for _ in 0..2 {
        chain.depositor(&tokens, 1_000_000);
    }
    chain
        .settle_batch(&chain.batch(&swap(0, 1, 10, 20)))
        .unwrap();
    let charged = chain.batch(&charged_trade());
    assert_eq!(
        chain.settle_batch(&charged),
        Err(Refusal::Contract(Error::DeltasUnbalanced)),
        "fees are nothing that it misreads"
    );
    let code = Change::Code(upload(&chain, &wasm()));
    let later = Change::Engine(2, chain.engine.clone());
    chain.announce(&code).unwrap();
    chain.pass(1, MIN_CHANGE_DELAY_SECONDS - 100);
    chain.announce(&later).unwrap();
    chain.pause_by(&pauser, Some(&tokens[1])).unwrap();
    let made_before = chain.batch(&swap(0, 1, 1, 2));
    chain.pass(1, 100);
    chain.apply(&code).unwrap();

    assert_eq!(chain.vault.get_version(), 3);
    assert_eq!(chain.vault.get_pauser(), pauser);
    assert_eq!(
        chain.vault.get_channel_engine(&1),
        Some(chain.engine.clone())
    );
    assert_eq!(chain.vault.get_changes().len(), 1);
    assert_eq!(chain.vault.get_changes().get_unchecked(0).change, later);
    assert!(chain.vault.is_paused(&Some(tokens[1].clone())));
    chain.unpause_by(&chain.admin, Some(&tokens[1])).unwrap();
    assert_eq!(chain.settle_batch(&made_before), Ok(()));
    let charged = chain.batch(&charged_trade());
    let refused = chain.settle_batch(&charged);
    assert_eq!(refused, Err(Refusal::Contract(Error::FeeAboveCap)));
    chain.change(&Change::FeeCap(2_000));
    assert_eq!(chain.settle_batch(&charged), Ok(()));
    assert_eq!(chain.vault.get_fees(&0, &tokens[1]), 50);
}

/// The vault replaces its own code when the change is due, not before, and not by code that was never announced.
#[test]
fn code_is_changed_after_notice() {
    let (chain, tokens, users) = traders(2);
    let [announced, other] =
        [PREVIOUS.to_vec(), wasm()].map(|code| Change::Code(upload(&chain, &code)));
    chain.announce(&announced).unwrap();
    assert_eq!(
        chain.apply(&announced),
        Err(Refusal::Contract(Error::ChangeNotDue))
    );
    chain.pass(1, MIN_CHANGE_DELAY_SECONDS);
    assert_eq!(
        chain.apply(&other),
        Err(Refusal::Contract(Error::ChangeNotAnnounced))
    );
    assert_eq!(
        chain.apply_by(&Address::generate(&chain.env), &announced),
        Err(Refusal::Host)
    );
    chain.apply(&announced).unwrap();
    assert_eq!(chain.vault.get_version(), 2);
    assert_eq!(chain.balance(&users[1], &tokens[1]), 1_000);
    chain.settle_batch(&chain.batch(&swap(0, 1, 1, 1))).unwrap();
}

/// Code that is not on the network: refused, and the change stays announced.
#[test]
fn code_has_to_be_there() {
    let (chain, _, _) = traders(1);
    let change = Change::Code(chain.bytes32(7));
    chain.announce(&change).unwrap();
    chain.pass(1, MIN_CHANGE_DELAY_SECONDS);
    assert_eq!(chain.apply(&change), Err(Refusal::Host));
    assert_eq!(chain.vault.get_version(), 3);
    assert_eq!(chain.vault.get_changes().len(), 1);
}
