//! CreateAccount: a new account with a starting balance from the source.

use super::{Outcome, Scene};
use crate::account;
use stellar_xdr::*;

fn result(code: CreateAccountResult) -> OperationResult {
    OperationResult::OpInner(OperationResultTr::CreateAccount(code))
}

pub fn check(operation: &CreateAccountOp, source: &AccountId) -> Result<(), OperationResult> {
    if operation.starting_balance < 0 || operation.destination == *source {
        return Err(result(CreateAccountResult::Malformed));
    }
    Ok(())
}

pub fn apply(operation: &CreateAccountOp, scene: Scene) -> Outcome {
    if account::load(scene.overlay, &operation.destination).is_some() {
        return Err(result(CreateAccountResult::AlreadyExist));
    }
    if operation.starting_balance < account::balance_min(0, scene.header) {
        return Err(result(CreateAccountResult::LowReserve));
    }
    let Some(mut source) = account::load(scene.overlay, scene.source) else {
        return Err(OperationResult::OpNoAccount);
    };
    if account::available(&source, scene.header) < operation.starting_balance {
        return Err(result(CreateAccountResult::Underfunded));
    }
    source.balance -= operation.starting_balance;
    account::store(scene.overlay, source);
    account::store(
        scene.overlay,
        AccountEntry {
            account_id: operation.destination.clone(),
            balance: operation.starting_balance,
            // So that an account merged and made again cannot see its old transactions replayed.
            seq_num: SequenceNumber(i64::from(scene.header.ledger_seq) << 32),
            thresholds: Thresholds([1, 0, 0, 0]),
            ..AccountEntry::default()
        },
    );
    Ok(result(CreateAccountResult::Success))
}
