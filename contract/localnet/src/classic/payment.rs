//! Payment of XLM or an issued asset. The destination is credited first, as on the network, which
//! decides the code when both sides would refuse.

use super::{Outcome, Scene};
use crate::{account, asset};
use stellar_xdr::*;

fn result(code: PaymentResult) -> OperationResult {
    OperationResult::OpInner(OperationResultTr::Payment(code))
}

pub fn check(operation: &PaymentOp) -> Result<(), OperationResult> {
    if operation.amount <= 0 || !asset::is_valid(&operation.asset) {
        return Err(result(PaymentResult::Malformed));
    }
    Ok(())
}

pub fn apply(operation: &PaymentOp, mut scene: Scene) -> Outcome {
    let destination = account::id_of(&operation.destination);
    if operation.asset == Asset::Native && destination == *scene.source {
        return Ok(result(PaymentResult::Success));
    }
    let to_issuer = asset::issuer(&operation.asset) == Some(&destination);
    if !to_issuer && account::load(scene.overlay, &destination).is_none() {
        return Err(result(PaymentResult::NoDestination));
    }
    credit(operation, &destination, &mut scene).map_err(result)?;
    debit(operation, &mut scene).map_err(result)?;
    Ok(result(PaymentResult::Success))
}

fn credit(
    operation: &PaymentOp,
    destination: &AccountId,
    scene: &mut Scene,
) -> Result<(), PaymentResult> {
    if asset::issuer(&operation.asset) == Some(destination) {
        return Ok(());
    }
    if operation.asset == Asset::Native {
        let mut account =
            account::load(scene.overlay, destination).ok_or(PaymentResult::NoDestination)?;
        account.balance = account
            .balance
            .checked_add(operation.amount)
            .ok_or(PaymentResult::LineFull)?;
        account::store(scene.overlay, account);
        return Ok(());
    }
    let mut line = asset::load_line(scene.overlay, destination, &operation.asset)
        .ok_or(PaymentResult::NoTrust)?;
    if !asset::is_authorized(&line) {
        return Err(PaymentResult::NotAuthorized);
    }
    let (buying, _) = asset::liabilities(&line);
    line.balance = line
        .balance
        .checked_add(operation.amount)
        .filter(|balance| *balance <= line.limit - buying)
        .ok_or(PaymentResult::LineFull)?;
    asset::store_line(scene.overlay, line);
    Ok(())
}

fn debit(operation: &PaymentOp, scene: &mut Scene) -> Result<(), PaymentResult> {
    if asset::issuer(&operation.asset) == Some(scene.source) {
        return Ok(());
    }
    if operation.asset == Asset::Native {
        let mut account =
            account::load(scene.overlay, scene.source).ok_or(PaymentResult::Underfunded)?;
        if account::available(&account, scene.header) < operation.amount {
            return Err(PaymentResult::Underfunded);
        }
        account.balance -= operation.amount;
        account::store(scene.overlay, account);
        return Ok(());
    }
    let mut line = asset::load_line(scene.overlay, scene.source, &operation.asset)
        .ok_or(PaymentResult::SrcNoTrust)?;
    if !asset::is_authorized(&line) {
        return Err(PaymentResult::SrcNotAuthorized);
    }
    let (_, selling) = asset::liabilities(&line);
    if line.balance - selling < operation.amount {
        return Err(PaymentResult::Underfunded);
    }
    line.balance -= operation.amount;
    asset::store_line(scene.overlay, line);
    Ok(())
}
