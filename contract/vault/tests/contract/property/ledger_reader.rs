//! What the ledger holds, read without the contract: what an auditor would do. Follows the entries as they change.

use std::collections::BTreeMap;

use soroban_sdk::Address;
use soroban_sdk::xdr::{LedgerEntry, LedgerEntryData, LedgerKey, ScAddress, ScMap, ScVal};
use vault::{ACCOUNTS_PER_PAGE, ASSETS_PER_GROUP};

/// By (account index, asset index).
#[derive(Default)]
pub struct Books {
    /// For every slot of every page, zeros included.
    pub balances: BTreeMap<(u32, u32), i128>,
    /// Amount and due time of each request.
    pub exits: BTreeMap<(u32, u32), (i128, u64)>,
}

/// What stands behind the slots of a page for each request, and then their number.
const EXIT_BYTES: usize = 26;

/// The vault's data and what anybody holds of tokens, at one moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LedgerReader {
    address: ScAddress,
    vault: BTreeMap<ScVal, ScVal>,
    /// (token, holder) → what the token's contract has on record.
    held: BTreeMap<(ScAddress, ScAddress), ScVal>,
}

impl LedgerReader {
    /// Of a ledger on which there is nothing yet.
    pub fn new(vault: &Address) -> Self {
        Self {
            address: vault.into(),
            vault: BTreeMap::new(),
            held: BTreeMap::new(),
        }
    }

    /// An entry as it is from now on. Says whether it is the vault's, or a balance.
    pub fn see(&mut self, key: &LedgerKey, entry: Option<&LedgerEntry>) -> bool {
        let LedgerKey::ContractData(place) = key else {
            return false;
        };
        let value = entry.map(|entry| match &entry.data {
            LedgerEntryData::ContractData(data) => data.val.clone(),
            other => panic!("a contract's data is not {other:?}"),
        });
        if place.contract == self.address {
            set(&mut self.vault, place.key.clone(), value);
        } else if let Some(holder) = holder(&place.key) {
            set(&mut self.held, (place.contract.clone(), holder), value);
        } else {
            return false;
        }
        true
    }

    /// What a token's contract has on record for a holder.
    pub fn held(&self, holder: &Address, token: &Address) -> i128 {
        let place = (ScAddress::from(token), ScAddress::from(holder));
        match self.held.get(&place) {
            Some(ScVal::Map(Some(record))) => signed(field(record, "amount")),
            None => 0,
            Some(other) => panic!("a balance is a map, not {other:?}"),
        }
    }

    pub fn account_count(&self) -> u32 {
        self.vault.get(&unit("AccountCount")).map_or(0, word)
    }

    /// The pages up to these many accounts and assets.
    pub fn books(&self, accounts: u32, assets: u32) -> Books {
        let mut books = Books::default();
        for group in 0..assets.div_ceil(ASSETS_PER_GROUP) {
            for number in 0..accounts.div_ceil(ACCOUNTS_PER_PAGE) {
                let key = (u64::from(group) << 32) | u64::from(number);
                match self.vault.get(&ScVal::U64(key)) {
                    Some(ScVal::Bytes(page)) => books.read(page.as_slice(), group, number),
                    None => {}
                    Some(other) => panic!("a page is bytes, not {other:?}"),
                }
            }
        }
        books
    }

    /// What a channel's batches took and nobody collected, by asset.
    pub fn fees(&self, channel: u32) -> BTreeMap<usize, i128> {
        match self.vault.get(&variant("Fees", ScVal::U32(channel))) {
            Some(ScVal::Map(Some(fees))) => fees
                .iter()
                .map(|fee| (word(&fee.key) as usize, signed(&fee.val)))
                .collect(),
            None => BTreeMap::new(),
            Some(other) => panic!("fees are a map, not {other:?}"),
        }
    }

    /// Where a channel stands, as epoch and sequence.
    pub fn cursor(&self, channel: u32) -> (u64, u64) {
        match self.vault.get(&variant("Channel", ScVal::U32(channel))) {
            Some(ScVal::Map(Some(last))) => {
                (long(field(last, "epoch")), long(field(last, "sequence")))
            }
            None => (0, 0),
            Some(other) => panic!("a channel is a map, not {other:?}"),
        }
    }

    pub fn engine(&self, channel: u32) -> Option<ScAddress> {
        let Some(ScVal::ContractInstance(instance)) =
            self.vault.get(&ScVal::LedgerKeyContractInstance)
        else {
            panic!("the vault has no instance");
        };
        let key = variant("MatchingEngine", ScVal::U32(channel));
        let kept = instance.storage.as_ref().expect("a vault has an admin");
        match kept.iter().find(|entry| entry.key == key)?.val.clone() {
            ScVal::Address(engine) => Some(engine),
            other => panic!("an engine is an address, not {other:?}"),
        }
    }
}

impl Books {
    fn read(&mut self, page: &[u8], group: u32, number: u32) {
        let (slots, exits) = split(page);
        assert_eq!(slots.len() % 64, 0, "a page holds whole slots");
        for exit in exits.chunks(EXIT_BYTES) {
            let account = number * ACCOUNTS_PER_PAGE + u32::from(exit[0]);
            let asset = group * ASSETS_PER_GROUP + u32::from(exit[1]);
            let due = u64::from_be_bytes(exit[2..10].try_into().expect("8 bytes"));
            let amount = i128::from_be_bytes(exit[10..].try_into().expect("16 bytes"));
            let known = self.exits.insert((account, asset), (amount, due));
            assert_eq!(known, None, "an account has one request an asset");
        }
        for (slot, cells) in (0_u32..).zip(slots.chunks(64)) {
            for (position, cell) in (0_u32..).zip(cells.chunks(16)) {
                let account = number * ACCOUNTS_PER_PAGE + slot;
                let asset = group * ASSETS_PER_GROUP + position;
                let balance = i128::from_be_bytes(cell.try_into().expect("16 bytes"));
                self.balances.insert((account, asset), balance);
            }
        }
    }
}

/// A page's slots, and its requests where its length is odd.
fn split(page: &[u8]) -> (&[u8], &[u8]) {
    match page.split_last() {
        Some((count, before)) if page.len() % 2 == 1 => {
            before.split_at(before.len() - usize::from(*count) * EXIT_BYTES)
        }
        _ => (page, &[]),
    }
}

/// Whose balance of a token stands under this key, if one does.
fn holder(key: &ScVal) -> Option<ScAddress> {
    let ScVal::Vec(Some(parts)) = key else {
        return None;
    };
    match parts.as_slice() {
        [ScVal::Symbol(name), ScVal::Address(holder)] if name.as_slice() == b"Balance" => {
            Some(holder.clone())
        }
        _ => None,
    }
}

fn set<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => drop(map.insert(key, value)),
        None => drop(map.remove(&key)),
    }
}

/// How the SDK writes a key without a value, and one with a value.
fn unit(name: &str) -> ScVal {
    vector(vec![symbol(name)])
}

fn variant(name: &str, value: ScVal) -> ScVal {
    vector(vec![symbol(name), value])
}

fn vector(values: Vec<ScVal>) -> ScVal {
    ScVal::Vec(Some(values.try_into().expect("a short vector")))
}

fn symbol(name: &str) -> ScVal {
    ScVal::Symbol(name.try_into().expect("a short name"))
}

fn field<'a>(record: &'a ScMap, name: &str) -> &'a ScVal {
    let key = symbol(name);
    let entry = record.iter().find(|entry| entry.key == key);
    &entry
        .unwrap_or_else(|| panic!("a record without {name}"))
        .val
}

fn word(value: &ScVal) -> u32 {
    match value {
        ScVal::U32(value) => *value,
        other => panic!("not a u32: {other:?}"),
    }
}

fn long(value: &ScVal) -> u64 {
    match value {
        ScVal::U64(value) => *value,
        other => panic!("not a u64: {other:?}"),
    }
}

fn signed(value: &ScVal) -> i128 {
    match value {
        ScVal::I128(parts) => i128::from(parts.hi) << 64 | i128::from(parts.lo),
        other => panic!("not an i128: {other:?}"),
    }
}
