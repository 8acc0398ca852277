//! BumpSequence: moves the source's sequence number forward (CAP-1).

use super::{Outcome, Scene};
use crate::account;
use stellar_xdr::*;

fn result(code: BumpSequenceResult) -> OperationResult {
    OperationResult::OpInner(OperationResultTr::BumpSequence(code))
}

pub fn check(operation: &BumpSequenceOp) -> Result<(), OperationResult> {
    if operation.bump_to.0 < 0 {
        return Err(result(BumpSequenceResult::BadSeq));
    }
    Ok(())
}

pub fn apply(operation: &BumpSequenceOp, scene: Scene) -> Outcome {
    let Some(mut source) = account::load(scene.overlay, scene.source) else {
        return Err(OperationResult::OpNoAccount);
    };
    // A number in the past is not an error and changes nothing but the time of the last move.
    let sequence = source.seq_num.clone().max(operation.bump_to.clone());
    account::move_sequence(&mut source, sequence, scene.header);
    account::store(scene.overlay, source);
    Ok(result(BumpSequenceResult::Success))
}
