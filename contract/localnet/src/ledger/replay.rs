//! The state after a ledger, from the state before it and the ledger's metadata alone. This is how
//! a restart reads its log, and the header's commitments prove that nothing was lost on the way.

use super::entry::{Lifetime, Source, Stored, is_contract_entry, lifetime_hash};
use super::overlay::{Changed, Overlay};
use super::snapshot::{Snapshot, header_hash};
use std::collections::HashMap;
use std::sync::Arc;
use stellar_xdr::*;

fn of(meta: &LedgerCloseMeta) -> Result<&LedgerCloseMetaV2, String> {
    match meta {
        LedgerCloseMeta::V2(meta) => Ok(meta),
        _ => Err("a ledger's metadata is of an unknown form".to_owned()),
    }
}

/// All changes in the order in which they were made: fees, transactions, refunds.
fn changes(meta: &LedgerCloseMetaV2) -> impl Iterator<Item = &LedgerEntryChange> {
    let fees = meta
        .tx_processing
        .iter()
        .flat_map(|one| one.fee_processing.0.iter());
    let applied = meta
        .tx_processing
        .iter()
        .flat_map(|one| match &one.tx_apply_processing {
            TransactionMeta::V4(v4) => v4
                .tx_changes_before
                .0
                .iter()
                .chain(
                    v4.operations
                        .iter()
                        .flat_map(|operation| operation.changes.0.iter()),
                )
                .chain(v4.tx_changes_after.0.iter())
                .collect::<Vec<_>>(),
            _ => Vec::new(),
        });
    let refunds = meta
        .tx_processing
        .iter()
        .flat_map(|one| one.post_tx_apply_fee_processing.0.iter());
    fees.chain(applied).chain(refunds)
}

fn footprint_keys(set: &GeneralizedTransactionSet) -> impl Iterator<Item = &LedgerKey> {
    let GeneralizedTransactionSet::V1(set) = set;
    let stages = set.phases.iter().flat_map(|phase| match phase {
        TransactionPhase::V0(_) => [].iter(),
        TransactionPhase::V1(contracts) => contracts.execution_stages.iter(),
    });
    let envelopes = stages
        .flat_map(|stage| stage.0.iter())
        .flat_map(|cluster| cluster.0.iter());
    envelopes.filter_map(resources).flat_map(|resources| {
        resources
            .footprint
            .read_only
            .iter()
            .chain(resources.footprint.read_write.iter())
    })
}

fn resources(envelope: &TransactionEnvelope) -> Option<&SorobanResources> {
    let transaction = match envelope {
        TransactionEnvelope::Tx(v1) => &v1.tx,
        TransactionEnvelope::TxFeeBump(bump) => {
            let FeeBumpTransactionInnerTx::Tx(inner) = &bump.tx.inner_tx;
            &inner.tx
        }
        TransactionEnvelope::TxV0(_) => return None,
    };
    match &transaction.ext {
        TransactionExt::V0 => None,
        TransactionExt::V1(data) => Some(&data.resources),
    }
}

/// The keys of the entries that a ledger wrote.
pub fn changed_entries(meta: &LedgerCloseMeta) -> Vec<LedgerKey> {
    let Ok(meta) = of(meta) else {
        return Vec::new();
    };
    changes(meta)
        .filter_map(|change| match change {
            LedgerEntryChange::Created(entry)
            | LedgerEntryChange::Updated(entry)
            | LedgerEntryChange::Restored(entry) => Some(entry.to_key()),
            LedgerEntryChange::Removed(_) | LedgerEntryChange::State(_) => None,
        })
        .collect()
}

pub fn successor(previous: &Snapshot, meta: &LedgerCloseMeta) -> Result<Snapshot, String> {
    let meta = of(meta)?;
    let header = &meta.ledger_header.header;
    let ledger = header.ledger_seq;
    // A jump leaves numbers out; the hash says what a ledger follows.
    if header.previous_ledger_hash != *previous.hash() || ledger <= previous.sequence() {
        return Err(format!(
            "ledger {ledger} does not follow ledger {}",
            previous.sequence()
        ));
    }
    if meta.ledger_header.hash != header_hash(header) {
        return Err(format!(
            "ledger {ledger} does not have the hash that it states"
        ));
    }

    let mut changed = Changed::new();
    // Lifetimes are filed under the hash of the key they belong to.
    let mut owners: HashMap<Hash, LedgerKey> = HashMap::new();
    let mut lifetimes: Vec<(Hash, Lifetime)> = Vec::new();
    let read = |changed: &Changed, key: &LedgerKey| match changed.get(key) {
        Some(stored) => stored.clone(),
        None => previous.get(key),
    };
    for change in changes(meta) {
        match change {
            LedgerEntryChange::State(entry) => {
                let key = entry.to_key();
                if is_contract_entry(&key) {
                    owners.insert(lifetime_hash(&key), key);
                }
            }
            LedgerEntryChange::Removed(LedgerKey::Ttl(_)) => {}
            LedgerEntryChange::Removed(key) => {
                changed.insert(key.clone(), None);
            }
            LedgerEntryChange::Created(entry)
            | LedgerEntryChange::Updated(entry)
            | LedgerEntryChange::Restored(entry) => {
                if let LedgerEntryData::Ttl(ttl) = &entry.data {
                    let lifetime = Lifetime {
                        until: ttl.live_until_ledger_seq,
                        modified: entry.last_modified_ledger_seq,
                    };
                    lifetimes.push((ttl.key_hash.clone(), lifetime));
                    continue;
                }
                let key = entry.to_key();
                if is_contract_entry(&key) {
                    owners.insert(lifetime_hash(&key), key.clone());
                }
                let lifetime = read(&changed, &key).and_then(|stored| stored.lifetime);
                changed.insert(
                    key,
                    Some(Stored {
                        entry: Arc::new(entry.clone()),
                        lifetime,
                    }),
                );
            }
        }
    }
    // Where a contract's entry lives longer and did not change otherwise, only a footprint names it.
    for key in footprint_keys(&meta.tx_set).filter(|key| is_contract_entry(key)) {
        owners.insert(lifetime_hash(key), key.clone());
    }
    for (hash, lifetime) in lifetimes {
        let owner = owners.get(&hash).ok_or("a lifetime belongs to no entry")?;
        if let Some(mut stored) = read(&changed, owner) {
            stored.lifetime = Some(lifetime);
            changed.insert(owner.clone(), Some(stored));
        }
    }

    let mut overlay = Overlay::new(previous, ledger);
    overlay.absorb(changed);
    if overlay.state_digest(&previous.header().bucket_list_hash) != header.bucket_list_hash {
        return Err(format!(
            "the changes of ledger {ledger} do not lead to the state it states"
        ));
    }
    Ok(previous.successor(header.clone(), overlay.into_changed()))
}
