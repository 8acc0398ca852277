//! What an account may spend and who may sign for it.

use crate::ledger::{Overlay, Source};
use stellar_xdr::*;

/// Entries that one account may own (signers, trustlines, data).
pub const SUB_ENTRIES_MAX: u32 = 1_000;

pub fn key(account_id: &AccountId) -> LedgerKey {
    LedgerKey::Account(LedgerKeyAccount {
        account_id: account_id.clone(),
    })
}

pub fn load(source: &dyn Source, account_id: &AccountId) -> Option<AccountEntry> {
    match &source.get(&key(account_id))?.entry.data {
        LedgerEntryData::Account(account) => Some(account.clone()),
        _ => None,
    }
}

pub fn store(overlay: &mut Overlay, account: AccountEntry) {
    overlay.put(LedgerEntryData::Account(account));
}

pub fn id_of(account: &MuxedAccount) -> AccountId {
    account.clone().account_id()
}

pub fn public_key(account_id: &AccountId) -> &Uint256 {
    let PublicKey::PublicKeyTypeEd25519(public_key) = &account_id.0;
    public_key
}

fn extension_v1(account: &AccountEntry) -> Option<&AccountEntryExtensionV1> {
    match &account.ext {
        AccountEntryExt::V0 => None,
        AccountEntryExt::V1(v1) => Some(v1),
    }
}

fn extension_v2(account: &AccountEntry) -> Option<&AccountEntryExtensionV2> {
    match &extension_v1(account)?.ext {
        AccountEntryExtensionV1Ext::V0 => None,
        AccountEntryExtensionV1Ext::V2(v2) => Some(v2),
    }
}

fn extension_v3(account: &AccountEntry) -> Option<&AccountEntryExtensionV3> {
    match &extension_v2(account)?.ext {
        AccountEntryExtensionV2Ext::V0 => None,
        AccountEntryExtensionV2Ext::V3(v3) => Some(v3),
    }
}

/// Ledger and time at which the account's sequence number last moved (CAP-21); zeroes before.
pub fn sequence_moved(account: &AccountEntry) -> (u32, u64) {
    extension_v3(account).map_or((0, 0), |v3| (v3.seq_ledger, v3.seq_time.0))
}

/// Moves the sequence number and remembers when, growing the entry to the form that carries that
/// (CAP-21).
pub fn move_sequence(account: &mut AccountEntry, sequence: SequenceNumber, header: &LedgerHeader) {
    account.seq_num = sequence;
    let liabilities = extension_v1(account)
        .map(|v1| v1.liabilities.clone())
        .unwrap_or_default();
    let mut v2 = extension_v2(account)
        .cloned()
        .unwrap_or_else(|| AccountEntryExtensionV2 {
            num_sponsored: 0,
            num_sponsoring: 0,
            signer_sponsoring_i_ds: sponsors_of_none(account.signers.len()),
            ext: AccountEntryExtensionV2Ext::V0,
        });
    v2.ext = AccountEntryExtensionV2Ext::V3(AccountEntryExtensionV3 {
        ext: ExtensionPoint::V0,
        seq_ledger: header.ledger_seq,
        seq_time: header.scp_value.close_time.clone(),
    });
    account.ext = AccountEntryExt::V1(AccountEntryExtensionV1 {
        liabilities,
        ext: AccountEntryExtensionV1Ext::V2(v2),
    });
}

fn sponsors_of_none(signers: usize) -> VecM<SponsorshipDescriptor, 20> {
    VecM::try_from(vec![SponsorshipDescriptor(None); signers]).unwrap_or_default()
}

/// Replaces the signers, and with them the list of their sponsors, which must have equal length.
pub fn set_signers(account: &mut AccountEntry, signers: VecM<Signer, 20>) {
    if let AccountEntryExt::V1(v1) = &mut account.ext
        && let AccountEntryExtensionV1Ext::V2(v2) = &mut v1.ext
    {
        v2.signer_sponsoring_i_ds = sponsors_of_none(signers.len());
    }
    account.signers = signers;
}

/// Stroops that must stay in an account that owns `sub_entries`.
pub fn balance_min(sub_entries: u32, header: &LedgerHeader) -> i64 {
    (2 + i64::from(sub_entries)) * i64::from(header.base_reserve)
}

/// Stroops that the account can spend above its reserve.
pub fn available(account: &AccountEntry, header: &LedgerHeader) -> i64 {
    let selling = extension_v1(account).map_or(0, |v1| v1.liabilities.selling);
    account.balance - balance_min(account.num_sub_entries, header) - selling
}

pub enum Owning {
    Done,
    LowReserve,
    TooMany,
}

/// Counts one more entry that the account owns, if it can pay the reserve.
pub fn own_one_more(account: &mut AccountEntry, header: &LedgerHeader) -> Owning {
    if account.num_sub_entries >= SUB_ENTRIES_MAX {
        return Owning::TooMany;
    }
    if available(account, header) < i64::from(header.base_reserve) {
        return Owning::LowReserve;
    }
    account.num_sub_entries += 1;
    Owning::Done
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    Low,
    Medium,
    High,
}

pub fn threshold(account: &AccountEntry, level: Threshold) -> u32 {
    let at = match level {
        Threshold::Low => 1,
        Threshold::Medium => 2,
        Threshold::High => 3,
    };
    u32::from(account.thresholds.0[at])
}

/// Everyone who may sign: the master key, unless its weight is zero, and the signers.
pub fn signers(account: &AccountEntry) -> Vec<Signer> {
    let mut signers = account.signers.to_vec();
    let master_weight = u32::from(account.thresholds.0[0]);
    if master_weight > 0 {
        signers.push(Signer {
            key: SignerKey::Ed25519(public_key(&account.account_id).clone()),
            weight: master_weight,
        });
    }
    signers
}
