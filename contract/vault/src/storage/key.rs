use soroban_sdk::{Address, BytesN, Env, IntoVal, Val, contracttype};

/// Keys of entries that are few or short-lived.
///
/// The two kinds that are many and that a batch pays for by the byte have bare keys instead, which no variant of this enum can
/// equal because they are of another type: an account's index is stored under its `Address`, a page of balances under a
/// [`PageKey`]. A bare key is 24 bytes shorter in the transaction, in the entry and in its rent.
#[contracttype]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DataKey {
    /// Instance: `Address` of the administrator.
    Admin,
    /// Instance: `Vec<Address>` of the tokens, in the order of their asset index.
    Assets,
    /// Instance: `Address` of the engine that settles on a channel.
    MatchingEngine(u32),
    /// Instance: `Address` of the pauser.
    Pauser,
    /// Instance: [`super::Pauses`].
    Paused,
    /// Instance: u32, what batches may take as fees, in parts per million.
    FeeCap,
    /// Instance: `Address` of whoever may collect fees.
    Treasury,
    /// Persistent: `Vec<Announcement>` of the changes to come.
    Announcements,
    /// Persistent: u64, seconds between announcement and change.
    ChangeDelay,
    /// Persistent: u32, the number of accounts, which is the next account's index.
    AccountCount,
    /// Persistent: `Vec<Address>` of the accounts with indexes from page × `ACCOUNTS_PER_PAGE` on.
    Accounts(u32),
    /// Persistent: [`super::Channel`].
    Channel(u32),
    /// Persistent: `Map<u32, i128>`, the fees of a channel that were not collected yet, by asset.
    Fees(u32),
    /// Persistent: u32, what an asset's issuer could do when the administrator last looked.
    IssuerFlags(u32),
    /// Persistent: `BytesN<32>`, the ed25519 key that signs a user's orders.
    TradingKey(Address),
    /// Temporary: nothing; that the entry is there says that the trade is settled.
    Trade(BytesN<32>),
}

/// Key of a page of balances: asset group × 2³² + page number, a `u64` on the ledger.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PageKey {
    pub group: u32,
    pub number: u32,
}

impl IntoVal<Env, Val> for PageKey {
    fn into_val(&self, env: &Env) -> Val {
        ((u64::from(self.group) << 32) | u64::from(self.number)).into_val(env)
    }
}

/// Whatever a persistent entry can be stored under.
pub trait Key: IntoVal<Env, Val> {}

impl Key for DataKey {}
impl Key for PageKey {}
impl Key for Address {}
