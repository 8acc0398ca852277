//! What a ledger does with good transactions: state, fees and refunds, metadata, lifetimes, and
//! that the metadata alone leads to the same state again.

mod town;

use localnet::ledger::{Ledger, Stored, header_hash};
use stellar_xdr::*;
use town::*;

fn upload(code: Vec<u8>) -> OperationBody {
    OperationBody::InvokeHostFunction(InvokeHostFunctionOp {
        host_function: HostFunction::UploadContractWasm(code.try_into().unwrap()),
        auth: VecM::default(),
    })
}

/// The least that the host accepts as a contract: a module that says for which protocol it is.
fn empty_contract() -> Vec<u8> {
    let name = b"contractenvmetav0";
    let meta = ScEnvMetaEntry::ScEnvMetaKindInterfaceVersion(ScEnvMetaEntryInterfaceVersion {
        protocol: 27,
        pre_release: 0,
    });
    let mut section = vec![name.len() as u8];
    section.extend(name);
    section.extend(localnet::ledger::encode(&meta));
    let mut module = b"\0asm\x01\0\0\0\0".to_vec();
    module.push(section.len() as u8);
    module.extend(section);
    module
}

type Step = Box<dyn Fn(&Town) -> Draft>;

fn meta_of(closed: &LedgerCloseMeta) -> &LedgerCloseMetaV2 {
    let LedgerCloseMeta::V2(meta) = closed else {
        panic!("not the form of protocol 23 and later")
    };
    meta
}

fn expire(town: &Town) -> Town {
    town.altered(|_, stored: &mut Stored| {
        if let Some(lifetime) = &mut stored.lifetime {
            lifetime.until = 2;
        }
    })
}

#[test]
fn a_contract_transfer_moves_money_and_costs_what_it_says() {
    let mut town = Town::new();
    let before = town.account(&id_of("alice")).balance;
    let envelope = town.transfer("alice", "bob", 7 * XLM).seal();
    let closed = town
        .ledger
        .close(town.now_s, vec![envelope.clone()])
        .unwrap();
    let [applied] = closed.applied.as_slice() else {
        panic!("not applied")
    };

    assert_eq!(town.usd_of("alice"), 493 * XLM);
    assert_eq!(town.usd_of("bob"), 507 * XLM);
    let cost = &applied.cost;
    assert_eq!(
        before - town.account(&id_of("alice")).balance,
        cost.fee_charged
    );
    assert_eq!(
        cost.fee_charged,
        cost.inclusion_fee + cost.non_refundable_fee + cost.events_fee + cost.rent_fee
    );
    assert_eq!(cost.inclusion_fee, 100);
    assert!(
        cost.fee_charged < envelope.fee_max(),
        "nothing was given back"
    );
    assert_eq!(cost.consumed.write_entries, 2);
    let declared = &envelope.soroban_data().unwrap().resources;
    assert!(cost.consumed.instructions <= u64::from(declared.instructions));
    assert_eq!(cost.consumed.write_bytes, declared.write_bytes);

    let processing = &meta_of(&closed.meta).tx_processing[0];
    let TransactionMeta::V4(meta) = &processing.tx_apply_processing else {
        panic!("not V4")
    };
    let soroban = meta.soroban_meta.as_ref().unwrap();
    assert_eq!(soroban.return_value, Some(ScVal::Void));
    assert_eq!(meta.operations[0].events.len(), 1);
    assert!(!processing.post_tx_apply_fee_processing.0.is_empty());
}

#[test]
fn code_is_uploaded_once_and_found_again() {
    let mut town = Town::new();
    let envelope = town
        .prepared(town.draft("alice").operation(upload(empty_contract())))
        .seal();
    let closed = town.ledger.close(town.now_s, vec![envelope]).unwrap();
    assert!(
        closed.applied[0].succeeded,
        "{}",
        code(&closed.applied[0].result)
    );
    assert!(closed.applied[0].cost.rent_fee > 0);
    // A ledger that starts from these entries must be able to parse what is in them.
    Ledger::new(town.ledger.snapshot().clone()).unwrap();
}

#[test]
fn metadata_alone_leads_to_the_same_state() {
    let mut town = Town::new();
    let mut follower = Ledger::new(town.ledger.snapshot().clone()).unwrap();
    let until = town.ledger.snapshot().sequence() + 50;
    let network = town.network.clone();
    let extended = LedgerKey::ContractData(LedgerKeyContractData {
        contract: usd_contract(&network),
        key: ScVal::LedgerKeyContractInstance,
        durability: ContractDataDurability::Persistent,
    });
    let steps: Vec<Step> = vec![
        Box::new(|t| t.draft("alice").operation(pay("bob", Asset::Native, XLM))),
        Box::new(|t| t.transfer("alice", "bob", XLM)),
        Box::new(|t| t.draft("carol").operation(trust(usd(), XLM))),
        Box::new(|t| t.draft("carol").operation(trust(usd(), 0))),
        Box::new(|t| t.prepared(t.draft("alice").operation(upload(empty_contract())))),
        // A nonce is a temporary entry.
        Box::new(move |t| {
            let body = transfer(&t.network, "alice", "bob", XLM);
            t.prepared(t.draft("dave").operation(body)).with(|tx| {
                let mut operations = tx.operations.to_vec();
                let OperationBody::InvokeHostFunction(invoke) = &mut operations[0].body else {
                    unreachable!()
                };
                let mut auth = invoke.auth.to_vec();
                let SorobanCredentials::Address(credentials) = &auth[0].credentials else {
                    unreachable!()
                };
                let nonce = credentials.nonce;
                authorize(&mut auth[0], &t.network, "alice", until, nonce);
                invoke.auth = auth.try_into().unwrap();
                tx.operations = operations.try_into().unwrap();
                let TransactionExt::V1(data) = &mut tx.ext else {
                    unreachable!()
                };
                data.resources.instructions += 5_000_000;
                data.resource_fee += 1_000_000;
                tx.fee += 1_000_000;
            })
        }),
        // Only a lifetime changes.
        Box::new(move |t| {
            let draft =
                t.draft("bob")
                    .operation(OperationBody::ExtendFootprintTtl(ExtendFootprintTtlOp {
                        ext: ExtensionPoint::V0,
                        extend_to: 3_000_000,
                    }));
            let key = extended.clone();
            t.prepared(draft.with(|tx| {
                tx.ext = TransactionExt::V1(SorobanTransactionData {
                    ext: SorobanTransactionDataExt::V0,
                    resources: SorobanResources {
                        footprint: LedgerFootprint {
                            read_only: vec![key].try_into().unwrap(),
                            read_write: VecM::default(),
                        },
                        instructions: 0,
                        disk_read_bytes: 0,
                        write_bytes: 0,
                    },
                    resource_fee: 0,
                });
            }))
        }),
        // A transaction that fails still changes something.
        Box::new(|t| t.draft("alice").operation(pay("carol", usd(), 1))),
    ];
    for (at, step) in steps.iter().enumerate() {
        town.now_s += 5;
        let envelope = step(&town).seal();
        let closed = town.ledger.close(town.now_s, vec![envelope]).unwrap();
        assert_eq!(closed.applied.len(), 1, "step {at}");
        let failed_as_meant = at + 1 == steps.len();
        assert_eq!(
            closed.applied[0].succeeded,
            !failed_as_meant,
            "step {at}: {}",
            code(&closed.applied[0].result)
        );
        follower.replay(&closed.meta).unwrap();
        assert_eq!(follower.snapshot().hash(), town.ledger.snapshot().hash());
        for (key, stored) in town.ledger.snapshot().entries() {
            use localnet::ledger::Source;
            assert_eq!(
                follower.snapshot().get(key).as_ref(),
                Some(stored),
                "step {at}"
            );
        }
        assert_eq!(
            follower.snapshot().len(),
            town.ledger.snapshot().len(),
            "step {at}"
        );
    }
}

#[test]
fn changed_metadata_is_noticed() {
    let mut town = Town::new();
    let mut follower = Ledger::new(town.ledger.snapshot().clone()).unwrap();
    let envelope = town
        .draft("alice")
        .operation(pay("bob", Asset::Native, XLM))
        .seal();
    let closed = town.ledger.close(town.now_s, vec![envelope]).unwrap();
    let LedgerCloseMeta::V2(mut meta) = closed.meta else {
        unreachable!()
    };
    let mut processing = meta.tx_processing.to_vec();
    let TransactionMeta::V4(applied) = &mut processing[0].tx_apply_processing else {
        unreachable!()
    };
    applied.operations = VecM::default();
    meta.tx_processing = processing.try_into().unwrap();
    let error = follower.replay(&LedgerCloseMeta::V2(meta)).unwrap_err();
    assert!(error.contains("do not lead to the state"), "{error}");
}

#[test]
fn headers_link_and_money_is_conserved() {
    let mut town = Town::new();
    for _ in 0..3 {
        let last = town.ledger.snapshot().clone();
        town.must(town.transfer("alice", "bob", 1).seal());
        let header = town.ledger.snapshot().header();
        assert_eq!(header.previous_ledger_hash, *last.hash());
        assert_eq!(*town.ledger.snapshot().hash(), header_hash(header));
    }
    let balances: i64 = town
        .ledger
        .snapshot()
        .entries()
        .filter_map(|(_, stored)| match &stored.entry.data {
            LedgerEntryData::Account(account) => Some(account.balance),
            _ => None,
        })
        .sum();
    let header = town.ledger.snapshot().header();
    assert_eq!(balances + header.fee_pool, header.total_coins);
}

#[test]
fn the_clock_never_goes_back() {
    let mut town = Town::new();
    let at = town.ledger.snapshot().close_time();
    town.ledger.close(at - 100, Vec::new()).unwrap();
    assert_eq!(town.ledger.snapshot().close_time(), at);
}

#[test]
fn archived_entries_come_back_with_the_call_that_needs_them() {
    let mut town = expire(&Town::new());
    // The simulation lists them, and prices the restoration.
    let envelope = town.transfer("alice", "bob", XLM).seal();
    assert!(!localnet::fees::archived_indices(envelope.soroban_data().unwrap()).is_empty());
    let closed = town.ledger.close(town.now_s, vec![envelope]).unwrap();
    assert!(
        closed.applied[0].succeeded,
        "{}",
        code(&closed.applied[0].result)
    );
    assert!(closed.applied[0].cost.rent_fee > 0);
    let TransactionMeta::V4(meta) = &meta_of(&closed.meta).tx_processing[0].tx_apply_processing
    else {
        panic!("not V4")
    };
    let restored = |change: &&LedgerEntryChange| matches!(change, LedgerEntryChange::Restored(_));
    assert_eq!(
        meta.operations[0].changes.0.iter().filter(restored).count(),
        2
    );
    town.must(town.transfer("alice", "bob", XLM).seal());
}

#[test]
fn signers_with_thresholds() {
    let mut town = Town::new();
    let mut operation = options();
    operation.low_threshold = Some(2);
    operation.med_threshold = Some(2);
    operation.high_threshold = Some(2);
    operation.signer = Some(Signer {
        key: SignerKey::Ed25519(localnet::account::public_key(&id_of("bob")).clone()),
        weight: 1,
    });
    town.must(
        town.draft("alice")
            .operation(OperationBody::SetOptions(operation))
            .seal(),
    );
    let payment = |t: &Town| t.draft("alice").operation(pay("carol", Asset::Native, XLM));
    assert!(town.try_send(&payment(&town).seal()).is_err());
    town.must(payment(&town).signed_by(&["alice", "bob"]).seal());
}

#[test]
fn a_fee_bump_is_paid_by_its_payer() {
    let mut town = Town::new();
    let (alice, bob) = (town.account(&id_of("alice")), town.account(&id_of("bob")));
    let envelope = town
        .draft("alice")
        .operation(pay("carol", Asset::Native, XLM))
        .bumped("bob", 500, &["bob"]);
    let result = town.must_bump(envelope);
    assert_eq!(result.fee_charged, 200);
    assert_eq!(alice.balance - town.account(&id_of("alice")).balance, XLM);
    assert_eq!(bob.balance - town.account(&id_of("bob")).balance, 200);
}

#[test]
fn a_fee_bump_pays_for_resources_that_the_inner_fee_does_not_cover() {
    let mut town = Town::new();
    let draft = town.transfer("alice", "bob", XLM).with(|tx| tx.fee = 100);
    let envelope = draft.bumped("carol", 10_000_000, &["carol"]);
    let carol = town.account(&id_of("carol")).balance;
    let result = town.must_bump(envelope);
    assert_eq!(
        carol - town.account(&id_of("carol")).balance,
        result.fee_charged
    );
    assert_eq!(town.usd_of("bob"), 501 * XLM);
}

#[test]
fn a_ledger_takes_what_fits_and_leaves_the_rest() {
    let mut town = Town::new();
    // One cluster: all of them write alice's trustline, and together they want more than it has.
    let envelopes: Vec<_> = (0..3u32)
        .map(|at| {
            town.transfer("alice", "bob", 1)
                .resources(|data| {
                    data.resources.instructions = 250_000_000;
                    data.resource_fee = 10_000_000;
                })
                .with(|tx| {
                    tx.fee = 10_000_100;
                    tx.seq_num.0 += i64::from(at);
                })
                .seal()
        })
        .collect();
    let closed = town.ledger.close(town.now_s, envelopes).unwrap();
    assert_eq!((closed.applied.len(), closed.left.len()), (2, 1));
    let closed = town.ledger.close(town.now_s, closed.left).unwrap();
    assert_eq!((closed.applied.len(), closed.left.len()), (1, 0));
    assert_eq!(town.usd_of("bob"), 500 * XLM + 3);
}
