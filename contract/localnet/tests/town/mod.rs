//! A small network with people in it, for tests: alice and bob hold USD, carol and dave do not, ivan
//! issues it, and the asset's contract is deployed. Everything is made by transactions.

// Each test file uses its own part of this.
#![allow(dead_code)]

use ed25519_dalek::{Signer as _, SigningKey};
use localnet::envelope::Envelope;
use localnet::genesis::genesis;
use localnet::ledger::{Ledger, Snapshot, Source, Stored, encode, refusal_result};
use localnet::network::{Network, account_of, sha256};
use localnet::simulation::{AuthMode, Request, simulate};
use localnet::validity::Refusal;
use std::sync::Arc;
use stellar_xdr::*;

pub const XLM: i64 = 10_000_000;
pub const START_S: u64 = 1_800_000_000;
/// Seconds that time bounds must lie ahead at submission in these tests.
pub const ALLOWANCE_S: u64 = 10;

pub fn key_of(name: &str) -> SigningKey {
    SigningKey::from_bytes(&sha256(name.as_bytes()))
}

pub fn id_of(name: &str) -> AccountId {
    account_of(&key_of(name))
}

pub fn address_of(name: &str) -> ScAddress {
    ScAddress::Account(id_of(name))
}

pub fn usd() -> Asset {
    Asset::CreditAlphanum4(AlphaNum4 {
        asset_code: AssetCode4(*b"USD\0"),
        issuer: id_of("ivan"),
    })
}

/// The contract of USD.
pub fn usd_contract(network: &Network) -> ScAddress {
    let preimage = HashIdPreimage::ContractId(HashIdPreimageContractId {
        network_id: network.id().clone(),
        contract_id_preimage: ContractIdPreimage::Asset(usd()),
    });
    ScAddress::Contract(ContractId(Hash(sha256(&encode(&preimage)))))
}

pub fn i128_value(amount: i64) -> ScVal {
    ScVal::I128(Int128Parts {
        hi: amount >> 63,
        lo: amount as u64,
    })
}

pub fn symbol(text: &str) -> ScSymbol {
    ScSymbol(text.try_into().unwrap())
}

pub fn call(contract: ScAddress, function: &str, arguments: Vec<ScVal>) -> OperationBody {
    OperationBody::InvokeHostFunction(InvokeHostFunctionOp {
        host_function: HostFunction::InvokeContract(InvokeContractArgs {
            contract_address: contract,
            function_name: symbol(function),
            args: arguments.try_into().unwrap(),
        }),
        auth: VecM::default(),
    })
}

/// A USD transfer through the asset's contract.
pub fn transfer(network: &Network, from: &str, to: &str, amount: i64) -> OperationBody {
    let arguments = vec![
        ScVal::Address(address_of(from)),
        ScVal::Address(address_of(to)),
        i128_value(amount),
    ];
    call(usd_contract(network), "transfer", arguments)
}

pub fn pay(to: &str, asset: Asset, amount: i64) -> OperationBody {
    OperationBody::Payment(PaymentOp {
        destination: id_of(to).into(),
        asset,
        amount,
    })
}

pub fn create(name: &str, starting_balance: i64) -> OperationBody {
    OperationBody::CreateAccount(CreateAccountOp {
        destination: id_of(name),
        starting_balance,
    })
}

pub fn trust(asset: Asset, limit: i64) -> OperationBody {
    let line = match asset {
        Asset::Native => ChangeTrustAsset::Native,
        Asset::CreditAlphanum4(asset) => ChangeTrustAsset::CreditAlphanum4(asset),
        Asset::CreditAlphanum12(asset) => ChangeTrustAsset::CreditAlphanum12(asset),
    };
    OperationBody::ChangeTrust(ChangeTrustOp { line, limit })
}

pub fn options() -> SetOptionsOp {
    SetOptionsOp {
        inflation_dest: None,
        clear_flags: None,
        set_flags: None,
        master_weight: None,
        low_threshold: None,
        med_threshold: None,
        high_threshold: None,
        home_domain: None,
        signer: None,
    }
}

/// A transaction that is being written. Everything in it can be changed until it is signed.
#[derive(Clone)]
pub struct Draft {
    pub tx: Transaction,
    pub signers: Vec<String>,
    /// The network that it is signed for.
    pub network: Network,
}

impl Draft {
    pub fn operation(mut self, body: OperationBody) -> Self {
        let mut operations = self.tx.operations.to_vec();
        operations.push(Operation {
            source_account: None,
            body,
        });
        self.tx.fee = 100 * operations.len() as u32;
        self.tx.operations = operations.try_into().unwrap();
        self
    }

    pub fn operation_by(self, name: &str, body: OperationBody) -> Self {
        let mut draft = self.operation(body);
        let mut operations = draft.tx.operations.to_vec();
        operations.last_mut().unwrap().source_account = Some(id_of(name).into());
        draft.tx.operations = operations.try_into().unwrap();
        draft
    }

    pub fn with(mut self, change: impl FnOnce(&mut Transaction)) -> Self {
        change(&mut self.tx);
        self
    }

    pub fn conditions(self, change: impl FnOnce(&mut PreconditionsV2)) -> Self {
        let mut conditions = PreconditionsV2::default();
        change(&mut conditions);
        self.with(|tx| tx.cond = Preconditions::V2(conditions))
    }

    /// Changes the declared resources of a prepared contract transaction.
    pub fn resources(self, change: impl FnOnce(&mut SorobanTransactionData)) -> Self {
        self.with(|tx| {
            let TransactionExt::V1(data) = &mut tx.ext else {
                panic!("not prepared")
            };
            change(data);
        })
    }

    pub fn signed_by(mut self, names: &[&str]) -> Self {
        self.signers = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    pub fn seal(self) -> Envelope {
        let mut v1 = TransactionV1Envelope {
            tx: self.tx,
            signatures: VecM::default(),
        };
        let hash = Envelope::new(TransactionEnvelope::Tx(v1.clone()), &self.network)
            .hash()
            .clone();
        v1.signatures = signatures(&hash, &self.signers);
        Envelope::new(TransactionEnvelope::Tx(v1), &self.network)
    }

    /// Wraps the signed transaction into a fee bump.
    pub fn bumped(self, payer: &str, fee: i64, signers: &[&str]) -> Envelope {
        let network = self.network.clone();
        let TransactionEnvelope::Tx(inner) = self.seal().xdr().clone() else {
            panic!("a draft seals to a plain transaction");
        };
        let mut bump = FeeBumpTransactionEnvelope {
            tx: FeeBumpTransaction {
                fee_source: id_of(payer).into(),
                fee,
                inner_tx: FeeBumpTransactionInnerTx::Tx(inner),
                ext: FeeBumpTransactionExt::V0,
            },
            signatures: VecM::default(),
        };
        let unsigned = Envelope::new(TransactionEnvelope::TxFeeBump(bump.clone()), &network);
        let names: Vec<String> = signers.iter().map(|name| (*name).to_owned()).collect();
        bump.signatures = signatures(unsigned.hash(), &names);
        Envelope::new(TransactionEnvelope::TxFeeBump(bump), &network)
    }
}

fn signatures(hash: &Hash, names: &[String]) -> VecM<DecoratedSignature, 20> {
    let signatures: Vec<DecoratedSignature> = names
        .iter()
        .map(|name| {
            let key = key_of(name);
            let public = key.verifying_key().to_bytes();
            DecoratedSignature {
                hint: SignatureHint([public[28], public[29], public[30], public[31]]),
                signature: Signature(key.sign(&hash.0).to_bytes().to_vec().try_into().unwrap()),
            }
        })
        .collect();
    signatures.try_into().unwrap()
}

/// Signs an authorisation entry as its account would.
pub fn authorize(
    entry: &mut SorobanAuthorizationEntry,
    network: &Network,
    name: &str,
    until: u32,
    nonce: i64,
) {
    let SorobanCredentials::Address(credentials) = &mut entry.credentials else {
        panic!("not an address's entry");
    };
    credentials.nonce = nonce;
    credentials.signature_expiration_ledger = until;
    let preimage = HashIdPreimage::SorobanAuthorization(HashIdPreimageSorobanAuthorization {
        network_id: network.id().clone(),
        nonce,
        signature_expiration_ledger: until,
        invocation: entry.root_invocation.clone(),
    });
    let key = key_of(name);
    let signature = key.sign(&sha256(&encode(&preimage))).to_bytes().to_vec();
    let bytes = |bytes: Vec<u8>| ScVal::Bytes(ScBytes(bytes.try_into().unwrap()));
    let map = ScMap::sorted_from([
        (
            ScVal::Symbol(symbol("public_key")),
            bytes(key.verifying_key().to_bytes().to_vec()),
        ),
        (ScVal::Symbol(symbol("signature")), bytes(signature)),
    ])
    .unwrap();
    credentials.signature =
        ScVal::Vec(Some(ScVec(vec![ScVal::Map(Some(map))].try_into().unwrap())));
}

pub struct Town {
    pub ledger: Ledger,
    pub network: Network,
    pub now_s: u64,
}

impl Town {
    /// The town as it is founded.
    pub fn new() -> Self {
        let network = Network::new("Town ; test");
        let snapshot = genesis(Arc::new(network.clone()), START_S, []).unwrap();
        let ledger = Ledger::new(snapshot).unwrap();
        let mut town = Self {
            ledger,
            network,
            now_s: START_S,
        };
        let root_key = town.network.root_key();
        let root = account_of(&root_key);
        let mut draft = town.draft_of(&root);
        for name in ["alice", "bob", "carol", "dave", "ivan"] {
            draft = draft.operation(create(name, 10_000 * XLM));
        }
        draft = draft.operation(create("poor", 2 * XLM));
        let mut v1 = TransactionV1Envelope {
            tx: draft.tx,
            signatures: VecM::default(),
        };
        let hash = Envelope::new(TransactionEnvelope::Tx(v1.clone()), &town.network)
            .hash()
            .clone();
        let public = root_key.verifying_key().to_bytes();
        v1.signatures = vec![DecoratedSignature {
            hint: SignatureHint([public[28], public[29], public[30], public[31]]),
            signature: Signature(
                root_key
                    .sign(&hash.0)
                    .to_bytes()
                    .to_vec()
                    .try_into()
                    .unwrap(),
            ),
        }]
        .try_into()
        .unwrap();
        town.must(Envelope::new(TransactionEnvelope::Tx(v1), &town.network));
        for name in ["alice", "bob"] {
            town.must(town.draft(name).operation(trust(usd(), 1_000 * XLM)).seal());
            town.must(
                town.draft("ivan")
                    .operation(pay(name, usd(), 500 * XLM))
                    .seal(),
            );
        }
        let deploy = OperationBody::InvokeHostFunction(InvokeHostFunctionOp {
            host_function: HostFunction::CreateContract(CreateContractArgs {
                contract_id_preimage: ContractIdPreimage::Asset(usd()),
                executable: ContractExecutable::StellarAsset,
            }),
            auth: VecM::default(),
        });
        town.must(town.prepared(town.draft("ivan").operation(deploy)).seal());
        town
    }

    /// The town with another ledger under it.
    pub fn moved_to(&self, snapshot: Snapshot) -> Self {
        Self {
            ledger: Ledger::new(snapshot).unwrap(),
            network: self.network.clone(),
            now_s: self.now_s,
        }
    }

    pub fn again(&self) -> Self {
        self.moved_to(self.ledger.snapshot().clone())
    }

    /// The same ledger with entries changed behind the rules' back.
    pub fn altered(&self, change: impl Fn(&LedgerKey, &mut Stored)) -> Self {
        let snapshot = self.ledger.snapshot();
        let entries = snapshot.entries().map(|(key, stored)| {
            let mut stored = stored.clone();
            change(key, &mut stored);
            (key.clone(), stored)
        });
        let header = snapshot.header().clone();
        self.moved_to(Snapshot::new(snapshot.network().clone(), header, entries).unwrap())
    }

    pub fn account(&self, account_id: &AccountId) -> AccountEntry {
        localnet::account::load(self.ledger.snapshot(), account_id).unwrap()
    }

    fn draft_of(&self, account_id: &AccountId) -> Draft {
        Draft {
            tx: Transaction {
                source_account: account_id.clone().into(),
                fee: 0,
                seq_num: SequenceNumber(self.account(account_id).seq_num.0 + 1),
                cond: Preconditions::None,
                memo: Memo::None,
                operations: VecM::default(),
                ext: TransactionExt::V0,
            },
            signers: Vec::new(),
            network: self.network.clone(),
        }
    }

    /// A transaction with the right sequence number, to be signed by its source.
    pub fn draft(&self, name: &str) -> Draft {
        self.draft_of(&id_of(name)).signed_by(&[name])
    }

    /// Simulates and fills in what the simulation says, as an SDK does.
    pub fn prepared(&self, draft: Draft) -> Draft {
        let envelope = draft.clone().seal();
        let request = Request {
            envelope: &envelope,
            auth_mode: AuthMode::Default,
            upgraded_auth: false,
            instruction_leeway: 0,
        };
        let simulated = match simulate(self.ledger.snapshot(), &request) {
            Ok(simulated) => simulated,
            Err(refused) => panic!("the simulation failed: {}", refused.error),
        };
        draft.with(|tx| {
            tx.fee += u32::try_from(simulated.data.resource_fee).unwrap();
            tx.ext = TransactionExt::V1(simulated.data);
            let mut operations = tx.operations.to_vec();
            if let (OperationBody::InvokeHostFunction(invoke), Some((_, auth))) =
                (&mut operations[0].body, simulated.invocation)
            {
                invoke.auth = auth.try_into().unwrap();
            }
            tx.operations = operations.try_into().unwrap();
        })
    }

    /// A prepared USD transfer of the sender's own.
    pub fn transfer(&self, from: &str, to: &str, amount: i64) -> Draft {
        self.prepared(
            self.draft(from)
                .operation(transfer(&self.network, from, to, amount)),
        )
    }

    pub fn try_send(&self, envelope: &Envelope) -> Result<(), Refusal> {
        self.ledger.check(envelope, ALLOWANCE_S)
    }

    /// Applies a transaction in a ledger of its own, whatever becomes of it.
    pub fn apply(&mut self, envelope: Envelope) -> TransactionResult {
        self.now_s += 5;
        let closed = self.ledger.close(self.now_s, vec![envelope]).unwrap();
        assert!(closed.left.is_empty());
        match (closed.applied.first(), closed.refused.first()) {
            (Some(applied), None) => applied.result.clone(),
            (None, Some((envelope, refusal))) => {
                refusal_result(self.ledger.snapshot(), envelope, refusal)
            }
            _ => panic!("neither applied nor refused"),
        }
    }

    pub fn must(&mut self, envelope: Envelope) -> TransactionResult {
        let result = self.apply(envelope);
        assert_eq!(code(&result), "TxSuccess");
        result
    }

    pub fn must_bump(&mut self, envelope: Envelope) -> TransactionResult {
        let result = self.apply(envelope);
        assert_eq!(code(&result), "TxFeeBumpInnerSuccess");
        result
    }

    pub fn usd_of(&self, name: &str) -> i64 {
        let key = localnet::asset::line_key(&id_of(name), &usd());
        match self
            .ledger
            .snapshot()
            .get(&key)
            .map(|stored| stored.entry.data.clone())
        {
            Some(LedgerEntryData::Trustline(line)) => line.balance,
            _ => panic!("{name} has no USD"),
        }
    }
}

fn operations(results: &[OperationResult]) -> String {
    let codes: Vec<String> = results
        .iter()
        .map(|result| match result {
            OperationResult::OpInner(inner) => {
                let text = format!("{inner:?}");
                // The hash of a success says nothing here.
                text.split("(Hash")
                    .next()
                    .unwrap()
                    .replace("Success(", "Success")
            }
            other => other.name().to_owned(),
        })
        .map(|text| {
            if text.contains("Success") {
                "ok".to_owned()
            } else {
                text
            }
        })
        .collect();
    codes.join(", ")
}

/// A result's codes in short: the transaction's, and those of its operations where it failed.
pub fn code(result: &TransactionResult) -> String {
    use InnerTransactionResultResult as Inner;
    use TransactionResultResult as Outer;
    match &result.result {
        Outer::TxFailed(results) => format!("TxFailed: {}", operations(results)),
        Outer::TxFeeBumpInnerFailed(pair) => match &pair.result.result {
            Inner::TxFailed(results) => format!("inner TxFailed: {}", operations(results)),
            inner => format!("inner {}", inner.name()),
        },
        other => other.name().to_owned(),
    }
}
