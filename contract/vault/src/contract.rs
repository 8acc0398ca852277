use soroban_sdk::{Address, BytesN, Env, Vec, contract, contractimpl};

use crate::balances::{self, Exit};
use crate::custody;
use crate::errors::Error;
use crate::events::{AdminSet, AssetAdded, IssuerFlagsSet, MatchingEngineSet, TradingKeySet};
use crate::exits;
use crate::fees;
use crate::governance::{self, Announcement, Change};
use crate::settlement::{self, SettlementBatch, SettlementInstruction};
use crate::storage::{self, Channel};
use crate::ttl;

/// Rises with every change of the interface or of what is stored.
const VERSION: u32 = 3;

/// The channel whose engine settles single trades and signs withdrawals.
const DEFAULT_CHANNEL: u32 = 0;

#[contract]
pub struct Vault;

#[contractimpl]
impl Vault {
    pub fn __constructor(env: Env, admin: Address) {
        storage::set_admin(&env, &admin);
        AdminSet { admin }.publish(&env);
    }

    // Administration

    /// Sets the engine of the default channel: at once as long as the vault has no accounts, and afterwards as any other change,
    /// which was announced and is due. The administrator's call.
    pub fn set_matching_engine(env: Env, matching_engine: Address) -> Result<(), Error> {
        Self::apply_change(env, Change::Engine(DEFAULT_CHANNEL, matching_engine))
    }

    /// Takes a channel's engine away, at once: nothing settles there any more. The administrator's call.
    pub fn remove_matching_engine(env: Env, channel: u32) -> Result<(), Error> {
        governance::require_admin(&env)?;
        ttl::extend_instance(&env);
        storage::remove_matching_engine(&env, channel);
        MatchingEngineSet {
            channel,
            matching_engine: None,
        }
        .publish(&env);
        Ok(())
    }

    /// Admits a token and returns its asset index: 0, 1, 2, … in the order of admission. The administrator's call.
    pub fn add_asset(env: Env, token: Address) -> Result<u32, Error> {
        governance::require_admin(&env)?;
        ttl::extend_instance(&env);
        if storage::asset_index(&env, &token).is_some() {
            return Err(Error::AssetAlreadyAdded);
        }
        if storage::asset_count(&env) >= storage::MAX_ASSETS {
            return Err(Error::AssetLimitReached);
        }
        custody::vault_balance(&env, &token)?;
        let asset = storage::add_asset(&env, &token);
        AssetAdded { token, asset }.publish(&env);
        Ok(asset)
    }

    /// Puts on record what the asset's issuer can do: the flags of its account (CAP-0001, CAP-0035), which a contract can't read. The
    /// administrator's call.
    pub fn set_issuer_flags(env: Env, token: Address, flags: u32) -> Result<(), Error> {
        governance::require_admin(&env)?;
        ttl::extend_instance(&env);
        let asset = storage::asset_index(&env, &token).ok_or(Error::UnknownAsset)?;
        storage::set_issuer_flags(&env, asset, flags);
        IssuerFlagsSet {
            token,
            asset,
            flags,
        }
        .publish(&env);
        Ok(())
    }

    // Governance: what could harm somebody is said long before it happens

    /// Announces a change, and returns from when on it may be applied, in Unix seconds. The administrator's call.
    pub fn announce_change(env: Env, change: Change) -> Result<u64, Error> {
        governance::require_admin(&env)?;
        ttl::extend_instance(&env);
        governance::announce(&env, change)
    }

    /// Takes an announcement back. The call of the administrator or the pauser, who says which; a pauser can't refuse another pauser.
    pub fn cancel_change(env: Env, caller: Address, change: Change) -> Result<(), Error> {
        ttl::extend_instance(&env);
        governance::cancel(&env, &caller, change)
    }

    /// Makes a change that was announced and is due. The administrator's call; that of the new one where that is the change.
    pub fn apply_change(env: Env, change: Change) -> Result<(), Error> {
        ttl::extend_instance(&env);
        governance::apply(&env, change)
    }

    /// Stops deposits and settlement, of one token or of all, at once. The pauser's call. Withdrawals, requests and claims go on.
    pub fn pause(env: Env, token: Option<Address>) -> Result<(), Error> {
        governance::require_pauser(&env)?;
        ttl::extend_instance(&env);
        governance::set_paused(&env, token, true)
    }

    /// Ends a pause. What was paused by itself has to be ended by itself. The administrator's call.
    pub fn unpause(env: Env, token: Option<Address>) -> Result<(), Error> {
        governance::require_admin(&env)?;
        ttl::extend_instance(&env);
        governance::set_paused(&env, token, false)
    }

    // Custody

    /// Moves tokens from the user into the vault and returns the user's account index. The user authorises this call, and with
    /// it the token transfer inside.
    pub fn deposit(env: Env, user: Address, token: Address, amount: i128) -> Result<u32, Error> {
        user.require_auth();
        ttl::extend_instance(&env);
        custody::deposit(&env, &user, &token, amount)
    }

    /// Moves tokens from the vault to the user. User and matching engine authorise this call together: the engine knows what open
    /// trades still need.
    pub fn withdraw(env: Env, user: Address, token: Address, amount: i128) -> Result<(), Error> {
        let engine = matching_engine(&env)?;
        user.require_auth();
        // The host refuses a second demand on the same address within a call.
        if engine != user {
            engine.require_auth();
        }
        ttl::extend_instance(&env);
        custody::withdraw(&env, &user, &token, amount)
    }

    // Exits: the user's own way out, which needs nobody else and which nobody can close

    /// Asks for `amount`, or for all there is where that is less. Returns what is asked for and from when on `claim_withdraw` pays
    /// it. Until then settlement may still use the money for trades that are on their way; afterwards it may not. One request an
    /// account and asset at a time.
    pub fn request_withdraw(
        env: Env,
        user: Address,
        token: Address,
        amount: i128,
    ) -> Result<Exit, Error> {
        user.require_auth();
        ttl::extend_instance(&env);
        exits::request(&env, &user, &token, amount)
    }

    /// Takes a request back.
    pub fn cancel_request(env: Env, user: Address, token: Address) -> Result<(), Error> {
        user.require_auth();
        ttl::extend_instance(&env);
        exits::cancel(&env, &user, &token)
    }

    /// Pays a request whose time has come, or what is there where that is less. Returns what was paid.
    pub fn claim_withdraw(env: Env, user: Address, token: Address) -> Result<i128, Error> {
        user.require_auth();
        ttl::extend_instance(&env);
        exits::claim(&env, &user, &token)
    }

    // Accounts

    /// Names the ed25519 key that signs the user's orders, or none. For contract accounts, which have no key of their own to sign
    /// messages with: the user authorises it as its own rules say.
    pub fn set_trading_key(env: Env, user: Address, key: Option<BytesN<32>>) -> Result<(), Error> {
        user.require_auth();
        ttl::extend_instance(&env);
        storage::set_trading_key(&env, &user, key.as_ref());
        TradingKeySet { user, key }.publish(&env);
        Ok(())
    }

    /// Keeps all that is an account's alive, as touching it does. Anybody's call.
    pub fn extend(env: Env, user: Address) -> Result<(), Error> {
        ttl::extend_instance(&env);
        let account = storage::account_index(&env, &user).ok_or(Error::UnknownAccount)?;
        storage::account_address(&env, account);
        storage::account_count(&env);
        storage::trading_key(&env, &user);
        balances::keep(&env, account, storage::asset_count(&env));
        Ok(())
    }

    // Settlement

    /// Settles one trade, once. The matching engine's call.
    pub fn settle_trade(env: Env, instruction: SettlementInstruction) -> Result<(), Error> {
        matching_engine(&env)?.require_auth();
        ttl::extend_instance(&env);
        settlement::settle_trade(&env, &instruction)
    }

    /// Settles a batch of netted trades, all or nothing. The call of the channel's engine, which authorises the batch's digest.
    pub fn settle_batch(env: Env, batch: SettlementBatch) -> Result<(), Error> {
        ttl::extend_instance(&env);
        settlement::settle_batch(&env, &batch)
    }

    // Fees

    /// Pays the treasury the fees that a channel's batches took of a token, and returns how much that was. The treasury's call, and
    /// nobody else is paid; also while the vault is paused.
    pub fn collect_fees(env: Env, channel: u32, token: Address) -> Result<i128, Error> {
        let treasury = storage::treasury(&env).ok_or(Error::TreasuryNotSet)?;
        treasury.require_auth();
        ttl::extend_instance(&env);
        fees::collect(&env, &treasury, channel, &token)
    }

    // Views

    /// What the user can withdraw or trade, in the token's smallest unit; 0 for somebody who never deposited.
    pub fn get_balance(env: Env, user: Address, token: Address) -> Result<i128, Error> {
        let asset = storage::asset_index(&env, &token).ok_or(Error::UnknownAsset)?;
        match storage::account_index(&env, &user) {
            Some(account) => balances::balance(&env, account, asset),
            None => Ok(0),
        }
    }

    /// The user's request for a token that is neither claimed nor cancelled.
    pub fn get_exit(env: Env, user: Address, token: Address) -> Result<Option<Exit>, Error> {
        let asset = storage::asset_index(&env, &token).ok_or(Error::UnknownAsset)?;
        match storage::account_index(&env, &user) {
            Some(account) => balances::exit(&env, account, asset),
            None => Ok(None),
        }
    }

    pub fn get_account_index(env: Env, user: Address) -> Option<u32> {
        storage::account_index(&env, &user)
    }

    pub fn get_account(env: Env, index: u32) -> Option<Address> {
        storage::account_address(&env, index)
    }

    pub fn get_account_count(env: Env) -> u32 {
        storage::account_count(&env)
    }

    /// All admitted tokens, in the order of their asset index.
    pub fn get_assets(env: Env) -> Vec<Address> {
        storage::assets(&env)
    }

    pub fn get_asset_index(env: Env, token: Address) -> Option<u32> {
        storage::asset_index(&env, &token)
    }

    /// What the asset's issuer could do when the administrator last put it on record.
    pub fn get_issuer_flags(env: Env, token: Address) -> Option<u32> {
        storage::issuer_flags(&env, storage::asset_index(&env, &token)?)
    }

    pub fn get_trading_key(env: Env, user: Address) -> Option<BytesN<32>> {
        storage::trading_key(&env, &user)
    }

    /// What the channel's last batch said; all zero before the first one.
    pub fn get_channel(env: Env, channel: u32) -> Channel {
        storage::channel(&env, channel).unwrap_or_else(|| Channel {
            epoch: 0,
            sequence: 0,
            state_root: BytesN::from_array(&env, &[0; 32]),
            trades_root: BytesN::from_array(&env, &[0; 32]),
        })
    }

    /// Whether the trade was settled by `settle_trade` so recently that its instruction could still be replayed.
    pub fn is_trade_settled(env: Env, trade_id: BytesN<32>) -> bool {
        storage::is_trade_settled(&env, &trade_id)
    }

    /// The engine of the default channel, if one was set.
    pub fn get_matching_engine(env: Env) -> Option<Address> {
        storage::matching_engine(&env, DEFAULT_CHANNEL)
    }

    pub fn get_channel_engine(env: Env, channel: u32) -> Option<Address> {
        storage::matching_engine(&env, channel)
    }

    /// The fees of a token that a channel's batches took and nobody has collected.
    pub fn get_fees(env: Env, channel: u32, token: Address) -> Result<i128, Error> {
        let asset = storage::asset_index(&env, &token).ok_or(Error::UnknownAsset)?;
        let fees = storage::fees(&env, channel);
        Ok(fees.and_then(|fees| fees.get(asset)).unwrap_or(0))
    }

    /// What batches may take as fees, in parts per million of what is traded; 0 as long as none was set.
    pub fn get_fee_cap(env: Env) -> u32 {
        storage::fee_cap(&env)
    }

    /// Who may collect fees, if anybody was named.
    pub fn get_treasury(env: Env) -> Option<Address> {
        storage::treasury(&env)
    }

    pub fn get_admin(env: Env) -> Result<Address, Error> {
        governance::admin(&env)
    }

    /// The administrator, as long as no pauser was named.
    pub fn get_pauser(env: Env) -> Result<Address, Error> {
        governance::pauser(&env)
    }

    /// Whether deposits and settlement are paused: of a token, by itself or with all, or of all.
    pub fn is_paused(env: Env, token: Option<Address>) -> Result<bool, Error> {
        governance::is_paused(&env, token.as_ref())
    }

    /// The changes that were announced and may still happen.
    pub fn get_changes(env: Env) -> Vec<Announcement> {
        governance::announced(&env)
    }

    /// Seconds between the next announcement and its change.
    pub fn get_change_delay(env: Env) -> u64 {
        governance::delay(&env)
    }

    pub fn get_version() -> u32 {
        VERSION
    }
}

fn matching_engine(env: &Env) -> Result<Address, Error> {
    storage::matching_engine(env, DEFAULT_CHANNEL).ok_or(Error::MatchingEngineNotSet)
}
