//! RestoreFootprint: brings persistent entries back from the archive.

use super::{Consumed, Execution, Stage};
use crate::fees;
use crate::ledger::{Source, encoded_len, is_persistent};
use soroban_env_host::e2e_invoke::entry_size_for_rent;
use soroban_env_host::fees::LedgerEntryRentChange;
use stellar_xdr::*;

fn result(code: RestoreFootprintResult) -> OperationResult {
    OperationResult::OpInner(OperationResultTr::RestoreFootprint(code))
}

pub fn check(data: &SorobanTransactionData) -> Result<(), OperationResult> {
    let footprint = &data.resources.footprint;
    if !footprint.read_only.is_empty() || !footprint.read_write.iter().all(is_persistent) {
        return Err(result(RestoreFootprintResult::Malformed));
    }
    Ok(())
}

pub fn apply(stage: Stage) -> Execution {
    let failed = |code| Execution::ended(Err(result(code)));
    let until = stage.persistent_until();
    let Ok(budget) = stage.budget(u64::MAX) else {
        return failed(RestoreFootprintResult::ResourceLimitExceeded);
    };
    let resources = &stage.data.resources;
    let mut consumed = Consumed::default();
    let mut changes = Vec::new();
    for key in resources.footprint.read_write.iter() {
        let Some(stored) = stage.overlay.get(key) else {
            continue;
        };
        if stored.is_live(stage.header.ledger_seq) {
            continue;
        }
        let bytes = encoded_len(&*stored.entry);
        consumed.disk_read_bytes = consumed.disk_read_bytes.saturating_add(bytes);
        consumed.write_bytes = consumed.write_bytes.saturating_add(bytes);
        consumed.write_entries += 1;
        if consumed.disk_read_bytes > resources.disk_read_bytes
            || consumed.write_bytes > resources.write_bytes
            || !stage.entry_fits(key, bytes as usize)
        {
            return failed(RestoreFootprintResult::ResourceLimitExceeded);
        }
        let Ok(size) = entry_size_for_rent(&budget, &stored.entry, bytes) else {
            return failed(RestoreFootprintResult::ResourceLimitExceeded);
        };
        changes.push(LedgerEntryRentChange {
            is_persistent: true,
            is_code_entry: matches!(key, LedgerKey::ContractCode(_)),
            old_size_bytes: 0,
            new_size_bytes: size,
            old_live_until_ledger: 0,
            new_live_until_ledger: until,
        });
        stage.overlay.set_lifetime(key, until);
    }
    let rent = fees::rent(stage.settings, &changes, stage.header.ledger_seq);
    if !stage.refundable.consume(0, rent) {
        return failed(RestoreFootprintResult::InsufficientRefundableFee);
    }
    Execution {
        consumed,
        ..Execution::ended(Ok(result(RestoreFootprintResult::Success)))
    }
}
