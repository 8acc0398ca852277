//! Values and keys in the network's encoding.

use sha2::{Digest, Sha256};
use soroban_env_host::DEFAULT_XDR_RW_LIMITS;
use soroban_env_host::xdr::{
    AccountId, ContractDataDurability, ContractDataEntry, ContractId, ExtensionPoint, Hash,
    Int128Parts, LedgerEntry, LedgerEntryData, LedgerEntryExt, LedgerKey, LedgerKeyContractData,
    PublicKey, ScAddress, ScBytes, ScMap, ScMapEntry, ScSymbol, ScVal, ScVec, StringM, Uint256,
    VecM, WriteXdr,
};

use crate::Outcome;

pub fn encode(value: &impl WriteXdr) -> Outcome<Vec<u8>> {
    value
        .to_xdr(DEFAULT_XDR_RW_LIMITS)
        .map_err(|error| format!("a value does not encode: {error}"))
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn list<T, const MAX: u32>(items: Vec<T>) -> Outcome<VecM<T, MAX>> {
    VecM::try_from(items).map_err(|error| format!("a list is too long: {error}"))
}

pub fn account(seed: u32) -> AccountId {
    let mut key = [0xac; 32];
    key[..4].copy_from_slice(&seed.to_be_bytes());
    AccountId(PublicKey::PublicKeyTypeEd25519(Uint256(key)))
}

pub fn account_address(account: &AccountId) -> ScVal {
    ScVal::Address(ScAddress::Account(account.clone()))
}

pub fn contract_address(contract: &Hash) -> ScVal {
    ScVal::Address(ScAddress::Contract(ContractId(contract.clone())))
}

pub fn symbol_name(text: &str) -> Outcome<ScSymbol> {
    let name = StringM::try_from(text).map_err(|error| format!("{text}: {error}"))?;
    Ok(ScSymbol(name))
}

pub fn symbol(text: &str) -> Outcome<ScVal> {
    Ok(ScVal::Symbol(symbol_name(text)?))
}

pub fn bytes(content: &[u8]) -> Outcome<ScVal> {
    let content = content
        .to_vec()
        .try_into()
        .map_err(|error| format!("bytes are too long: {error}"))?;
    Ok(ScVal::Bytes(ScBytes(content)))
}

pub fn amount(value: i128) -> ScVal {
    ScVal::I128(Int128Parts {
        hi: (value >> 64) as i64,
        lo: value as u64,
    })
}

pub fn vec(items: Vec<ScVal>) -> Outcome<ScVal> {
    Ok(ScVal::Vec(Some(ScVec(list(items)?))))
}

/// A struct: fields in the order of their names.
pub fn map(fields: Vec<(&str, ScVal)>) -> Outcome<ScVal> {
    let entries = fields
        .into_iter()
        .map(|(name, val)| {
            Ok(ScMapEntry {
                key: symbol(name)?,
                val,
            })
        })
        .collect::<Outcome<Vec<_>>>()?;
    Ok(ScVal::Map(Some(ScMap(list(entries)?))))
}

/// A persistent entry of a contract.
pub fn contract_data(contract: &Hash, key: ScVal, val: ScVal) -> (LedgerKey, LedgerEntry) {
    let contract = ScAddress::Contract(ContractId(contract.clone()));
    let durability = ContractDataDurability::Persistent;
    let ledger_key = LedgerKey::ContractData(LedgerKeyContractData {
        contract: contract.clone(),
        key: key.clone(),
        durability,
    });
    let data = LedgerEntryData::ContractData(ContractDataEntry {
        ext: ExtensionPoint::V0,
        contract,
        key,
        durability,
        val,
    });
    (ledger_key, ledger_entry(data))
}

pub fn ledger_entry(data: LedgerEntryData) -> LedgerEntry {
    LedgerEntry {
        last_modified_ledger_seq: 1,
        data,
        ext: LedgerEntryExt::V0,
    }
}
