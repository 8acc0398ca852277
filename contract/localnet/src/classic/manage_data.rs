//! ManageData: a named value of up to 64 bytes under an account.

use super::{Outcome, Scene, is_printable};
use crate::account::{self, Owning};
use crate::ledger::Source;
use stellar_xdr::*;

fn result(code: ManageDataResult) -> OperationResult {
    OperationResult::OpInner(OperationResultTr::ManageData(code))
}

pub fn check(operation: &ManageDataOp) -> Result<(), OperationResult> {
    let name = operation.data_name.as_slice();
    if name.is_empty() || !is_printable(name) {
        return Err(result(ManageDataResult::InvalidName));
    }
    Ok(())
}

pub fn apply(operation: &ManageDataOp, scene: Scene) -> Outcome {
    let key = LedgerKey::Data(LedgerKeyData {
        account_id: scene.source.clone(),
        data_name: operation.data_name.clone(),
    });
    let exists = scene.overlay.get(&key).is_some();
    let Some(mut source) = account::load(scene.overlay, scene.source) else {
        return Err(OperationResult::OpNoAccount);
    };
    match &operation.data_value {
        Some(value) => {
            if !exists {
                match account::own_one_more(&mut source, scene.header) {
                    Owning::Done => {}
                    Owning::LowReserve => return Err(result(ManageDataResult::LowReserve)),
                    Owning::TooMany => return Err(OperationResult::OpTooManySubentries),
                }
                account::store(scene.overlay, source);
            }
            scene.overlay.put(LedgerEntryData::Data(DataEntry {
                account_id: scene.source.clone(),
                data_name: operation.data_name.clone(),
                data_value: value.clone(),
                ext: DataEntryExt::V0,
            }));
        }
        None if exists => {
            scene.overlay.remove(&key);
            source.num_sub_entries = source.num_sub_entries.saturating_sub(1);
            account::store(scene.overlay, source);
        }
        None => return Err(result(ManageDataResult::NameNotFound)),
    }
    Ok(result(ManageDataResult::Success))
}
