//! What the network refuses, and with which code: at submission and in a ledger. Each row is one
//! transaction that differs from a good one in one thing.

mod town;

use localnet::envelope::Envelope;
use localnet::ledger::{Stored, refusal_result};
use localnet::network::Network;
use stellar_xdr::*;
use town::*;

type Build = fn(&Town) -> Envelope;

/// (what is wrong, the transaction, the code)
type Case = (&'static str, Build, &'static str);

fn payment(town: &Town) -> Draft {
    town.draft("alice")
        .operation(pay("bob", Asset::Native, XLM))
}

fn moved(town: &Town) -> Draft {
    town.transfer("alice", "bob", XLM)
}

fn time(draft: Draft, min: u64, max: u64) -> Draft {
    let bounds = TimeBounds {
        min_time: TimePoint(min),
        max_time: TimePoint(max),
    };
    draft.with(|tx| tx.cond = Preconditions::Time(bounds))
}

fn ledgers(draft: Draft, min_ledger: u32, max_ledger: u32) -> Draft {
    draft.conditions(|conditions| {
        conditions.ledger_bounds = Some(LedgerBounds {
            min_ledger,
            max_ledger,
        });
    })
}

fn next(town: &Town) -> u32 {
    town.ledger.snapshot().sequence() + 1
}

fn by_option(town: &Town, change: impl FnOnce(&mut SetOptionsOp)) -> Envelope {
    let mut operation = options();
    change(&mut operation);
    town.draft("alice")
        .operation(OperationBody::SetOptions(operation))
        .seal()
}

fn data_key(length: usize, durability: ContractDataDurability) -> LedgerKey {
    LedgerKey::ContractData(LedgerKeyContractData {
        contract: ScAddress::Contract(ContractId(Hash([7; 32]))),
        key: ScVal::Bytes(ScBytes(vec![1; length].try_into().unwrap())),
        durability,
    })
}

fn numbered_key(number: usize) -> LedgerKey {
    LedgerKey::ContractData(LedgerKeyContractData {
        contract: ScAddress::Contract(ContractId(Hash([7; 32]))),
        key: ScVal::U64(number as u64),
        durability: ContractDataDurability::Persistent,
    })
}

fn add_keys(keys: &mut VecM<LedgerKey>, more: impl IntoIterator<Item = LedgerKey>) {
    let mut all = keys.to_vec();
    all.extend(more);
    *keys = all.try_into().unwrap();
}

fn archived(data: &mut SorobanTransactionData, indices: Vec<u32>) {
    data.ext = SorobanTransactionDataExt::V1(SorobanResourcesExtV0 {
        archived_soroban_entries: indices.try_into().unwrap(),
    });
}

/// Declares a resource fee and pays for it.
fn pay_resources(tx: &mut Transaction, resource_fee: i64) {
    let TransactionExt::V1(data) = &mut tx.ext else {
        panic!("not prepared")
    };
    data.resource_fee = resource_fee;
    tx.fee = u32::try_from(resource_fee).unwrap() + 100;
}

fn upload(code: Vec<u8>) -> OperationBody {
    OperationBody::InvokeHostFunction(InvokeHostFunctionOp {
        host_function: HostFunction::UploadContractWasm(code.try_into().unwrap()),
        auth: VecM::default(),
    })
}

/// Resources that no simulation chose: enough of everything, for the given footprint.
fn generous(draft: Draft, read_only: Vec<LedgerKey>, read_write: Vec<LedgerKey>) -> Draft {
    draft.with(|tx| {
        tx.fee = 1_000_000_100;
        tx.ext = TransactionExt::V1(SorobanTransactionData {
            ext: SorobanTransactionDataExt::V0,
            resources: SorobanResources {
                footprint: LedgerFootprint {
                    read_only: read_only.try_into().unwrap(),
                    read_write: read_write.try_into().unwrap(),
                },
                instructions: 100_000_000,
                disk_read_bytes: 100_000,
                write_bytes: 100_000,
            },
            resource_fee: 1_000_000_000,
        });
    })
}

fn extend(extend_to: u32) -> OperationBody {
    OperationBody::ExtendFootprintTtl(ExtendFootprintTtlOp {
        ext: ExtensionPoint::V0,
        extend_to,
    })
}

fn restore() -> OperationBody {
    OperationBody::RestoreFootprint(RestoreFootprintOp {
        ext: ExtensionPoint::V0,
    })
}

fn flags(trustor: &str, set_flags: u32, clear_flags: u32) -> OperationBody {
    OperationBody::SetTrustLineFlags(SetTrustLineFlagsOp {
        trustor: id_of(trustor),
        asset: usd(),
        clear_flags,
        set_flags,
    })
}

fn manage_data(name: &str, value: Option<&[u8]>) -> OperationBody {
    OperationBody::ManageData(ManageDataOp {
        data_name: String64(name.try_into().unwrap()),
        data_value: value.map(|value| DataValue(value.to_vec().try_into().unwrap())),
    })
}

fn instance_key(town: &Town) -> LedgerKey {
    LedgerKey::ContractData(LedgerKeyContractData {
        contract: usd_contract(&town.network),
        key: ScVal::LedgerKeyContractInstance,
        durability: ContractDataDurability::Persistent,
    })
}

#[rustfmt::skip]
const AT_SUBMISSION: &[Case] = &[
    // signatures
    ("no signature", |t| payment(t).signed_by(&[]).seal(), "TxBadAuth"),
    ("somebody else's signature", |t| payment(t).signed_by(&["bob"]).seal(), "TxBadAuth"),
    ("signed for another network", |t| {
        let mut draft = payment(t);
        draft.network = Network::new("elsewhere");
        let sealed = draft.seal();
        Envelope::new(sealed.xdr().clone(), &t.network)
    }, "TxBadAuth"),
    ("changed after signing", |t| {
        let TransactionEnvelope::Tx(mut v1) = payment(t).seal().xdr().clone() else { unreachable!() };
        v1.tx.fee += 1;
        Envelope::new(TransactionEnvelope::Tx(v1), &t.network)
    }, "TxBadAuth"),
    ("a signature too many", |t| payment(t).signed_by(&["alice", "bob"]).seal(), "TxBadAuthExtra"),
    ("the same signature twice", |t| payment(t).signed_by(&["alice", "alice"]).seal(), "TxBadAuthExtra"),
    ("an extra signer that did not sign", |t| payment(t).conditions(|c| {
        let bob = SignerKey::Ed25519(localnet::account::public_key(&id_of("bob")).clone());
        c.extra_signers = vec![bob].try_into().unwrap();
    }).seal(), "TxBadAuth"),
    ("the same extra signer twice", |t| payment(t).conditions(|c| {
        let bob = SignerKey::Ed25519(localnet::account::public_key(&id_of("bob")).clone());
        c.extra_signers = vec![bob.clone(), bob].try_into().unwrap();
    }).signed_by(&["alice", "bob"]).seal(), "TxMalformed"),
    ("an operation for somebody who did not sign", |t|
        t.draft("alice").operation_by("bob", pay("alice", Asset::Native, 1)).seal(),
        "TxFailed: OpBadAuth"),
    // sequence numbers
    ("a sequence number that was used", |t| payment(t).with(|tx| tx.seq_num.0 -= 1).seal(), "TxBadSeq"),
    ("a gap in the sequence", |t| payment(t).with(|tx| tx.seq_num.0 += 1).seal(), "TxBadSeq"),
    ("a sequence number of an account made now", |t| {
        let sequence = i64::from(next(t)) << 32;
        payment(t).conditions(|c| c.min_seq_num = Some(SequenceNumber(0)))
            .with(|tx| tx.seq_num = SequenceNumber(sequence)).seal()
    }, "TxBadSeq"),
    ("a minimum sequence number not reached", |t| {
        let wanted = t.account(&id_of("alice")).seq_num.0 + 1;
        payment(t).conditions(|c| c.min_seq_num = Some(SequenceNumber(wanted)))
            .with(|tx| tx.seq_num.0 += 5).seal()
    }, "TxBadSeq"),
    ("a sequence number that moved too lately", |t|
        payment(t).conditions(|c| c.min_seq_age = Duration(1_000)).seal(), "TxBadMinSeqAgeOrGap"),
    ("a sequence number that moved too few ledgers ago", |t|
        payment(t).conditions(|c| c.min_seq_ledger_gap = 100).seal(), "TxBadMinSeqAgeOrGap"),
    // bounds
    ("too late", |t| time(payment(t), 0, t.now_s - 1).seal(), "TxTooLate"),
    ("too late by the time it could be applied", |t|
        time(payment(t), 0, t.now_s + ALLOWANCE_S - 1).seal(), "TxTooLate"),
    ("too early", |t| time(payment(t), t.now_s + 100, 0).seal(), "TxTooEarly"),
    ("a ledger too late", |t| ledgers(payment(t), 0, next(t)).seal(), "TxTooLate"),
    ("a ledger too early", |t| ledgers(payment(t), next(t) + 1, 0).seal(), "TxTooEarly"),
    // fee, account, form
    ("no operation", |t| t.draft("alice").with(|tx| tx.fee = 100).seal(), "TxMissingOperation"),
    ("less than the base fee", |t| payment(t).with(|tx| tx.fee = 99).seal(), "TxInsufficientFee"),
    ("one fee for two operations", |t|
        payment(t).operation(pay("bob", Asset::Native, 1)).with(|tx| tx.fee = 199).seal(),
        "TxInsufficientFee"),
    ("an account that does not exist", |t|
        payment(t).with(|tx| tx.source_account = id_of("nobody").into()).signed_by(&["nobody"]).seal(),
        "TxNoAccount"),
    ("a fee that the account cannot pay", |t| t.draft("poor").operation(pay("bob", Asset::Native, 1))
        .with(|tx| tx.fee = 2 * XLM as u32).seal(), "TxInsufficientBalance"),
    ("a contract operation without resources", |t|
        t.draft("alice").operation(transfer(&t.network, "alice", "bob", 1)).seal(), "TxMalformed"),
    ("resources without a contract operation", |t|
        generous(payment(t), vec![], vec![]).seal(), "TxMalformed"),
    ("a contract operation and another one", |t|
        moved(t).with(|tx| {
            let mut operations = tx.operations.to_vec();
            operations.push(Operation { source_account: None, body: pay("bob", Asset::Native, 1) });
            tx.operations = operations.try_into().unwrap();
        }).seal(), "TxMalformed"),
    ("two contract operations", |t|
        moved(t).with(|tx| {
            let mut operations = tx.operations.to_vec();
            operations.push(operations[0].clone());
            tx.operations = operations.try_into().unwrap();
        }).seal(), "TxMalformed"),
    ("a fee lower than the resource fee in it", |t|
        moved(t).resources(|d| d.resource_fee = 1_000_000).with(|tx| tx.fee = 999_999).seal(),
        "TxMalformed"),
    ("a resource fee below zero", |t| moved(t).resources(|d| d.resource_fee = -1).seal(), "TxMalformed"),
    ("inclusion below the base fee", |t| moved(t).with(|tx| tx.fee -= 1).seal(), "TxInsufficientFee"),
    // declared resources
    ("too many instructions", |t|
        moved(t).resources(|d| d.resources.instructions = 400_000_001).seal(), "TxSorobanInvalid"),
    ("too many bytes to read", |t|
        moved(t).resources(|d| d.resources.disk_read_bytes = 200_001).seal(), "TxSorobanInvalid"),
    ("too many bytes to write", |t|
        moved(t).resources(|d| d.resources.write_bytes = 132_097).seal(), "TxSorobanInvalid"),
    ("too many entries to write", |t| moved(t).resources(|d|
        add_keys(&mut d.resources.footprint.read_write, (0..199).map(numbered_key)))
        .with(|tx| pay_resources(tx, 100_000_000)).seal(), "TxSorobanInvalid"),
    ("too many entries in the footprint", |t| moved(t).resources(|d|
        add_keys(&mut d.resources.footprint.read_only, (0..400).map(numbered_key)))
        .with(|tx| pay_resources(tx, 100_000_000)).seal(), "TxSorobanInvalid"),
    ("too many entries from disk", |t| moved(t).resources(|d|
        add_keys(&mut d.resources.footprint.read_only, (0..201).map(|n|
            localnet::account::key(&id_of(&n.to_string())))))
        .with(|tx| pay_resources(tx, 100_000_000)).seal(), "TxSorobanInvalid"),
    ("a key twice in the footprint", |t| moved(t).resources(|d| {
        let key = d.resources.footprint.read_write[0].clone();
        add_keys(&mut d.resources.footprint.read_only, [key]);
    }).with(|tx| pay_resources(tx, 1_000_000)).seal(), "TxSorobanInvalid"),
    ("a key that is too long", |t| moved(t).resources(|d|
        add_keys(&mut d.resources.footprint.read_only, [data_key(250, ContractDataDurability::Persistent)]))
        .with(|tx| pay_resources(tx, 1_000_000)).seal(), "TxSorobanInvalid"),
    ("a key that contracts cannot reach", |t| moved(t).resources(|d|
        add_keys(&mut d.resources.footprint.read_only, [LedgerKey::Ttl(LedgerKeyTtl { key_hash: Hash([1; 32]) })]))
        .with(|tx| pay_resources(tx, 1_000_000)).seal(), "TxSorobanInvalid"),
    ("an issuer's trustline to itself in the footprint", |t| moved(t).resources(|d|
        add_keys(&mut d.resources.footprint.read_only, [localnet::asset::line_key(&id_of("ivan"), &usd())]))
        .with(|tx| pay_resources(tx, 1_000_000)).seal(), "TxSorobanInvalid"),
    ("a resource fee lower than the resources cost", |t| moved(t).with(|tx| pay_resources(tx, 1_000)).seal(),
        "TxSorobanInvalid"),
    ("more bytes than a transaction may have", |t| {
        let body = upload(vec![0; 131_000]);
        generous(t.draft("alice").operation(body), (0..30).map(numbered_key).collect(), vec![]).seal()
    }, "TxSorobanInvalid"),
    ("a memo on a contract invocation", |t| moved(t).with(|tx| tx.memo = Memo::Id(1)).seal(), "TxSorobanInvalid"),
    ("a muxed source of a contract invocation", |t| moved(t).with(|tx| {
        let ed25519 = localnet::account::public_key(&id_of("alice")).clone();
        tx.source_account = MuxedAccount::MuxedEd25519(MuxedAccountMed25519 { id: 1, ed25519 });
    }).seal(), "TxSorobanInvalid"),
    ("an archived entry outside the footprint", |t| moved(t).resources(|d| archived(d, vec![9])).seal(),
        "TxSorobanInvalid"),
    ("archived entries out of order", |t| moved(t).resources(|d| {
        add_keys(&mut d.resources.footprint.read_write, (0..3).map(numbered_key));
        let last = d.resources.footprint.read_write.len() as u32 - 1;
        archived(d, vec![last, last - 1]);
    }).with(|tx| pay_resources(tx, 10_000_000)).seal(), "TxSorobanInvalid"),
    ("an archived entry that is temporary", |t| moved(t).resources(|d| {
        add_keys(&mut d.resources.footprint.read_write, [data_key(8, ContractDataDurability::Temporary)]);
        let last = d.resources.footprint.read_write.len() as u32 - 1;
        archived(d, vec![last]);
    }).with(|tx| pay_resources(tx, 10_000_000)).seal(), "TxSorobanInvalid"),
    // fee bumps
    ("a bump that bids too little", |t| payment(t).bumped("bob", 199, &["bob"]), "TxInsufficientFee"),
    ("a bump below the inner bid", |t| payment(t).with(|tx| tx.fee = 1_000).bumped("bob", 1_999, &["bob"]),
        "TxInsufficientFee"),
    ("a bump that its payer did not sign", |t| payment(t).bumped("bob", 200, &["alice"]), "TxBadAuth"),
    ("a bump paid by nobody", |t| payment(t).bumped("nobody", 200, &["nobody"]), "TxNoAccount"),
    ("a bump that its payer cannot pay", |t| payment(t).bumped("bob", 20_000 * XLM, &["bob"]),
        "TxInsufficientBalance"),
    ("a bump with a signature too many", |t| payment(t).bumped("bob", 200, &["bob", "carol"]),
        "TxBadAuthExtra"),
    ("a bump around a used sequence number", |t|
        payment(t).with(|tx| tx.seq_num.0 -= 1).bumped("bob", 200, &["bob"]), "inner TxBadSeq"),
    ("a bump around an unsigned transaction", |t|
        payment(t).signed_by(&[]).bumped("bob", 200, &["bob"]), "inner TxBadAuth"),
    // operations that cannot be right
    ("a payment of nothing", |t| t.draft("alice").operation(pay("bob", Asset::Native, 0)).seal(),
        "TxFailed: Payment(Malformed)"),
    ("a payment in an asset without a code", |t| {
        let asset = Asset::CreditAlphanum4(AlphaNum4 { asset_code: AssetCode4([0; 4]), issuer: id_of("ivan") });
        t.draft("alice").operation(pay("bob", asset, 1)).seal()
    }, "TxFailed: Payment(Malformed)"),
    ("an account that makes itself", |t| t.draft("alice").operation(create("alice", XLM)).seal(),
        "TxFailed: CreateAccount(Malformed)"),
    ("trust in XLM", |t| t.draft("alice").operation(trust(Asset::Native, 1)).seal(),
        "TxFailed: ChangeTrust(Malformed)"),
    ("an issuer that trusts itself", |t| t.draft("ivan").operation(trust(usd(), 1)).seal(),
        "TxFailed: ChangeTrust(Malformed)"),
    ("flags set by somebody who did not issue", |t| t.draft("alice").operation(flags("bob", 1, 0)).seal(),
        "TxFailed: SetTrustLineFlags(Malformed)"),
    ("the same flag set and cleared", |t| t.draft("ivan").operation(flags("bob", 1, 1)).seal(),
        "TxFailed: SetTrustLineFlags(Malformed)"),
    ("a threshold above 255", |t| by_option(t, |o| o.med_threshold = Some(256)),
        "TxFailed: SetOptions(ThresholdOutOfRange)"),
    ("an unknown account flag", |t| by_option(t, |o| o.set_flags = Some(16)),
        "TxFailed: SetOptions(UnknownFlag)"),
    ("an account flag set and cleared", |t| by_option(t, |o| { o.set_flags = Some(1); o.clear_flags = Some(1); }),
        "TxFailed: SetOptions(BadFlags)"),
    ("the account as its own signer", |t| by_option(t, |o| o.signer = Some(Signer {
        key: SignerKey::Ed25519(localnet::account::public_key(&id_of("alice")).clone()), weight: 1,
    })), "TxFailed: SetOptions(BadSigner)"),
    ("data without a name", |t| t.draft("alice").operation(manage_data("", Some(b"x"))).seal(),
        "TxFailed: ManageData(InvalidName)"),
    ("a sequence number below zero", |t| t.draft("alice").operation(OperationBody::BumpSequence(
        BumpSequenceOp { bump_to: SequenceNumber(-1) })).seal(), "TxFailed: BumpSequence(BadSeq)"),
    ("an operation that this network does not have", |t|
        t.draft("alice").operation(OperationBody::Inflation).seal(), "TxFailed: OpNotSupported"),
    ("a contract's code that is too large", |t| {
        let TransactionEnvelope::Tx(v1) =
            generous(t.draft("alice").operation(upload(vec![0; 131_073])), vec![], vec![]).seal().xdr().clone()
            else { unreachable!() };
        Envelope::new(TransactionEnvelope::Tx(v1), &t.network)
    }, "TxFailed: InvokeHostFunction(Malformed)"),
    ("an extension that writes", |t|
        generous(t.draft("alice").operation(extend(100)), vec![], vec![instance_key(t)]).seal(),
        "TxFailed: ExtendFootprintTtl(Malformed)"),
    ("an extension beyond the longest life", |t|
        generous(t.draft("alice").operation(extend(3_110_400)), vec![instance_key(t)], vec![]).seal(),
        "TxFailed: ExtendFootprintTtl(Malformed)"),
    ("a restoration that only reads", |t|
        generous(t.draft("alice").operation(restore()), vec![instance_key(t)], vec![]).seal(),
        "TxFailed: RestoreFootprint(Malformed)"),
];

#[test]
fn what_is_refused_at_submission() {
    let town = Town::new();
    for (what, build, expected) in AT_SUBMISSION {
        let envelope = build(&town);
        let found = match town.try_send(&envelope) {
            Ok(()) => "ok".to_owned(),
            Err(refusal) => code(&refusal_result(town.ledger.snapshot(), &envelope, &refusal)),
        };
        assert_eq!(&found, expected, "{what}");
    }
}

#[test]
fn a_refusal_names_the_fee_that_would_have_been_charged() {
    let town = Town::new();
    for (envelope, fee) in [
        (payment(&town).with(|tx| tx.fee = 1).seal(), 100),
        (payment(&town).with(|tx| tx.seq_num.0 += 1).seal(), 100),
        (payment(&town).bumped("bob", 199, &["bob"]), 200),
    ] {
        let refusal = town.try_send(&envelope).unwrap_err();
        let result = refusal_result(town.ledger.snapshot(), &envelope, &refusal);
        assert_eq!(result.fee_charged, fee, "{}", code(&result));
    }
}

/// A case in a ledger, on a town that was prepared for it.
type Applied = (&'static str, fn(&mut Town) -> Envelope, &'static str);

fn expired(key_is: impl Fn(&LedgerKey) -> bool) -> impl Fn(&LedgerKey, &mut Stored) {
    move |key, stored| {
        if key_is(key)
            && let Some(lifetime) = &mut stored.lifetime
        {
            lifetime.until = 2;
        }
    }
}

/// dave transfers alice's USD to bob with an entry of authorisation that she signed.
fn by_entry(town: &Town, change: impl FnOnce(&mut SorobanAuthorizationEntry)) -> Draft {
    let body = transfer(&town.network, "alice", "bob", XLM);
    let prepared = town.prepared(town.draft("dave").operation(body));
    prepared.with(|tx| {
        let mut operations = tx.operations.to_vec();
        let OperationBody::InvokeHostFunction(invoke) = &mut operations[0].body else {
            unreachable!()
        };
        let mut auth = invoke.auth.to_vec();
        change(&mut auth[0]);
        invoke.auth = auth.try_into().unwrap();
        tx.operations = operations.try_into().unwrap();
        // A signature is longer than nothing, and verifying it costs instructions.
        let TransactionExt::V1(data) = &mut tx.ext else {
            unreachable!()
        };
        data.resources.instructions += 5_000_000;
        pay_resources(tx, 20_000_000);
    })
}

#[rustfmt::skip]
const IN_A_LEDGER: &[Applied] = &[
    ("a payment beyond the balance", |t| t.draft("alice").operation(pay("bob", Asset::Native, 10_000 * XLM)).seal(),
        "TxFailed: Payment(Underfunded)"),
    ("a payment to nobody", |t| t.draft("alice").operation(pay("nobody", Asset::Native, 1)).seal(),
        "TxFailed: Payment(NoDestination)"),
    ("a payment to somebody without a trustline", |t| t.draft("alice").operation(pay("carol", usd(), 1)).seal(),
        "TxFailed: Payment(NoTrust)"),
    ("a payment by somebody without a trustline", |t| t.draft("carol").operation(pay("alice", usd(), 1)).seal(),
        "TxFailed: Payment(SrcNoTrust)"),
    ("a payment of more USD than there is", |t| t.draft("alice").operation(pay("ivan", usd(), 501 * XLM)).seal(),
        "TxFailed: Payment(Underfunded)"),
    ("a payment over the trustline's limit", |t| t.draft("ivan").operation(pay("alice", usd(), 501 * XLM)).seal(),
        "TxFailed: Payment(LineFull)"),
    ("a payment to a frozen trustline", |t| {
        freeze(t, "bob");
        t.draft("alice").operation(pay("bob", usd(), 1)).seal()
    }, "TxFailed: Payment(NotAuthorized)"),
    ("a payment from a frozen trustline", |t| {
        freeze(t, "alice");
        t.draft("alice").operation(pay("bob", usd(), 1)).seal()
    }, "TxFailed: Payment(SrcNotAuthorized)"),
    ("an account that exists", |t| t.draft("alice").operation(create("bob", XLM)).seal(),
        "TxFailed: CreateAccount(AlreadyExist)"),
    ("a new account below the reserve", |t| t.draft("alice").operation(create("new", XLM - 1)).seal(),
        "TxFailed: CreateAccount(LowReserve)"),
    ("a new account beyond the balance", |t| t.draft("alice").operation(create("new", 10_000 * XLM)).seal(),
        "TxFailed: CreateAccount(Underfunded)"),
    ("trust in nobody's asset", |t| {
        let asset = Asset::CreditAlphanum4(AlphaNum4 { asset_code: AssetCode4(*b"EUR\0"), issuer: id_of("nobody") });
        t.draft("alice").operation(trust(asset, 1)).seal()
    }, "TxFailed: ChangeTrust(NoIssuer)"),
    ("a trustline closed with money on it", |t| t.draft("alice").operation(trust(usd(), 0)).seal(),
        "TxFailed: ChangeTrust(InvalidLimit)"),
    ("a trustline that the reserve does not allow", |t| {
        let rest = t.account(&id_of("carol")).balance - XLM - 300;
        t.must(t.draft("carol").operation(pay("bob", Asset::Native, rest)).seal());
        t.draft("carol").operation(trust(usd(), 1)).seal()
    }, "TxFailed: ChangeTrust(LowReserve)"),
    ("flags of a trustline that is not there", |t| t.draft("ivan").operation(flags("carol", 1, 0)).seal(),
        "TxFailed: SetTrustLineFlags(NoTrustLine)"),
    ("a revocation by an issuer that may not revoke", |t| t.draft("ivan").operation(flags("alice", 0, 1)).seal(),
        "TxFailed: SetTrustLineFlags(CantRevoke)"),
    ("clawback without revocation", |t| {
        let mut operation = options();
        operation.set_flags = Some(8);
        t.draft("ivan").operation(OperationBody::SetOptions(operation)).seal()
    }, "TxFailed: SetOptions(AuthRevocableRequired)"),
    ("flags of an account that is immutable", |t| {
        let mut operation = options();
        operation.set_flags = Some(4);
        t.must(t.draft("ivan").operation(OperationBody::SetOptions(operation.clone())).seal());
        operation.set_flags = Some(1);
        t.draft("ivan").operation(OperationBody::SetOptions(operation)).seal()
    }, "TxFailed: SetOptions(CantChange)"),
    ("data that is not there", |t| t.draft("alice").operation(manage_data("none", None)).seal(),
        "TxFailed: ManageData(NameNotFound)"),
    ("an operation of an account that does not exist", |t|
        t.draft("alice").operation_by("nobody", pay("bob", Asset::Native, 1)).signed_by(&["alice", "nobody"]).seal(),
        "TxFailed: OpNoAccount"),
    ("one good operation and one bad", |t| t.draft("alice")
        .operation(pay("bob", Asset::Native, 1)).operation(pay("nobody", Asset::Native, 1)).seal(),
        "TxFailed: ok, Payment(NoDestination)"),
    ("a weight below the medium threshold", |t| {
        let mut operation = options();
        operation.med_threshold = Some(2);
        operation.high_threshold = Some(2);
        t.must(t.draft("alice").operation(OperationBody::SetOptions(operation)).seal());
        payment(t).seal()
    }, "TxFailed: OpBadAuth"),
    ("a master key without weight", |t| {
        let mut operation = options();
        operation.master_weight = Some(0);
        operation.signer = Some(Signer {
            key: SignerKey::Ed25519(localnet::account::public_key(&id_of("bob")).clone()), weight: 1,
        });
        t.must(t.draft("alice").operation(OperationBody::SetOptions(operation)).seal());
        payment(t).seal()
    }, "TxBadAuth"),
    ("a transaction applied twice", |t| {
        let envelope = payment(t).seal();
        t.must(envelope.clone());
        envelope
    }, "TxBadSeq"),
    // contracts
    ("a contract that returns an error", |t| t.transfer("alice", "bob", 500 * XLM)
        .with(|tx| replace_amount(tx, 501 * XLM)).seal(), "TxFailed: InvokeHostFunction(Trapped)"),
    ("a call without the authorisation it needs", |t| by_entry(t, |_| ()).with(without_auth).seal(),
        "TxFailed: InvokeHostFunction(Trapped)"),
    ("an authorisation that is not signed", |t| by_entry(t, |_| ()).seal(),
        "TxFailed: InvokeHostFunction(Trapped)"),
    ("an authorisation signed by somebody else", |t| {
        let (network, until) = (t.network.clone(), next(t) + 10);
        by_entry(t, |entry| authorize(entry, &network, "bob", until, nonce_of(entry))).seal()
    }, "TxFailed: InvokeHostFunction(Trapped)"),
    ("an authorisation that has expired", |t| {
        let (network, until) = (t.network.clone(), next(t) - 1);
        by_entry(t, |entry| authorize(entry, &network, "alice", until, nonce_of(entry))).seal()
    }, "TxFailed: InvokeHostFunction(Trapped)"),
    ("an authorisation for another network", |t| {
        let until = next(t) + 10;
        by_entry(t, |entry| authorize(entry, &Network::new("elsewhere"), "alice", until, nonce_of(entry))).seal()
    }, "TxFailed: InvokeHostFunction(Trapped)"),
    ("an authorisation used twice", |t| {
        let (network, until) = (t.network.clone(), next(t) + 10);
        let draft = by_entry(t, |entry| authorize(entry, &network, "alice", until, nonce_of(entry)));
        t.must(draft.clone().seal());
        draft.with(|tx| tx.seq_num.0 += 1).seal()
    }, "TxFailed: InvokeHostFunction(Trapped)"),
    ("an entry missing from the footprint", |t| moved(t).resources(|d| {
        let mut keys = d.resources.footprint.read_write.to_vec();
        keys.pop();
        d.resources.footprint.read_write = keys.try_into().unwrap();
    }).seal(), "TxFailed: InvokeHostFunction(Trapped)"),
    ("an entry that is only declared to be read", |t| moved(t).resources(|d| {
        let mut keys = d.resources.footprint.read_write.to_vec();
        let key = keys.pop().unwrap();
        d.resources.footprint.read_write = keys.try_into().unwrap();
        add_keys(&mut d.resources.footprint.read_only, [key]);
    }).seal(), "TxFailed: InvokeHostFunction(Trapped)"),
    ("code that is none", |t| {
        let key = LedgerKey::ContractCode(LedgerKeyContractCode {
            hash: Hash(localnet::network::sha256(b"no wasm")),
        });
        generous(t.draft("alice").operation(upload(b"no wasm".to_vec())), vec![], vec![key]).seal()
    }, "TxFailed: InvokeHostFunction(Trapped)"),
    ("more instructions than declared", |t| moved(t).resources(|d| d.resources.instructions = 50_000).seal(),
        "TxFailed: InvokeHostFunction(ResourceLimitExceeded)"),
    ("more bytes written than declared", |t| moved(t).resources(|d| d.resources.write_bytes -= 1).seal(),
        "TxFailed: InvokeHostFunction(ResourceLimitExceeded)"),
    ("more bytes read than declared", |t| moved(t).resources(|d| d.resources.disk_read_bytes -= 1).seal(),
        "TxFailed: InvokeHostFunction(ResourceLimitExceeded)"),
    ("nothing left for the event's fee", |t| {
        let draft = moved(t);
        let least = localnet::fees::non_refundable(t.ledger.snapshot().settings(), &draft.clone().seal());
        draft.with(|tx| pay_resources(tx, least)).seal()
    }, "TxFailed: InvokeHostFunction(InsufficientRefundableFee)"),
    ("an archived entry that is not declared so", |t| {
        let envelope = moved(t).seal();
        *t = t.altered(expired(|key| matches!(key, LedgerKey::ContractData(_))));
        envelope
    }, "TxFailed: InvokeHostFunction(EntryArchived)"),
    ("an extension without the rent", |t| {
        let draft = generous(t.draft("alice").operation(extend(3_000_000)), vec![instance_key(t)], vec![]);
        let least = localnet::fees::non_refundable(t.ledger.snapshot().settings(), &draft.clone().seal());
        draft.with(|tx| pay_resources(tx, least)).seal()
    }, "TxFailed: ExtendFootprintTtl(InsufficientRefundableFee)"),
    ("a restoration without the rent", |t| {
        *t = t.altered(expired(|key| matches!(key, LedgerKey::ContractData(_))));
        let draft = generous(t.draft("alice").operation(restore()), vec![], vec![instance_key(t)]);
        let least = localnet::fees::non_refundable(t.ledger.snapshot().settings(), &draft.clone().seal());
        draft.with(|tx| pay_resources(tx, least)).seal()
    }, "TxFailed: RestoreFootprint(InsufficientRefundableFee)"),
    ("a restoration of more than was declared", |t| {
        *t = t.altered(expired(|key| matches!(key, LedgerKey::ContractData(_))));
        generous(t.draft("alice").operation(restore()), vec![], vec![instance_key(t)])
            .resources(|d| d.resources.disk_read_bytes = 10).seal()
    }, "TxFailed: RestoreFootprint(ResourceLimitExceeded)"),
    ("a bump around a failing payment", |t|
        t.draft("alice").operation(pay("nobody", Asset::Native, 1)).bumped("bob", 200, &["bob"]),
        "inner TxFailed: Payment(NoDestination)"),
];

fn freeze(town: &mut Town, name: &str) {
    let mut operation = options();
    operation.set_flags = Some(AccountFlags::RevocableFlag as u32);
    town.must(
        town.draft("ivan")
            .operation(OperationBody::SetOptions(operation))
            .seal(),
    );
    town.must(town.draft("ivan").operation(flags(name, 0, 1)).seal());
}

fn invoke_of(tx: &mut Transaction, change: impl FnOnce(&mut InvokeHostFunctionOp)) {
    let mut operations = tx.operations.to_vec();
    let OperationBody::InvokeHostFunction(invoke) = &mut operations[0].body else {
        unreachable!()
    };
    change(invoke);
    tx.operations = operations.try_into().unwrap();
}

fn replace_amount(tx: &mut Transaction, amount: i64) {
    invoke_of(tx, |invoke| {
        let HostFunction::InvokeContract(call) = &mut invoke.host_function else {
            unreachable!()
        };
        let mut arguments = call.args.to_vec();
        arguments[2] = i128_value(amount);
        call.args = arguments.clone().try_into().unwrap();
        let mut auth = invoke.auth.to_vec();
        let SorobanAuthorizedFunction::ContractFn(authorized) =
            &mut auth[0].root_invocation.function
        else {
            unreachable!()
        };
        authorized.args = arguments.try_into().unwrap();
        invoke.auth = auth.try_into().unwrap();
    });
}

fn without_auth(tx: &mut Transaction) {
    invoke_of(tx, |invoke| invoke.auth = VecM::default());
}

/// The nonce that the simulation chose: its entry is in the footprint.
fn nonce_of(entry: &SorobanAuthorizationEntry) -> i64 {
    match &entry.credentials {
        SorobanCredentials::Address(credentials) => credentials.nonce,
        _ => panic!("not an address's entry"),
    }
}

#[test]
fn what_fails_in_a_ledger() {
    let founded = Town::new();
    for (what, build, expected) in IN_A_LEDGER {
        let mut town = founded.again();
        let envelope = build(&mut town);
        let payer = envelope.fee_source();
        let before = town.account(&payer);
        let result = town.apply(envelope.clone());
        assert_eq!(&code(&result), expected, "{what}");

        // In a ledger or not: whoever entered one has paid and used the sequence number, and
        // nothing else has changed for him.
        let after = town.account(&payer);
        let source = town.account(&envelope.source());
        if code(&result).contains("TxFailed: OpBadAuth") || !code(&result).contains("TxFailed") {
            assert_eq!(after, before, "{what}");
        } else {
            assert_eq!(before.balance - after.balance, result.fee_charged, "{what}");
            assert_eq!(source.seq_num, envelope.transaction().seq_num, "{what}");
        }
    }
}
