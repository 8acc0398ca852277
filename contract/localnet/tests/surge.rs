//! Who waits, who is replaced and who pays what when there is not room for everybody.

mod town;

use localnet::envelope::Envelope;
use localnet::ledger::{Closed, LedgerLimits, Order, Room, Terms};
use localnet::pool::{Obstacle, Pool};
use stellar_xdr::*;
use town::*;

fn payment(town: &Town, from: &str, fee: u32) -> Draft {
    town.draft(from)
        .operation(pay("dave", Asset::Native, 1))
        .with(|tx| tx.fee = fee)
}

fn limits(operations: u64, contract_transactions: u64) -> LedgerLimits {
    let mut limits = LedgerLimits::default();
    limits.room[0] = Some(operations);
    limits.room[1] = Some(contract_transactions);
    limits
}

fn close(town: &mut Town, limits: LedgerLimits, candidates: Vec<Envelope>) -> Closed {
    town.now_s += 5;
    let terms = Terms {
        close_time: town.now_s,
        limits,
        ..Terms::default()
    };
    town.ledger.close_with(terms, candidates).unwrap()
}

/// What may wait where `operations` classic operations and as many contract transactions fit.
fn pool_room(town: &Town, operations: u64) -> Room {
    let limits = LedgerLimits {
        pool_ledgers: Some(1),
        ..limits(operations, operations)
    };
    let snapshot = town.ledger.snapshot();
    limits
        .pool_room(snapshot.settings(), snapshot.header())
        .unwrap()
}

fn offer(pool: &mut Pool, envelope: &Envelope, room: Option<&Room>) -> Result<(), Obstacle> {
    let place = pool.place(envelope, room)?;
    pool.insert(envelope.clone(), place);
    Ok(())
}

fn hashes(envelopes: &[Envelope]) -> Vec<&Hash> {
    envelopes.iter().map(Envelope::hash).collect()
}

#[test]
fn whoever_bids_more_enters_and_all_pay_the_lowest_bid_that_did() {
    let mut town = Town::new();
    let [low, high, middle] = [("alice", 150), ("bob", 900), ("carol", 400)]
        .map(|(from, fee)| payment(&town, from, fee).seal());
    let candidates = vec![low.clone(), high.clone(), middle.clone()];
    let closed = close(&mut town, limits(2, 0), candidates);
    let applied: Vec<_> = closed
        .applied
        .iter()
        .map(|one| one.envelope.hash())
        .collect();
    assert_eq!(applied, [high.hash(), middle.hash()]);
    assert!(
        closed
            .applied
            .iter()
            .all(|one| one.result.fee_charged == 400)
    );
    assert_eq!(hashes(&closed.left), [low.hash()]);
    let LedgerCloseMeta::V2(meta) = &closed.meta else {
        panic!("not the form of protocol 23 and later")
    };
    let GeneralizedTransactionSet::V1(set) = &meta.tx_set;
    let TransactionPhase::V0(components) = &set.phases[0] else {
        panic!("the first phase is not the classic one")
    };
    let TxSetComponent::TxsetCompTxsMaybeDiscountedFee(component) = &components[0];
    assert_eq!(component.base_fee, Some(400));

    // With room for everybody the base fee is enough.
    let closed = close(&mut town, limits(2, 0), closed.left);
    assert_eq!(closed.applied[0].result.fee_charged, 100);
}

#[test]
fn a_bid_counts_by_operation_and_a_bump_counts_as_one_more() {
    let mut town = Town::new();
    // 300 for three operations (two and the bump) against 120 for one.
    let bumped = payment(&town, "alice", 200)
        .operation(pay("dave", Asset::Native, 1))
        .bumped("bob", 300, &["bob"]);
    let plain = payment(&town, "carol", 120).seal();
    let closed = close(&mut town, limits(1, 0), vec![bumped, plain.clone()]);
    assert_eq!(closed.applied[0].envelope.hash(), plain.hash());
    // What did not fit although nothing else is there goes on waiting.
    let closed = close(&mut town, limits(1, 0), closed.left);
    assert_eq!((closed.applied.len(), closed.left.len()), (0, 1));
}

#[test]
fn contracts_have_a_surge_of_their_own() {
    let mut town = Town::new();
    let bid = |town: &Town, from: &str, to: &str, more: u32| {
        let draft = town.transfer(from, to, XLM);
        draft.with(|tx| tx.fee += more).seal()
    };
    let (first, second) = (
        bid(&town, "alice", "bob", 0),
        bid(&town, "bob", "alice", 700),
    );
    let classic = payment(&town, "carol", 5_000).seal();
    let closed = close(
        &mut town,
        limits(9, 1),
        vec![first.clone(), second.clone(), classic],
    );
    let [payment, transfer] = closed.applied.as_slice() else {
        panic!("not two")
    };
    assert_eq!(payment.result.fee_charged, 100);
    assert_eq!(transfer.envelope.hash(), second.hash());
    assert_eq!(transfer.cost.inclusion_fee, 800);
    assert_eq!(hashes(&closed.left), [first.hash()]);
}

#[test]
fn a_bump_is_paid_by_its_payer_and_uses_the_inner_sequence_number() {
    let mut town = Town::new();
    for (to, expected) in [
        ("bob", "TxFeeBumpInnerSuccess"),
        ("nobody", "inner TxFailed: Payment(NoDestination)"),
    ] {
        let (alice, carol) = (town.account(&id_of("alice")), town.account(&id_of("carol")));
        let inner = town.draft("alice").operation(pay(to, Asset::Native, XLM));
        // The inner transaction offers nothing: only the bump can bring it in.
        let envelope = inner.with(|tx| tx.fee = 0).bumped("carol", 700, &["carol"]);
        let result = town.apply(envelope);
        assert_eq!(code(&result), expected);
        assert_eq!(result.fee_charged, 200);
        let after = town.account(&id_of("alice"));
        let spent = if to == "bob" { XLM } else { 0 };
        assert_eq!(after.balance, alice.balance - spent);
        assert_eq!(after.seq_num.0, alice.seq_num.0 + 1);
        let payer = town.account(&id_of("carol"));
        assert_eq!(payer.balance, carol.balance - 200);
        assert_eq!(payer.seq_num, carol.seq_num);
    }
}

#[test]
fn a_bump_that_was_authorized_beforehand_spends_its_signer() {
    let mut town = Town::new();
    // alice has one transaction before the bumped one.
    let bump = payment(&town, "alice", 100)
        .with(|tx| tx.seq_num.0 += 1)
        .bumped("bob", 200, &[]);
    let mut operation = options();
    operation.signer = Some(Signer {
        key: SignerKey::PreAuthTx(Uint256(bump.hash().0)),
        weight: 1,
    });
    town.must(
        town.draft("alice")
            .operation_by("bob", OperationBody::SetOptions(operation))
            .signed_by(&["alice", "bob"])
            .seal(),
    );
    assert_eq!(town.account(&id_of("bob")).num_sub_entries, 2);
    town.must_bump(bump);
    let bob = town.account(&id_of("bob"));
    assert_eq!((bob.signers.len(), bob.num_sub_entries), (0, 1));
}

#[test]
fn the_fee_that_would_have_been_enough_is_named() {
    let town = Town::new();
    let bump = payment(&town, "alice", 1_001).bumped("bob", 2_001, &["bob"]);
    let refusal = town.try_send(&bump).unwrap_err();
    assert_eq!(refusal.fee, Some(2_002));
    let enough = payment(&town, "alice", 1_001).bumped("bob", 2_002, &["bob"]);
    town.try_send(&enough).unwrap();
}

#[test]
fn a_waiting_transaction_is_replaced_for_ten_times_its_rate() {
    let town = Town::new();
    let mut pool = Pool::default();
    let inner = payment(&town, "alice", 150);
    let waiting = inner.clone().seal();
    offer(&mut pool, &waiting, None).unwrap();
    assert_eq!(offer(&mut pool, &waiting, None), Err(Obstacle::Duplicate));

    // 150 for one operation: ten times as much for two is 3,000.
    let bump = |fee| inner.clone().bumped("bob", fee, &["bob"]);
    let replace = Err(Obstacle::BidToReplace(3_000));
    assert_eq!(offer(&mut pool, &bump(2_999), None), replace);
    let replacing = bump(3_000);
    let place = pool.place(&replacing, None).unwrap();
    assert_eq!(pool.fees_with(&replacing, &place), 3_000);
    offer(&mut pool, &replacing, None).unwrap();
    assert_eq!(hashes(&pool.candidates()), [replacing.hash()]);
    // The transaction inside it is not a new one, and a bump of the bump bids ten times again.
    assert_eq!(offer(&mut pool, &waiting, None), Err(Obstacle::Duplicate));
    assert_eq!(
        offer(&mut pool, &bump(29_999), None),
        Err(Obstacle::BidToReplace(30_000))
    );
    let by_alice = inner.clone().bumped("alice", 30_000, &["alice"]);
    offer(&mut pool, &by_alice, None).unwrap();
    // What bob would have paid is no longer counted.
    let bobs = payment(&town, "bob", 100).seal();
    let place = pool.place(&bobs, None).unwrap();
    assert_eq!(pool.fees_with(&bobs, &place), 100);

    // Other sequence numbers do not replace.
    let later = payment(&town, "alice", 100).with(|tx| tx.seq_num.0 += 1);
    let earlier = payment(&town, "alice", 100).with(|tx| tx.seq_num.0 -= 1);
    let (later_bump, other) = (
        later.clone().bumped("bob", 1_000_000, &["bob"]),
        payment(&town, "alice", 5_000).seal(),
    );
    assert_eq!(offer(&mut pool, &later_bump, None), Err(Obstacle::Later));
    assert_eq!(offer(&mut pool, &later.seal(), None), Err(Obstacle::Later));
    assert_eq!(offer(&mut pool, &other, None), Err(Obstacle::Later));
    let used = Err(Obstacle::UsedSequence);
    assert_eq!(offer(&mut pool, &earlier.seal(), None), used);
    assert_eq!(pool.len(), 1);
}

#[test]
fn a_full_pool_keeps_the_best_bids() {
    let town = Town::new();
    let room = pool_room(&town, 2);
    let mut pool = Pool::default();
    let [a, b] = [("alice", 300), ("bob", 200)].map(|(from, fee)| payment(&town, from, fee).seal());
    offer(&mut pool, &a, Some(&room)).unwrap();
    offer(&mut pool, &b, Some(&room)).unwrap();
    let same = payment(&town, "carol", 200).seal();
    assert_eq!(
        offer(&mut pool, &same, Some(&room)),
        Err(Obstacle::BidToEvict(201))
    );
    let better = payment(&town, "carol", 201).seal();
    offer(&mut pool, &better, Some(&room)).unwrap();
    assert_eq!(hashes(&pool.candidates()), [a.hash(), better.hash()]);
    // The one that was outbid is kept out, and so is who bids no more than it did.
    assert_eq!(offer(&mut pool, &b, Some(&room)), Err(Obstacle::Later));
    let again = payment(&town, "bob", 190).seal();
    assert_eq!(
        offer(&mut pool, &again, Some(&room)),
        Err(Obstacle::BidToEvict(201))
    );
    // More than the pool could ever hold.
    let three = (0..3).fold(town.draft("bob"), |draft, _| {
        draft.operation(pay("dave", Asset::Native, 1))
    });
    let three = three.with(|tx| tx.fee = 1_000_000).seal();
    assert_eq!(offer(&mut pool, &three, Some(&room)), Err(Obstacle::Later));
    // Contracts have a room of their own.
    let contract = town.transfer("bob", "alice", XLM).seal();
    offer(&mut pool, &contract, Some(&room)).unwrap();

    // A replacement needs only the room that it has beyond what it replaces.
    let room = pool_room(&town, 3);
    let bumped = payment(&town, "alice", 300).bumped("dave", 6_000, &["dave"]);
    offer(&mut pool, &bumped, Some(&room)).unwrap();
    assert_eq!(pool.len(), 3);

    // After a ledger the old bids no longer count.
    pool.settle(
        9,
        [&bumped, &better].into_iter(),
        [].iter(),
        [].iter(),
        None,
    );
    offer(&mut pool, &payment(&town, "carol", 100).seal(), Some(&room)).unwrap();
}

#[test]
fn what_ledgers_pass_by_is_dropped_where_a_test_wants_it() {
    let town = Town::new();
    let (one, two) = (
        payment(&town, "alice", 100).seal(),
        payment(&town, "bob", 100).seal(),
    );
    for (most, kept) in [(None, 2), (Some(3), 1)] {
        let mut pool = Pool::default();
        offer(&mut pool, &one, None).unwrap();
        offer(&mut pool, &two, None).unwrap();
        for ledger in 10..13 {
            assert_eq!(pool.len(), 2);
            pool.settle(ledger, [].iter(), [].iter(), [&one].into_iter(), most);
        }
        assert_eq!(pool.len(), kept);
        if most.is_some() {
            assert_eq!(offer(&mut pool, &one, None), Err(Obstacle::Later));
            pool.settle(22, [].iter(), [].iter(), [].iter(), most);
            offer(&mut pool, &one, None).unwrap();
        }
    }
}

#[test]
fn a_bump_that_comes_while_its_inner_transaction_is_applied_is_forgotten() {
    let town = Town::new();
    let mut pool = Pool::default();
    let inner = payment(&town, "alice", 100);
    offer(&mut pool, &inner.clone().seal(), None).unwrap();
    offer(
        &mut pool,
        &inner.clone().bumped("bob", 2_000, &["bob"]),
        None,
    )
    .unwrap();
    let applied = inner.seal();
    pool.settle(9, [&applied].into_iter(), [].iter(), [].iter(), None);
    assert!(pool.is_empty());
    let bobs = payment(&town, "bob", 100).seal();
    let place = pool.place(&bobs, None).unwrap();
    assert_eq!(pool.fees_with(&bobs, &place), 100);
}

#[test]
fn an_order_of_ones_own_changes_the_outcome_and_nothing_else() {
    let founded = Town::new();
    let outcome = |order: Order| {
        let mut town = founded.again();
        let candidates: Vec<Envelope> = ["alice", "bob", "dave"]
            .map(|from| payment(&town, from, 100).seal())
            .to_vec();
        let terms = Terms {
            close_time: town.now_s,
            order,
            ..Terms::default()
        };
        let closed = town.ledger.close_with(terms, candidates.clone()).unwrap();
        let mut follower = founded.again().ledger;
        follower.replay(&closed.meta).unwrap();
        assert_eq!(follower.snapshot().hash(), town.ledger.snapshot().hash());
        closed
            .applied
            .iter()
            .map(|one| {
                candidates
                    .iter()
                    .position(|c| c.hash() == one.envelope.hash())
                    .unwrap()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(outcome(Order::Bid), [0, 1, 2]);
    assert_eq!(outcome(Order::Reversed), [2, 1, 0]);
    assert_eq!(outcome(Order::Drawn(5)), outcome(Order::Drawn(5)));
    let drawn: Vec<_> = (0..20).map(|seed| outcome(Order::Drawn(seed))).collect();
    assert!(drawn.iter().any(|order| *order != drawn[0]));
}
