//! Issues operations and compares.

use std::collections::BTreeMap;
use std::rc::Rc;

use soroban_sdk::testutils::Address as _;
use soroban_sdk::token::TokenClient;
use soroban_sdk::xdr::ScAddress;
use soroban_sdk::{Address, Bytes, IntoVal, Map, Val, Vec as HostVec};
use vault::{
    ASSETS_PER_GROUP, Change, DAY_IN_LEDGERS, DataKey, EXIT_DELAY_SECONDS, SettlementBatch,
    SettlementInstruction,
};

use super::ledger::Ledger;
use super::ledger_reader::LedgerReader;
use super::model::{Batch, EngineChange, FEE_CAP_PPM, Model, No, Trade, Verdict};
use super::random::Random;
use crate::chain::{Authority, Chain, Outcome, Refusal, on, outcome, wasm};
use crate::encoding::{Deltas, Fees, encode_with, zigzag};

const USERS: usize = 40;
/// Two groups, the second one of a single asset.
const ASSETS: usize = 5;
/// One more token that is no asset of the vault.
const TOKENS: usize = ASSETS + 1;
/// The last one has no engine at first.
const CHANNELS: u32 = 3;
const ENGINES: usize = 3;
/// As many as a batch says that it has.
const TRADES: u32 = 7;
const PURSE: i128 = 1_000_000;

/// (operation, passed) → how often.
pub type Tally = BTreeMap<(&'static str, bool), u64>;

pub struct Caller {
    ledger: Rc<Ledger>,
    reader: LedgerReader,
    chain: Chain,
    users: Vec<Address>,
    tokens: Vec<Address>,
    /// The first one settles on channel 0, the second one on channel 1, as it begins.
    engines: Vec<Address>,
    treasury: Address,
    model: Model,
    random: Random,
    last_batch: Option<Batch>,
    /// Since somebody last tried to leave.
    changed: bool,
    tally: Tally,
}

thread_local! {
    /// What each run begins with: a vault with its engines and assets, and users who hold these and have no account yet.
    static FOUNDED: Caller = Caller::founded(&wasm(), Random::new(0));
}

/// Whom an operation is signed by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Signing {
    Right,
    /// By nobody, or one of two.
    Missing,
    /// By somebody else.
    Stranger,
    /// By the right ones, for something else.
    OtherArguments,
}

impl Caller {
    pub fn new(random: Random) -> Self {
        FOUNDED.with(|founded| {
            let ledger = Rc::new(Ledger::clone(&founded.ledger));
            let chain = founded.chain.resumed(ledger.clone());
            chain.share_code_with(&founded.chain);
            Self {
                reader: founded.reader.clone(),
                users: moved(&founded.users, &chain),
                tokens: moved(&founded.tokens, &chain),
                engines: moved(&founded.engines, &chain),
                treasury: on(&chain.env, &founded.treasury),
                model: founded.model.clone(),
                ledger,
                chain,
                random,
                last_batch: None,
                changed: false,
                tally: BTreeMap::new(),
            }
        })
    }

    /// With other code, perhaps.
    pub fn founded(code: &[u8], random: Random) -> Self {
        let (chain, mut tokens) = Chain::with_assets_of(code, ASSETS as u32);
        tokens.push(chain.classic_asset());
        let users = (0..USERS)
            .map(|_| chain.holder(&tokens, PURSE))
            .collect::<Vec<_>>();
        let engines = [
            chain.engine.clone(),
            Address::generate(&chain.env),
            Address::generate(&chain.env),
        ];
        let treasury = Address::generate(&chain.env);
        for change in [
            Change::Engine(1, engines[1].clone()),
            Change::FeeCap(FEE_CAP_PPM),
            Change::Treasury(treasury.clone()),
        ] {
            chain.apply(&change).unwrap();
        }
        let mut model = Model {
            assets: ASSETS,
            engines: BTreeMap::from([(0, 0), (1, 1)]),
            ..Model::default()
        };
        for user in 0..USERS {
            for token in 0..TOKENS {
                model.purses.insert((user, token), PURSE);
            }
        }
        let ledger = Rc::new(Ledger::default());
        let mut reader = LedgerReader::new(&chain.vault.address);
        ledger.take(&chain, &mut reader);
        Self {
            ledger,
            reader,
            chain,
            users,
            tokens,
            engines: engines.to_vec(),
            treasury,
            model,
            random,
            last_batch: None,
            changed: false,
            tally: BTreeMap::new(),
        }
    }

    /// Keeps what the host has written, and goes on with another one.
    fn close(&mut self) {
        self.changed |= self.ledger.take(&self.chain, &mut self.reader);
        self.chain = self.chain.resumed(self.ledger.clone());
        self.users = moved(&self.users, &self.chain);
        self.tokens = moved(&self.tokens, &self.chain);
        self.engines = moved(&self.engines, &self.chain);
        self.treasury = on(&self.chain.env, &self.treasury);
    }

    pub fn step(&mut self) {
        match self.random.below(100) {
            0..18 => self.deposit(),
            18..23 => self.collect(),
            23..32 => self.withdraw(),
            32..48 => self.settle_trade(),
            48..70 => self.settle_batch(),
            70..74 => self.replay(),
            74..86 => self.exit(),
            86..90 => self.pause(),
            90..94 => self.change_engine(),
            _ => self.pass_time(),
        }
    }

    /// Whatever happened before: a user takes all that he has of an asset home, without asking anybody. Tried beside the ledger, which
    /// knows nothing of it, and not again where the last operation has changed nothing, not even the time.
    pub fn an_exit_is_possible(&mut self) {
        let holdings = self.holdings();
        if holdings.is_empty() || !std::mem::take(&mut self.changed) {
            return;
        }
        let (user, asset) = holdings[self.random.index(holdings.len())];
        let waits = self.random.chance(50);
        let beside = self.chain.resumed(self.ledger.clone());
        beside.tell_nothing();
        let (address, token) = (
            &on(&beside.env, &self.users[user]),
            &on(&beside.env, &self.tokens[asset]),
        );
        let balance = self.model.balance(user, asset);
        let (amount, due) = match self.model.exits.get(&(user, asset)) {
            Some(exit) if waits => *exit,
            known => {
                if known.is_some() {
                    assert_eq!(beside.cancel_request(address, token), Ok(()));
                }
                let exit = beside.request(address, token, i128::MAX);
                let exit = exit.unwrap_or_else(|no| panic!("user {user}, asset {asset}: {no:?}"));
                (exit.amount, exit.due)
            }
        };
        let amount = amount.min(balance);
        beside.pass(1, due.saturating_sub(self.now()).max(1));
        assert_eq!(
            beside.claim(address, token),
            Ok(amount),
            "user {user}, asset {asset}"
        );
        let mut reader = LedgerReader::new(&beside.vault.address);
        Ledger::default().take(&beside, &mut reader);
        assert_eq!(
            reader.held(address, token),
            self.model.purse(user, asset) + amount,
            "user {user} has got asset {asset}"
        );
        beside.hand_code_to(&self.chain);
    }

    /// Whatever happened before: everybody takes everything home, without asking anybody.
    pub fn everybody_leaves(&mut self) {
        let holdings = self.holdings();
        for &(user, asset) in &holdings {
            self.close();
            self.chain.tell_nothing();
            let (address, token) = (&self.users[user], &self.tokens[asset]);
            if self.model.exits.remove(&(user, asset)).is_some() {
                assert_eq!(self.chain.cancel_request(address, token), Ok(()));
            }
            assert!(self.chain.request(address, token, i128::MAX).is_ok());
        }
        self.chain.pass(1, EXIT_DELAY_SECONDS);
        for &(user, asset) in &holdings {
            self.close();
            self.chain.tell_nothing();
            let (address, token) = (&self.users[user], &self.tokens[asset]);
            let balance = self.model.balance(user, asset);
            assert_eq!(self.chain.claim(address, token), Ok(balance));
            self.model.leave(user, asset, balance);
        }
        for (channel, asset) in self.model.fees.keys().copied().collect::<Vec<_>>() {
            let fees = self.model.fees[&(channel, asset)];
            let collected = self
                .chain
                .collect_by(&self.treasury, channel, &self.tokens[asset]);
            assert_eq!(collected, Ok(fees));
        }
        for token in &self.tokens {
            assert_eq!(self.chain.held(&self.chain.vault.address, token), 0);
        }
        self.close();
        let mut anew = LedgerReader::new(&self.chain.vault.address);
        self.ledger.read(&mut anew);
        assert_eq!(anew, self.reader, "an entry changed unseen");
        for (&(user, asset), &purse) in &self.model.purses {
            assert_eq!(anew.held(&self.users[user], &self.tokens[asset]), purse);
        }
    }

    /// The books against the model, and against what the vault holds.
    pub fn check(&mut self) {
        self.close();
        let accounts = u32::try_from(self.model.accounts.len()).expect("few accounts");
        let (vault, ledger) = (&self.chain.vault.address, &self.reader);
        let books = ledger.books(accounts, ASSETS as u32);
        let mut sums = [0_i128; ASSETS];
        for (&(account, asset), &balance) in &books.balances {
            assert!(
                balance >= 0,
                "account {account} has {balance} of asset {asset}"
            );
            let user = self.model.accounts.get(account as usize);
            let asset = asset as usize;
            let expected = user.map_or(0, |user| self.model.balance(*user, asset));
            assert_eq!(balance, expected, "account {account}, asset {asset}");
            if let Some(sum) = sums.get_mut(asset) {
                *sum += balance;
            }
        }
        let booked: i128 = self.model.balances.values().sum();
        assert_eq!(booked, sums.iter().sum::<i128>(), "a balance has no page");
        for channel in 0..CHANNELS {
            let fees = ledger.fees(channel);
            let of_channel = |(at, _): &(&(u32, usize), &i128)| at.0 == channel;
            let expected = self.model.fees.iter().filter(of_channel);
            let expected = expected.map(|(&(_, asset), &amount)| (asset, amount));
            assert_eq!(fees, expected.collect::<BTreeMap<_, _>>());
            for (asset, amount) in fees {
                sums[asset] += amount;
            }
        }
        for (asset, token) in self.tokens.iter().enumerate() {
            let collected = self.model.treasury.get(&asset).copied().unwrap_or(0);
            assert_eq!(ledger.held(&self.treasury, token), collected);
        }
        for (token, sum) in self.tokens.iter().zip(sums) {
            assert_eq!(
                ledger.held(vault, token),
                sum,
                "what the vault holds is what it owes"
            );
        }
        assert_eq!(ledger.account_count(), accounts);
        let exits = books
            .exits
            .iter()
            .map(|(&(account, asset), exit)| {
                let user = self.model.accounts[account as usize];
                ((user, asset as usize), *exit)
            })
            .collect::<BTreeMap<_, _>>();
        assert_eq!(exits, self.model.exits);
        for channel in 0..CHANNELS {
            assert_eq!(ledger.cursor(channel), self.model.cursor(channel));
            let expected = self.model.engines.get(&channel);
            let expected = expected.map(|engine| ScAddress::from(&self.engines[*engine]));
            assert_eq!(ledger.engine(channel), expected);
        }
    }

    /// How often each operation passed and was refused.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    fn compare<T: std::fmt::Debug>(
        &mut self,
        operation: &'static str,
        what: &str,
        outcome: Outcome<T>,
        signed: bool,
        apply: impl FnOnce(&mut Model) -> Verdict,
    ) {
        let mut after = self.model.clone();
        let verdict = apply(&mut after);
        let verdict = if signed { verdict } else { Err(No::Authority) };
        match (&outcome, verdict) {
            (Ok(_), Ok(())) => self.model = after,
            (Err(Refusal::Host), Err(No::Authority)) => {}
            // A token refuses before the vault does where the transfer below is not authorised.
            (Err(Refusal::Contract(_)), Err(_)) => {}
            _ => panic!("{operation} {what}: the contract says {outcome:?}, the model {verdict:?}"),
        }
        *self.tally.entry((operation, outcome.is_ok())).or_default() += 1;
    }

    fn signing(&mut self) -> Signing {
        match self.random.below(100) {
            0..82 => Signing::Right,
            82..88 => Signing::Missing,
            88..94 => Signing::Stranger,
            _ => Signing::OtherArguments,
        }
    }

    /// Mostly small, sometimes all there is, one too many, or nonsense.
    fn amount(&mut self, available: i128) -> i128 {
        match self.random.below(20) {
            0 => available,
            1 => available + 1,
            2 => 0,
            3 => -i128::from(self.random.below(1_000)),
            4 => i128::MAX,
            _ => i128::from(self.random.below(5_000)) % available.max(1) + 1,
        }
    }

    /// A user who has an account, if there is one; sometimes any.
    fn trader(&mut self) -> usize {
        if self.model.accounts.is_empty() || self.random.chance(5) {
            return self.random.index(USERS);
        }
        self.model.accounts[self.random.index(self.model.accounts.len())]
    }

    fn asset(&mut self) -> usize {
        if self.random.chance(3) {
            ASSETS
        } else {
            self.random.index(ASSETS)
        }
    }

    /// Every user and asset of which the user has some.
    fn holdings(&self) -> Vec<(usize, usize)> {
        let balances = self.model.balances.iter();
        balances
            .filter(|(_, balance)| **balance > 0)
            .map(|(holding, _)| *holding)
            .collect()
    }

    /// A user and an asset of which the user has some; sometimes, or if nobody has any, any.
    fn holding(&mut self) -> (usize, usize) {
        let holdings = self.holdings();
        if holdings.is_empty() || self.random.chance(10) {
            return (self.trader(), self.asset());
        }
        holdings[self.random.index(holdings.len())]
    }

    fn deposit(&mut self) {
        let user = self.random.index(USERS);
        let asset = self.asset();
        let amount = self.amount(self.model.purse(user, asset));
        let signing = self.signing();
        let stranger = (user + 1 + self.random.index(USERS - 1)) % USERS;
        let (chain, address, token) = (&self.chain, &self.users[user], &self.tokens[asset]);
        let mut authority = chain.deposit_authority(address, token, amount);
        match signing {
            Signing::Right => chain.authorise(&[authority]),
            Signing::Missing => chain.authorise(&[]),
            Signing::Stranger => {
                authority.address = &self.users[stranger];
                chain.authorise(&[authority]);
            }
            Signing::OtherArguments => {
                let other = chain.deposit_authority(address, token, amount ^ 1);
                chain.authorise(&[other]);
            }
        }
        let outcome = outcome!(chain.vault.try_deposit(address, token, &amount));
        let what = format!("of {amount} of asset {asset} by user {user}, signed: {signing:?}");
        self.compare(
            "deposit",
            &what,
            outcome,
            signing == Signing::Right,
            |model| model.deposit(user, asset, amount),
        );
    }

    fn withdraw(&mut self) {
        let (user, asset) = self.holding();
        let amount = self.amount(self.model.balance(user, asset));
        let signing = self.signing();
        let stranger = (user + 1 + self.random.index(USERS - 1)) % USERS;
        let without_engine = self.random.chance(50);
        let engine = self.engine(0);
        let (chain, address, token) = (&self.chain, &self.users[user], &self.tokens[asset]);
        let arguments: HostVec<Val> = (address, token, amount).into_val(&chain.env);
        let by = |signer, arguments: &HostVec<Val>| chain.by(signer, "withdraw", arguments.clone());
        match signing {
            Signing::Right => {
                chain.authorise(&[by(address, &arguments), by(&engine, &arguments)]);
            }
            Signing::Missing if without_engine => chain.authorise(&[by(address, &arguments)]),
            Signing::Missing => chain.authorise(&[by(&engine, &arguments)]),
            Signing::Stranger => chain.authorise(&[
                by(&self.users[stranger], &arguments),
                by(&engine, &arguments),
            ]),
            Signing::OtherArguments => {
                let other: HostVec<Val> = (address, token, amount ^ 1).into_val(&chain.env);
                chain.authorise(&[by(address, &arguments), by(&engine, &other)]);
            }
        }
        let outcome = outcome!(chain.vault.try_withdraw(address, token, &amount));
        let what = format!("of {amount} of asset {asset} by user {user}, signed: {signing:?}");
        self.compare(
            "withdraw",
            &what,
            outcome,
            signing == Signing::Right,
            |model| model.withdraw(user, asset, amount),
        );
    }

    fn settle_trade(&mut self) {
        let ((seller, base), (buyer, quote)) = (self.holding(), self.holding());
        let now = self.now();
        let ledger = self.chain.env.ledger().sequence();
        let engine = self.engine(0);
        let trade = Trade {
            id: self.random.below(120) as u8,
            buyer,
            seller,
            base,
            quote,
            base_amount: self.amount(self.model.balance(seller, base)),
            quote_amount: self.amount(self.model.balance(buyer, quote)),
            timestamp: match self.random.below(20) {
                0 => now - vault::PAST_WINDOW_SECONDS - 1,
                1 => now + vault::FUTURE_WINDOW_SECONDS + 1,
                2 => now - vault::PAST_WINDOW_SECONDS,
                3 => now + vault::FUTURE_WINDOW_SECONDS,
                _ => now - self.random.below(600),
            },
        };
        let signing = self.signing();
        let chain = &self.chain;
        let instruction = |base_amount: i128| SettlementInstruction {
            trade_id: chain.bytes32(trade.id),
            buyer: self.users[buyer].clone(),
            seller: self.users[seller].clone(),
            base_asset: self.tokens[base].clone(),
            quote_asset: self.tokens[quote].clone(),
            base_amount,
            quote_amount: trade.quote_amount,
            timestamp: trade.timestamp,
        };
        let by = |signer, instruction: SettlementInstruction| -> Authority {
            chain.by(signer, "settle_trade", (instruction,).into_val(&chain.env))
        };
        let right = instruction(trade.base_amount);
        match signing {
            Signing::Right => chain.authorise(&[by(&engine, right.clone())]),
            Signing::Missing => chain.authorise(&[]),
            Signing::Stranger => chain.authorise(&[by(&self.users[buyer], right.clone())]),
            Signing::OtherArguments => {
                chain.authorise(&[by(&engine, instruction(trade.base_amount ^ 1))]);
            }
        }
        let outcome = outcome!(chain.vault.try_settle_trade(&right));
        let what = format!("{right:?}, signed: {signing:?}");
        self.compare(
            "settle_trade",
            &what,
            outcome,
            signing == Signing::Right,
            |model| model.settle_trade(&trade, now, ledger),
        );
    }

    fn settle_batch(&mut self) {
        let mut deltas = self.netted_trades();
        if self.random.chance(25) {
            self.damage(&mut deltas);
        }
        let channel = match self.random.below(20) {
            0 => 2,
            1..8 => 1,
            _ => 0,
        };
        let (epoch, sequence) = self.model.cursor(channel);
        let batch = Batch {
            channel,
            epoch: epoch + self.random.below(2) - u64::from(epoch > 0 && self.random.chance(6)),
            sequence: match self.random.below(20) {
                0 => sequence,
                1 => sequence + 2,
                _ => sequence + 1,
            },
            trade_count: u32::from(!self.random.chance(3)) * TRADES,
            deltas,
        };
        let signing = self.signing();
        self.submit(&batch, signing);
    }

    /// The last batch that passed, as it was, with all the authority it had.
    fn replay(&mut self) {
        if let Some(last) = self.last_batch.clone() {
            self.submit(&last, Signing::Right);
        }
    }

    fn submit(&mut self, batch: &Batch, signing: Signing) {
        let now = self.now();
        let engine = self.engine(batch.channel);
        let stranger = match self.random.below(3) {
            0 => self.chain.admin.clone(),
            // That of another channel, or of none.
            _ => self.other_engine(batch.channel),
        };
        let chain = &self.chain;
        let signed = SettlementBatch {
            channel: batch.channel,
            epoch: batch.epoch,
            sequence: batch.sequence,
            state_root: chain.bytes32(0x5a),
            trades_root: chain.bytes32(0xa5),
            trade_count: batch.trade_count,
            deltas: Bytes::from_slice(&chain.env, &batch.deltas),
        };
        match signing {
            Signing::Right => chain.authorise(&[chain.batch_authority(&engine, &signed)]),
            Signing::Missing => chain.authorise(&[]),
            Signing::Stranger => chain.authorise(&[chain.batch_authority(&stranger, &signed)]),
            Signing::OtherArguments => {
                let mut other = signed.clone();
                other.deltas.push_back(0);
                chain.authorise(&[chain.batch_authority(&engine, &other)]);
            }
        }
        let outcome = outcome!(chain.vault.try_settle_batch(&signed));
        if outcome.is_ok() {
            self.last_batch = Some(batch.clone());
        }
        let what = format!(
            "{} of epoch {}, deltas {:02x?}, signed: {signing:?}",
            batch.sequence, batch.epoch, batch.deltas
        );
        self.compare(
            "settle_batch",
            &what,
            outcome,
            signing == Signing::Right,
            |model| model.settle_batch(batch, now),
        );
    }

    /// The channel's engine, or any where it has none.
    fn engine(&self, channel: u32) -> Address {
        let engine = self.model.engines.get(&channel).copied().unwrap_or(0);
        self.engines[engine].clone()
    }

    fn other_engine(&mut self, channel: u32) -> Address {
        let engine = self.model.engines.get(&channel).copied().unwrap_or(0);
        self.engines[(engine + 1 + self.random.index(ENGINES - 1)) % ENGINES].clone()
    }

    /// A holding with a request, mostly, where there is one.
    fn leaving(&mut self) -> (usize, usize) {
        let leaving = self.model.exits.keys().copied().collect::<Vec<_>>();
        if leaving.is_empty() || self.random.chance(15) {
            return self.holding();
        }
        leaving[self.random.index(leaving.len())]
    }

    /// A request, its end, or its claim.
    fn exit(&mut self) {
        let now = self.now();
        let signing = self.signing();
        let kind = self.random.below(10);
        let (user, asset) = if kind < 5 {
            self.holding()
        } else {
            self.leaving()
        };
        let amount = self.amount(self.model.balance(user, asset));
        let stranger = (user + 1 + self.random.index(USERS - 1)) % USERS;
        let (chain, address, token) = (&self.chain, &self.users[user], &self.tokens[asset]);
        let function = match kind {
            0..5 => "request_withdraw",
            5 => "cancel_request",
            _ => "claim_withdraw",
        };
        let arguments = |token: &Address| -> HostVec<Val> {
            if kind < 5 {
                (address, token, amount).into_val(&chain.env)
            } else {
                (address, token).into_val(&chain.env)
            }
        };
        match signing {
            Signing::Right => chain.authorise(&[chain.by(address, function, arguments(token))]),
            Signing::Missing => chain.authorise(&[]),
            Signing::Stranger => {
                let stranger = &self.users[stranger];
                chain.authorise(&[chain.by(stranger, function, arguments(token))]);
            }
            Signing::OtherArguments => {
                let other = &self.tokens[(asset + 1) % TOKENS];
                chain.authorise(&[chain.by(address, function, arguments(other))]);
            }
        }
        let what = format!("of {amount} of asset {asset} by user {user}, signed: {signing:?}");
        let signed = signing == Signing::Right;
        match kind {
            0..5 => {
                let outcome = outcome!(chain.vault.try_request_withdraw(address, token, &amount));
                self.compare("request", &what, outcome, signed, |model| {
                    model.request(user, asset, amount, now)
                });
            }
            5 => {
                let outcome = outcome!(chain.vault.try_cancel_request(address, token));
                self.compare("cancel", &what, outcome, signed, |model| {
                    model.cancel(user, asset)
                });
            }
            _ => {
                let outcome = outcome!(chain.vault.try_claim_withdraw(address, token));
                self.compare("claim", &what, outcome, signed, |model| {
                    model.claim(user, asset, now)
                });
            }
        }
    }

    /// Of all or of an asset, by the one who may or by an engine; what is paused is mostly let go on soon.
    fn pause(&mut self) {
        let stopped = self.model.paused_assets.iter().copied().collect::<Vec<_>>();
        let any = self.model.paused || !stopped.is_empty();
        let paused = !any || self.random.chance(20);
        let asset = match (paused, stopped.first()) {
            (true, _) if self.random.chance(40) => None,
            (true, _) => Some(self.asset()),
            (false, Some(asset)) if !self.model.paused => Some(*asset),
            (false, _) => None,
        };
        let signed = self.random.chance(90);
        let chain = &self.chain;
        let signer = if signed { &chain.admin } else { &chain.engine };
        let token = asset.map(|asset| &self.tokens[asset]);
        let outcome = if paused {
            chain.pause_by(signer, token)
        } else {
            chain.unpause_by(signer, token)
        };
        let what = format!("of asset {asset:?}: {paused}, signed: {signed}");
        self.compare("pause", &what, outcome, signed, |model| {
            model.pause(asset, paused)
        });
    }

    /// A step of another engine's way to a channel.
    fn change_engine(&mut self) {
        let now = self.now();
        let any = EngineChange {
            channel: self.random.below(u64::from(CHANNELS)) as u32,
            engine: self.random.index(ENGINES),
        };
        let announced = self.model.changes.first().map(|(change, _)| *change);
        let change = announced.filter(|_| self.random.chance(60)).unwrap_or(any);
        let step = self.random.below(10);
        let signed = self.random.chance(85);
        let chain = &self.chain;
        let signer = if signed {
            &chain.admin
        } else {
            &self.engines[1]
        };
        let wanted = Change::Engine(change.channel, self.engines[change.engine].clone());
        let what = format!("{change:?}, signed: {signed}");
        match step {
            0..5 => {
                let outcome = chain.announce_by(signer, &wanted);
                self.compare("announce", &what, outcome, signed, |model| {
                    model.announce(change, now)
                });
            }
            5 => {
                let outcome = chain.cancel_by(signer, &wanted);
                self.compare("cancel_change", &what, outcome, signed, |model| {
                    model.cancel_change(change, now)
                });
            }
            _ => {
                let outcome = chain.apply_by(signer, &wanted);
                self.compare("apply_change", &what, outcome, signed, |model| {
                    model.apply_change(change, now)
                });
            }
        }
    }

    /// By the treasury, or by somebody whose fees they are not.
    fn collect(&mut self) {
        let any = (self.random.below(2) as u32, self.asset());
        let waiting = self.model.fees.keys().next().copied();
        let (channel, asset) = waiting.filter(|_| self.random.chance(80)).unwrap_or(any);
        let signed = self.random.chance(85);
        let chain = &self.chain;
        let signer = if signed { &self.treasury } else { &chain.admin };
        let outcome = chain.collect_by(signer, channel, &self.tokens[asset]);
        let what = format!("of asset {asset} and channel {channel}, signed: {signed}");
        self.compare("collect", &what, outcome, signed, |model| {
            model.collect(channel, asset)
        });
    }

    /// Takes fees of what accounts receive: within the cap, mostly, or a unit above it.
    fn charge(&mut self, received: &BTreeMap<u32, (u32, i128)>, deltas: &mut Deltas) -> Fees {
        let mut fees = Fees::new();
        for (&asset, &(to, turnover)) in received {
            let most = turnover * i128::from(FEE_CAP_PPM) / 1_000_000 + i128::from(TRADES);
            let most = most.min(turnover);
            let amount = match self.random.below(60) {
                0..3 => most + 1,
                3..15 => most,
                15..50 => i128::from(self.random.below(most as u64) + 1),
                _ => continue,
            };
            *deltas.entry((to, asset)).or_default() -= amount;
            fees.insert(asset, (amount, turnover));
        }
        fees
    }

    /// Some trades between accounts, netted, with fees on some; mostly covered by what the accounts have.
    fn netted_trades(&mut self) -> Vec<u8> {
        let accounts = self.model.accounts.len() as u64;
        let mut deltas = Deltas::new();
        let mut received = BTreeMap::<u32, (u32, i128)>::new();
        if accounts == 0 {
            return Vec::new();
        }
        for _ in 0..self.random.below(12) {
            let [from, to] = [(); 2].map(|()| self.random.below(accounts) as u32);
            let asset = self.random.index(ASSETS);
            let balance = self
                .model
                .balance(self.model.accounts[from as usize], asset);
            let amount = match self.random.below(40) {
                0 => balance + 1,
                1 => balance,
                _ => balance / 20,
            };
            *deltas.entry((from, asset as u32)).or_default() -= amount;
            *deltas.entry((to, asset as u32)).or_default() += amount;
            if amount > 0 {
                let (receiver, turnover) = received.entry(asset as u32).or_default();
                *receiver = to;
                *turnover += amount;
            }
        }
        let fees = self.charge(&received, &mut deltas);
        encode_with(&deltas, &fees)
    }

    /// Something that an encoder would not write, or that the books do not allow.
    fn damage(&mut self, deltas: &mut Vec<u8>) {
        let position = self.random.index(deltas.len().max(1));
        match self.random.below(6) {
            0 => deltas.truncate(position),
            1 => deltas.push(self.random.next() as u8),
            2 if !deltas.is_empty() => deltas[position] ^= 1 << self.random.below(8),
            3 if !deltas.is_empty() => drop(deltas.remove(position)),
            4 => deltas.insert(position, self.random.next() as u8),
            // Money from nowhere, to an account or beyond the last one, in a group that may be there already.
            _ => {
                let group = self.random.below(3) as u8;
                let account = self.random.below(USERS as u64 + 3) as u8;
                deltas.extend([
                    group,
                    1,
                    account,
                    1 << self.random.below(u64::from(ASSETS_PER_GROUP)),
                ]);
                deltas.extend(zigzag(1_000));
            }
        }
    }

    fn now(&self) -> u64 {
        self.chain.env.ledger().timestamp()
    }

    /// Mostly a ledger; sometimes what makes exits and changes due, forgets trades, or sends what nobody touched to the archive.
    fn pass_time(&mut self) {
        self.changed = true;
        match self.random.below(20) {
            0..9 => self.chain.pass(1, 5),
            9..12 => self.pass_to_due(),
            12..15 => self.chain.pass(1, 6 * 3_600),
            15..19 => self.chain.pass(DAY_IN_LEDGERS, 5),
            _ => self.chain.pass(130 * DAY_IN_LEDGERS, 5),
        }
    }

    /// To the second in which the next request or change is due, or the one before.
    fn pass_to_due(&mut self) {
        let (now, early) = (self.now(), self.random.below(2));
        let requests = self.model.exits.values().map(|(_, due)| *due);
        let changes = self.model.changes.iter().map(|(_, due)| *due);
        let next = requests.chain(changes).filter(|due| *due > now + 1).min();
        let seconds = next.map_or(5, |due| due - early - now);
        self.chain.pass(1, seconds);
    }

    pub fn donate(&self) {
        self.chain
            .mint(&self.tokens[0], &self.chain.vault.address, 1);
    }

    pub fn forge_fees(&self) {
        let env = &self.chain.env;
        env.as_contract(&self.chain.vault.address, || {
            let fees = Map::from_array(env, [(0_u32, 1_i128)]);
            env.storage().persistent().set(&DataKey::Fees(2), &fees);
        });
    }

    pub fn forge_balance(&self) {
        self.change_first_page(|page| page[15] ^= 1);
    }

    pub fn shift_balance(&self) {
        self.change_first_page(|page| page.rotate_left(64));
    }

    /// Everything that the vault holds goes elsewhere.
    pub fn lose_money(&mut self) {
        let (chain, vault) = (&self.chain, &self.chain.vault.address);
        for token in &self.tokens {
            let held = chain.held(vault, token);
            chain.env.as_contract(vault, || {
                TokenClient::new(&chain.env, token).transfer(vault, &chain.admin, &held);
            });
        }
        self.close();
    }

    fn change_first_page(&self, change: impl FnOnce(&mut [u8])) {
        let env = &self.chain.env;
        env.as_contract(&self.chain.vault.address, || {
            let storage = env.storage().persistent();
            let page: Bytes = storage.get(&0_u64).expect("there is a first page");
            let mut content: Vec<u8> = page.iter().collect();
            change(&mut content);
            storage.set(&0_u64, &Bytes::from_slice(env, &content));
        });
    }
}

/// The same addresses on another chain's host.
fn moved(addresses: &[Address], chain: &Chain) -> Vec<Address> {
    let moved = addresses.iter().map(|address| on(&chain.env, address));
    moved.collect()
}
