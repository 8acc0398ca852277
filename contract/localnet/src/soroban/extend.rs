//! ExtendFootprintTtl: lets entries live longer. Anyone may pay for anyone's.

use super::{Consumed, Execution, Stage};
use crate::fees;
use crate::ledger::{Source, encoded_len, is_contract_entry, is_persistent};
use crate::settings::Settings;
use soroban_env_host::e2e_invoke::entry_size_for_rent;
use soroban_env_host::fees::LedgerEntryRentChange;
use stellar_xdr::*;

fn result(code: ExtendFootprintTtlResult) -> OperationResult {
    OperationResult::OpInner(OperationResultTr::ExtendFootprintTtl(code))
}

pub fn check(
    operation: &ExtendFootprintTtlOp,
    data: &SorobanTransactionData,
    settings: &Settings,
) -> Result<(), OperationResult> {
    let footprint = &data.resources.footprint;
    let malformed = !footprint.read_write.is_empty()
        || !footprint.read_only.iter().all(is_contract_entry)
        || operation.extend_to > settings.archival.max_entry_ttl.saturating_sub(1);
    if malformed {
        return Err(result(ExtendFootprintTtlResult::Malformed));
    }
    Ok(())
}

pub fn apply(operation: &ExtendFootprintTtlOp, stage: Stage) -> Execution {
    let failed = |code| Execution::ended(Err(result(code)));
    let until = stage.header.ledger_seq.saturating_add(operation.extend_to);
    let Ok(budget) = stage.budget(u64::MAX) else {
        return failed(ExtendFootprintTtlResult::ResourceLimitExceeded);
    };
    let mut changes = Vec::new();
    for key in stage.data.resources.footprint.read_only.iter() {
        let Some(stored) = stage.overlay.get(key) else {
            continue;
        };
        let lives_until = stored.lifetime.map_or(u32::MAX, |lifetime| lifetime.until);
        // Expired entries cannot be extended and are passed over, as are those that live longer.
        if !stored.is_live(stage.header.ledger_seq) || lives_until >= until {
            continue;
        }
        let bytes = encoded_len(&*stored.entry);
        let Ok(size) = entry_size_for_rent(&budget, &stored.entry, bytes) else {
            return failed(ExtendFootprintTtlResult::ResourceLimitExceeded);
        };
        changes.push(LedgerEntryRentChange {
            is_persistent: is_persistent(key),
            is_code_entry: matches!(key, LedgerKey::ContractCode(_)),
            old_size_bytes: size,
            new_size_bytes: size,
            old_live_until_ledger: lives_until,
            new_live_until_ledger: until,
        });
        stage.overlay.set_lifetime(key, until);
    }
    let rent = fees::rent(stage.settings, &changes, stage.header.ledger_seq);
    if !stage.refundable.consume(0, rent) {
        return failed(ExtendFootprintTtlResult::InsufficientRefundableFee);
    }
    let write_entries = u32::try_from(changes.len()).unwrap_or(u32::MAX);
    Execution {
        consumed: Consumed {
            write_entries,
            ..Consumed::default()
        },
        ..Execution::ended(Ok(result(ExtendFootprintTtlResult::Success)))
    }
}
