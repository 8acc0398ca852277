//! A ledger with the compiled contract on it, and calls that carry exactly the authority a test gives them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use soroban_env_host::DiagnosticLevel;
use soroban_sdk::testutils::{
    Address as _, EnvTestConfig, Ledger as _, MockAuth, MockAuthContract, MockAuthInvoke,
    SnapshotSource, SnapshotSourceInput,
};
use soroban_sdk::token::{StellarAssetClient, TokenClient};
use soroban_sdk::xdr::{ScAddress, SorobanAuthorizationEntry, SorobanCredentials};
use soroban_sdk::{Address, Bytes, BytesN, Env, IntoVal, TryFromVal as _, Val, Vec as HostVec};
use vault::{Exit, SettlementBatch, SettlementInstruction, VaultClient};

use crate::digest;

pub const START_TIME: u64 = 1_790_000_000;

/// What a refused call came back with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// One of the contract's own errors.
    Contract(vault::Error),
    /// The host's: missing authority, or a trap.
    Host,
}

pub type Outcome<T> = Result<T, Refusal>;

/// Flattens what a generated `try_` call returns.
macro_rules! outcome {
    ($call:expr) => {
        match $call {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(_)) => panic!("the contract returned a value of another type"),
            Err(Ok(error)) => Err($crate::chain::Refusal::Contract(error)),
            Err(Err(_)) => Err($crate::chain::Refusal::Host),
        }
    };
}
pub(crate) use outcome;

/// One address's authority over one call and the calls below it.
pub struct Authority<'a> {
    pub address: &'a Address,
    pub function: &'a str,
    pub arguments: HostVec<Val>,
    pub below: Vec<MockAuthInvoke<'a>>,
}

pub struct Chain {
    pub env: Env,
    pub vault: VaultClient<'static>,
    pub admin: Address,
    pub engine: Address,
    introduced: RefCell<BTreeSet<ScAddress>>,
    /// The next nonce. An address signs with none twice, whichever host it is on.
    nonce: Rc<Cell<i64>>,
}

impl Chain {
    /// The public network's lifetimes, the contract, its engine, no assets.
    pub fn new() -> Self {
        Self::of(&wasm())
    }

    /// The same with other code.
    pub fn of(code: &[u8]) -> Self {
        let chain = Self::created(code);
        let engine = chain.engine.clone();
        chain.authorise(&[chain.by(
            &chain.admin,
            "set_matching_engine",
            (&engine,).into_val(&chain.env),
        )]);
        chain.vault.set_matching_engine(&engine);
        chain
    }

    pub fn without_engine() -> Self {
        Self::created(&wasm())
    }

    fn created(code: &[u8]) -> Self {
        let env = Env::new_with_config(EnvTestConfig {
            capture_snapshot_at_drop: false,
        });
        env.ledger().with_mut(|ledger| {
            ledger.sequence_number = 1_000;
            ledger.timestamp = START_TIME;
            ledger.min_persistent_entry_ttl = 2_073_600;
            ledger.min_temp_entry_ttl = 17_280;
            ledger.max_entry_ttl = 3_110_400;
        });
        let admin = Address::generate(&env);
        let engine = Address::generate(&env);
        let address = env.register(code, (&admin,));
        Self {
            vault: VaultClient::new(&env, &address),
            env,
            admin,
            engine,
            introduced: RefCell::default(),
            nonce: Rc::new(Cell::new(1)),
        }
    }

    /// The same contract at the same time on a host of its own, which finds on `ledger` whatever it reads. It takes over the code that
    /// this one's host has prepared.
    pub fn resumed(&self, ledger: Rc<dyn SnapshotSource>) -> Self {
        let mut env = Env::from_ledger_snapshot(SnapshotSourceInput {
            source: ledger,
            ledger_info: Some(self.env.ledger().get()),
            snapshot: None,
        });
        env.set_config(EnvTestConfig {
            capture_snapshot_at_drop: false,
        });
        let resumed = Self {
            vault: VaultClient::new(&env, &on(&env, &self.vault.address)),
            admin: on(&env, &self.admin),
            engine: on(&env, &self.engine),
            env,
            introduced: RefCell::default(),
            nonce: Rc::clone(&self.nonce),
        };
        self.hand_code_to(&resumed);
        resumed
    }

    /// Without diagnostic events, and without counting entries and bytes against the network's limits, which takes as long as a call.
    pub fn tell_nothing(&self) {
        let set = self.env.host().set_diagnostic_level(DiagnosticLevel::None);
        set.expect("a host can be quiet");
    }

    /// Preparing the contract's code takes longer than most calls. A host prepares what it misses.
    pub fn hand_code_to(&self, other: &Self) {
        let prepared = self.env.host().take_module_cache();
        let prepared = prepared.expect("a host that has been called has prepared code");
        let taken = other.env.host().set_module_cache(prepared);
        taken.expect("a host takes prepared code");
    }

    /// The same, for both to have it.
    pub fn share_code_with(&self, other: &Self) {
        let prepared = self.env.host().take_module_cache();
        let prepared = prepared.expect("a host that has been called has prepared code");
        for host in [self.env.host(), other.env.host()] {
            let taken = host.set_module_cache(prepared.clone());
            taken.expect("a host takes prepared code");
        }
    }

    /// Also registers `count` classic assets, and returns their contracts in the order of their asset index.
    pub fn with_assets(count: u32) -> (Self, Vec<Address>) {
        Self::with_assets_of(&wasm(), count)
    }

    /// The same with other code.
    pub fn with_assets_of(code: &[u8], count: u32) -> (Self, Vec<Address>) {
        let chain = Self::of(code);
        let tokens = (0..count)
            .map(|_| chain.classic_asset())
            .collect::<Vec<_>>();
        for token in &tokens {
            assert!(chain.add_asset(token).is_ok());
        }
        (chain, tokens)
    }

    pub fn classic_asset(&self) -> Address {
        let issuer = Address::generate(&self.env);
        self.env
            .register_stellar_asset_contract_v2(issuer)
            .address()
    }

    /// A new address that holds `amount` of each token.
    pub fn holder(&self, tokens: &[Address], amount: i128) -> Address {
        let user = Address::generate(&self.env);
        for token in tokens {
            self.mint(token, &user, amount);
        }
        user
    }

    /// A new account of the vault with `amount` of each token deposited.
    pub fn depositor(&self, tokens: &[Address], amount: i128) -> Address {
        let user = self.holder(tokens, amount);
        for token in tokens {
            assert!(self.deposit(&user, token, amount).is_ok());
        }
        user
    }

    pub fn mint(&self, token: &Address, to: &Address, amount: i128) {
        let client = StellarAssetClient::new(&self.env, token);
        let issuer = client.admin();
        self.introduce(&issuer);
        self.env.set_auths(&[self.signed(MockAuth {
            address: &issuer,
            invoke: &MockAuthInvoke {
                contract: token,
                fn_name: "mint",
                args: (to, amount).into_val(&self.env),
                sub_invokes: &[],
            },
        })]);
        client.mint(to, &amount);
        self.authorise(&[]);
    }

    pub fn by<'a>(
        &self,
        address: &'a Address,
        function: &'a str,
        arguments: HostVec<Val>,
    ) -> Authority<'a> {
        Authority {
            address,
            function,
            arguments,
            below: Vec::new(),
        }
    }

    /// A user's authority to deposit, which includes the transfer.
    pub fn deposit_authority<'a>(
        &'a self,
        user: &'a Address,
        token: &'a Address,
        amount: i128,
    ) -> Authority<'a> {
        Authority {
            address: user,
            function: "deposit",
            arguments: (user, token, amount).into_val(&self.env),
            below: vec![MockAuthInvoke {
                contract: token,
                fn_name: "transfer",
                args: (user, &self.vault.address, amount).into_val(&self.env),
                sub_invokes: &[],
            }],
        }
    }

    /// Makes the next call carry these authorities and no others.
    pub fn authorise(&self, authorities: &[Authority]) {
        for authority in authorities {
            self.introduce(authority.address);
        }
        let invokes = authorities
            .iter()
            .map(|authority| MockAuthInvoke {
                contract: &self.vault.address,
                fn_name: authority.function,
                args: authority.arguments.clone(),
                sub_invokes: &authority.below,
            })
            .collect::<Vec<_>>();
        let auths = authorities
            .iter()
            .zip(&invokes)
            .map(|(authority, invoke)| {
                self.signed(MockAuth {
                    address: authority.address,
                    invoke,
                })
            })
            .collect::<Vec<_>>();
        self.env.set_auths(&auths);
    }

    fn signed(&self, authority: MockAuth) -> SorobanAuthorizationEntry {
        let mut entry = SorobanAuthorizationEntry::from(authority);
        if let SorobanCredentials::Address(credentials) = &mut entry.credentials {
            credentials.nonce = self.nonce.get();
            self.nonce.set(credentials.nonce + 1);
        }
        entry
    }

    /// Puts a contract that agrees to whatever carries its authority at an address, once: what `mock_auths` does at every call, at the
    /// price of a call.
    fn introduce(&self, address: &Address) {
        if self.introduced.borrow_mut().insert(address.into()) {
            self.env.register_at(address, MockAuthContract, ());
        }
    }

    pub fn add_asset(&self, token: &Address) -> Outcome<u32> {
        self.authorise(&[self.by(&self.admin, "add_asset", (token,).into_val(&self.env))]);
        outcome!(self.vault.try_add_asset(token))
    }

    pub fn deposit(&self, user: &Address, token: &Address, amount: i128) -> Outcome<u32> {
        self.authorise(&[self.deposit_authority(user, token, amount)]);
        outcome!(self.vault.try_deposit(user, token, &amount))
    }

    pub fn withdraw(&self, user: &Address, token: &Address, amount: i128) -> Outcome<()> {
        let arguments: HostVec<Val> = (user, token, amount).into_val(&self.env);
        self.authorise(&[
            self.by(user, "withdraw", arguments.clone()),
            self.by(&self.engine, "withdraw", arguments),
        ]);
        outcome!(self.vault.try_withdraw(user, token, &amount))
    }

    pub fn request(&self, user: &Address, token: &Address, amount: i128) -> Outcome<Exit> {
        let arguments = (user, token, amount).into_val(&self.env);
        self.authorise(&[self.by(user, "request_withdraw", arguments)]);
        outcome!(self.vault.try_request_withdraw(user, token, &amount))
    }

    pub fn cancel_request(&self, user: &Address, token: &Address) -> Outcome<()> {
        let arguments = (user, token).into_val(&self.env);
        self.authorise(&[self.by(user, "cancel_request", arguments)]);
        outcome!(self.vault.try_cancel_request(user, token))
    }

    pub fn claim(&self, user: &Address, token: &Address) -> Outcome<i128> {
        let arguments = (user, token).into_val(&self.env);
        self.authorise(&[self.by(user, "claim_withdraw", arguments)]);
        outcome!(self.vault.try_claim_withdraw(user, token))
    }

    pub fn settle_trade(&self, trade: &SettlementInstruction) -> Outcome<()> {
        self.authorise(&[self.by(
            &self.engine,
            "settle_trade",
            (trade.clone(),).into_val(&self.env),
        )]);
        outcome!(self.vault.try_settle_trade(trade))
    }

    pub fn settle_batch(&self, batch: &SettlementBatch) -> Outcome<()> {
        self.authorise(&[self.batch_authority(&self.engine, batch)]);
        outcome!(self.vault.try_settle_batch(batch))
    }

    /// Authority over the batch's digest, which the test computes by its own means.
    pub fn batch_authority<'a>(
        &self,
        engine: &'a Address,
        batch: &SettlementBatch,
    ) -> Authority<'a> {
        let digest = BytesN::from_array(&self.env, &digest::of(batch));
        self.by(engine, "settle_batch", (digest,).into_val(&self.env))
    }

    /// The channel's next batch with these deltas.
    pub fn batch(&self, deltas: &[u8]) -> SettlementBatch {
        let channel = self.vault.get_channel(&0);
        SettlementBatch {
            channel: 0,
            epoch: channel.epoch,
            sequence: channel.sequence + 1,
            state_root: self.bytes32(0xaa),
            trades_root: self.bytes32(0xbb),
            trade_count: 1,
            deltas: Bytes::from_slice(&self.env, deltas),
        }
    }

    pub fn bytes32(&self, byte: u8) -> BytesN<32> {
        BytesN::from_array(&self.env, &[byte; 32])
    }

    pub fn balance(&self, user: &Address, token: &Address) -> i128 {
        self.vault.get_balance(user, token)
    }

    /// What the token's contract says an address holds.
    pub fn held(&self, holder: &Address, token: &Address) -> i128 {
        TokenClient::new(&self.env, token).balance(holder)
    }

    /// Lets `ledgers` ledgers close, `seconds` apart.
    pub fn pass(&self, ledgers: u32, seconds: u64) {
        self.env.ledger().with_mut(|ledger| {
            ledger.sequence_number += ledgers;
            ledger.timestamp += u64::from(ledgers) * seconds;
        });
    }
}

/// The same address on another host.
pub fn on(env: &Env, address: &Address) -> Address {
    Address::try_from_val(env, &ScAddress::from(address)).expect("a host knows any address")
}

pub fn wasm() -> Vec<u8> {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = crate_dir.join("../target/wasm32v1-none/release/vault.wasm");
    let built = std::fs::metadata(&path).and_then(|metadata| metadata.modified());
    let Ok(built) = built else {
        panic!("the contract is not built: run scripts/build-contract.sh, then the tests again");
    };
    if let Some(newer) = newer_source(&crate_dir.join("src"), built) {
        panic!(
            "{} is newer than the built contract: run scripts/build-contract.sh, then the tests again",
            newer.display()
        );
    }
    std::fs::read(&path).expect("the built contract can be read")
}

fn newer_source(dir: &Path, built: SystemTime) -> Option<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("the contract's sources can be listed");
    entries
        .flatten()
        .map(|entry| entry.path())
        .find_map(|path| {
            if path.is_dir() {
                return newer_source(&path, built);
            }
            let changed = std::fs::metadata(&path)
                .and_then(|metadata| metadata.modified())
                .expect("a source file has a time of change");
            (changed > built).then_some(path)
        })
}
