//! One event for each change of state, in the form that watchers parse.

use soroban_sdk::testutils::{Address as _, Events as _};
use soroban_sdk::{Address, Event as _, IntoVal, Symbol, Val, Vec as HostVec, vec, xdr};
use vault::{
    AdminSet, AssetAdded, BatchSettled, Change, ChangeAnnounced, ChangeCancelled, Claimed, CodeSet,
    DelaySet, Deposited, EXIT_DELAY_SECONDS, ExitSet, FeeCapSet, FeesCharged, FeesCollected,
    MIN_CHANGE_DELAY_SECONDS, MatchingEngineSet, PauseSet, PauserSet, TradeSettled, TradingKeySet,
    TreasurySet, Withdrawn,
};

use crate::chain::{Chain, START_TIME};
use crate::encoding::{charged_trade, swap};

/// What the vault published in the last call.
fn published(chain: &Chain) -> Vec<xdr::ContractEvent> {
    chain
        .env
        .events()
        .all()
        .filter_by_contract(&chain.vault.address)
        .events()
        .to_vec()
}

#[test]
fn administration() {
    let chain = Chain::without_engine();
    let admin = chain.admin.clone();
    chain.env.register_at(
        &chain.vault.address,
        crate::chain::wasm().as_slice(),
        (&admin,),
    );
    let expected = AdminSet { admin }.to_xdr(&chain.env, &chain.vault.address);
    assert_eq!(published(&chain), [expected]);

    let engine = Address::generate(&chain.env);
    let arguments = (&engine,).into_val(&chain.env);
    chain.authorise(&[chain.by(&chain.admin, "set_matching_engine", arguments)]);
    chain.vault.set_matching_engine(&engine);
    let expected = MatchingEngineSet {
        channel: 0,
        matching_engine: Some(engine),
    };
    assert_eq!(
        published(&chain),
        [expected.to_xdr(&chain.env, &chain.vault.address)]
    );

    let token = chain.classic_asset();
    chain.add_asset(&token).unwrap();
    let expected = AssetAdded { token, asset: 0 };
    assert_eq!(
        published(&chain),
        [expected.to_xdr(&chain.env, &chain.vault.address)]
    );
}

/// What is to come, what was taken back, and each change as it happens.
#[test]
fn governance() {
    let (chain, tokens) = Chain::with_assets(1);
    let env = &chain.env;
    let vault = &chain.vault.address;
    let [pauser, admin] = [(); 2].map(|()| Address::generate(env));
    let change = Change::Pauser(pauser.clone());
    let due = START_TIME + MIN_CHANGE_DELAY_SECONDS;
    chain.announce(&change).unwrap();
    let announced = ChangeAnnounced {
        change: change.clone(),
        due,
    };
    assert_eq!(published(&chain), [announced.to_xdr(env, vault)]);
    let arguments = (&chain.admin, change.clone()).into_val(env);
    chain.authorise(&[chain.by(&chain.admin, "cancel_change", arguments)]);
    chain.vault.cancel_change(&chain.admin, &change);
    let cancelled = ChangeCancelled {
        change: change.clone(),
    };
    assert_eq!(published(&chain), [cancelled.to_xdr(env, vault)]);

    chain.apply(&change).unwrap();
    let set = PauserSet {
        pauser: pauser.clone(),
    };
    assert_eq!(published(&chain), [set.to_xdr(env, vault)]);
    chain
        .apply(&Change::Delay(MIN_CHANGE_DELAY_SECONDS))
        .unwrap();
    let set = DelaySet {
        seconds: MIN_CHANGE_DELAY_SECONDS,
    };
    assert_eq!(published(&chain), [set.to_xdr(env, vault)]);
    let channel = (0_u32,).into_val(env);
    chain.authorise(&[chain.by(&chain.admin, "remove_matching_engine", channel)]);
    chain.vault.remove_matching_engine(&0);
    let removed = MatchingEngineSet {
        channel: 0,
        matching_engine: None,
    };
    assert_eq!(published(&chain), [removed.to_xdr(env, vault)]);

    for token in [None, Some(tokens[0].clone())] {
        chain.pause_by(&pauser, token.as_ref()).unwrap();
        let set = PauseSet {
            token: token.clone(),
            paused: true,
        };
        assert_eq!(published(&chain), [set.to_xdr(env, vault)]);
        chain.unpause_by(&chain.admin, token.as_ref()).unwrap();
        let set = PauseSet {
            token,
            paused: false,
        };
        assert_eq!(published(&chain), [set.to_xdr(env, vault)]);
    }

    let wasm_hash = env
        .deployer()
        .upload_contract_wasm(crate::chain::wasm().as_slice());
    chain.apply(&Change::Code(wasm_hash.clone())).unwrap();
    let set = CodeSet { wasm_hash };
    assert!(published(&chain).contains(&set.to_xdr(env, vault)));

    let change = Change::Admin(admin.clone());
    chain.announce(&change).unwrap();
    chain.apply_by(&admin, &change).unwrap();
    let set = AdminSet { admin };
    assert_eq!(published(&chain), [set.to_xdr(env, vault)]);
}

#[test]
fn trading_keys() {
    let chain = Chain::new();
    let user = Address::generate(&chain.env);
    for key in [Some(chain.bytes32(7)), None] {
        let arguments = (&user, key.clone()).into_val(&chain.env);
        chain.authorise(&[chain.by(&user, "set_trading_key", arguments)]);
        chain.vault.set_trading_key(&user, &key);
        let set = TradingKeySet {
            user: user.clone(),
            key,
        };
        assert_eq!(
            published(&chain),
            [set.to_xdr(&chain.env, &chain.vault.address)]
        );
    }
}

#[test]
fn custody() {
    let (chain, tokens) = Chain::with_assets(2);
    chain.depositor(&tokens, 1);
    let user = chain.holder(&tokens, 100);
    let token = tokens[1].clone();
    chain.deposit(&user, &token, 60).unwrap();
    let expected = Deposited {
        user: user.clone(),
        token: token.clone(),
        account: 1,
        asset: 1,
        amount: 60,
    };
    assert_eq!(
        published(&chain),
        [expected.to_xdr(&chain.env, &chain.vault.address)]
    );
    chain.withdraw(&user, &token, 25).unwrap();
    let expected = Withdrawn {
        user,
        token,
        account: 1,
        asset: 1,
        amount: 25,
    };
    assert_eq!(
        published(&chain),
        [expected.to_xdr(&chain.env, &chain.vault.address)]
    );
}

/// Each change of an exit says where it stands, and a claim that it is over.
#[test]
fn exits() {
    let (chain, tokens) = Chain::with_assets(2);
    chain.depositor(&tokens, 1);
    let user = chain.depositor(&tokens, 100);
    let token = tokens[1].clone();
    let set = |amount: i128| {
        let event = ExitSet {
            user: user.clone(),
            token: token.clone(),
            account: 1,
            asset: 1,
            amount,
            due: if amount == 0 {
                0
            } else {
                START_TIME + EXIT_DELAY_SECONDS
            },
        };
        event.to_xdr(&chain.env, &chain.vault.address)
    };
    chain.request(&user, &token, 60).unwrap();
    assert_eq!(published(&chain), [set(60)]);
    chain.cancel_request(&user, &token).unwrap();
    assert_eq!(published(&chain), [set(0)]);
    chain.request(&user, &token, 60).unwrap();
    chain.withdraw(&user, &token, 25).unwrap();
    let withdrawn = |amount| Withdrawn {
        user: user.clone(),
        token: token.clone(),
        account: 1,
        asset: 1,
        amount,
    };
    let paid = withdrawn(25).to_xdr(&chain.env, &chain.vault.address);
    assert_eq!(published(&chain), [paid, set(35)]);
    chain.pass(1, EXIT_DELAY_SECONDS);
    chain.claim(&user, &token).unwrap();
    let claimed = Claimed {
        user: user.clone(),
        token: token.clone(),
        account: 1,
        asset: 1,
        amount: 35,
    };
    assert_eq!(
        published(&chain),
        [claimed.to_xdr(&chain.env, &chain.vault.address)]
    );
}

#[test]
fn settlement() {
    let (chain, tokens) = Chain::with_assets(2);
    let buyer = chain.depositor(&tokens, 100);
    let seller = chain.depositor(&tokens, 100);
    let trade = crate::trade::instruction(&chain, &buyer, &seller, &tokens[0], &tokens[1]);
    chain.settle_trade(&trade).unwrap();
    let expected = TradeSettled {
        trade_id: trade.trade_id,
        buyer: 0,
        seller: 1,
        base_asset: 0,
        quote_asset: 1,
        base_amount: 10,
        quote_amount: 20,
        timestamp: trade.timestamp,
    };
    assert_eq!(
        published(&chain),
        [expected.to_xdr(&chain.env, &chain.vault.address)]
    );

    let mut batch = chain.batch(&swap(0, 1, 1, 1));
    batch.trade_count = 12;
    batch.epoch = 3;
    chain.settle_batch(&batch).unwrap();
    let expected = BatchSettled {
        channel: 0,
        epoch: 3,
        sequence: 1,
        trade_count: 12,
        trades_root: batch.trades_root,
        state_root: batch.state_root,
    };
    assert_eq!(
        published(&chain),
        [expected.to_xdr(&chain.env, &chain.vault.address)]
    );
}

/// Fees as a batch charges them, an event an asset before the batch's own, and as they are collected.
#[test]
fn fees() {
    let (chain, tokens) = Chain::with_assets(2);
    let env = &chain.env;
    let vault = &chain.vault.address;
    let treasury = Address::generate(env);
    chain.apply(&Change::FeeCap(2_000)).unwrap();
    let cap = FeeCapSet { cap_ppm: 2_000 };
    assert_eq!(published(&chain), [cap.to_xdr(env, vault)]);
    chain.apply(&Change::Treasury(treasury.clone())).unwrap();
    let set = TreasurySet {
        treasury: treasury.clone(),
    };
    assert_eq!(published(&chain), [set.to_xdr(env, vault)]);
    for _ in 0..2 {
        chain.depositor(&tokens, 1_000_000);
    }
    let batch = chain.batch(&charged_trade());
    chain.settle_batch(&batch).unwrap();
    let charged = |asset, amount, turnover| FeesCharged {
        channel: 0,
        sequence: 1,
        asset,
        amount,
        turnover,
    };
    let settled = BatchSettled {
        channel: 0,
        epoch: 0,
        sequence: 1,
        trade_count: 1,
        trades_root: batch.trades_root,
        state_root: batch.state_root,
    };
    let expected = [
        charged(0, 2, 1_000).to_xdr(env, vault),
        charged(1, 50, 25_000).to_xdr(env, vault),
        settled.to_xdr(env, vault),
    ];
    assert_eq!(published(&chain), expected);
    chain.collect_by(&treasury, 0, &tokens[1]).unwrap();
    let collected = FeesCollected {
        token: tokens[1].clone(),
        channel: 0,
        asset: 1,
        amount: 50,
        treasury,
    };
    assert_eq!(published(&chain), [collected.to_xdr(env, vault)]);
}

/// The forms themselves, spelled out: names of topics, and data by position.
#[test]
fn forms() {
    let chain = Chain::without_engine();
    let env = &chain.env;
    let user = Address::generate(env);
    let deposit = Deposited {
        user: user.clone(),
        token: user.clone(),
        account: 7,
        asset: 2,
        amount: 60,
    };
    let topics: HostVec<Val> = (Symbol::new(env, "deposit"), user.clone(), user).into_val(env);
    assert_eq!(deposit.topics(env), topics);
    let data: HostVec<Val> = deposit.data(env).into_val(env);
    let expected: HostVec<Val> = (7_u32, 2_u32, 60_i128).into_val(env);
    assert_eq!(data, expected);

    let exit = ExitSet {
        user: deposit.user.clone(),
        token: deposit.token.clone(),
        account: 7,
        asset: 2,
        amount: 60,
        due: 9,
    };
    let data: HostVec<Val> = exit.data(env).into_val(env);
    let expected: HostVec<Val> = (7_u32, 2_u32, 60_i128, 9_u64).into_val(env);
    assert_eq!(data, expected);

    let [state_root, trades_root] = [1, 2].map(|byte| chain.bytes32(byte));
    let batch = BatchSettled {
        channel: 0,
        epoch: 3,
        sequence: 4,
        trade_count: 5,
        trades_root: trades_root.clone(),
        state_root: state_root.clone(),
    };
    let topics: HostVec<Val> = (Symbol::new(env, "settle_batch"), 0_u32).into_val(env);
    assert_eq!(batch.topics(env), topics);
    let data: HostVec<Val> = batch.data(env).into_val(env);
    let expected: HostVec<Val> = (3_u64, 4_u64, 5_u32, trades_root, state_root).into_val(env);
    assert_eq!(data, expected);
}

/// A call that is refused says nothing, and neither does a view.
#[test]
fn silence() {
    let (chain, tokens) = Chain::with_assets(1);
    let user = chain.depositor(&tokens, 10);
    assert!(chain.withdraw(&user, &tokens[0], 11).is_err());
    assert_eq!(published(&chain), []);
    chain.balance(&user, &tokens[0]);
    assert_eq!(published(&chain), []);
    assert_eq!(
        chain.vault.get_assets(),
        vec![&chain.env, tokens[0].clone()]
    );
    assert_eq!(published(&chain), []);
}
