//! SetTrustLineFlags: an issuer allows, limits or forbids a holder (CAP-35).

use super::{Outcome, Scene};
use crate::{account, asset};
use stellar_xdr::*;

const AUTHORIZED: u32 = TrustLineFlags::AuthorizedFlag as u32;
const MAINTAIN: u32 = TrustLineFlags::AuthorizedToMaintainLiabilitiesFlag as u32;
const CLAWBACK: u32 = TrustLineFlags::TrustlineClawbackEnabledFlag as u32;
const KNOWN: u32 = AUTHORIZED | MAINTAIN | CLAWBACK;

fn result(code: SetTrustLineFlagsResult) -> OperationResult {
    OperationResult::OpInner(OperationResultTr::SetTrustLineFlags(code))
}

/// At most one of the two degrees of authorisation stands.
fn is_consistent(flags: u32) -> bool {
    flags & (AUTHORIZED | MAINTAIN) != (AUTHORIZED | MAINTAIN)
}

pub fn check(operation: &SetTrustLineFlagsOp, source: &AccountId) -> Result<(), OperationResult> {
    let malformed = asset::issuer(&operation.asset) != Some(source)
        || !asset::is_valid(&operation.asset)
        || operation.trustor == *source
        || operation.set_flags & operation.clear_flags != 0
        || operation.set_flags & !(KNOWN & !CLAWBACK) != 0
        || operation.clear_flags & !KNOWN != 0
        || !is_consistent(operation.set_flags);
    if malformed {
        return Err(result(SetTrustLineFlagsResult::Malformed));
    }
    Ok(())
}

pub fn apply(operation: &SetTrustLineFlagsOp, scene: Scene) -> Outcome {
    let Some(issuer) = account::load(scene.overlay, scene.source) else {
        return Err(OperationResult::OpNoAccount);
    };
    let revocable = issuer.flags & AccountFlags::RevocableFlag as u32 != 0;
    if !revocable && operation.clear_flags & (AUTHORIZED | MAINTAIN) != 0 {
        return Err(result(SetTrustLineFlagsResult::CantRevoke));
    }
    let Some(mut line) = asset::load_line(scene.overlay, &operation.trustor, &operation.asset)
    else {
        return Err(result(SetTrustLineFlagsResult::NoTrustLine));
    };
    let flags = (line.flags & !operation.clear_flags) | operation.set_flags;
    if !is_consistent(flags) {
        return Err(result(SetTrustLineFlagsResult::InvalidState));
    }
    // From full authorisation down to keeping what is owed is a revocation, too.
    if !revocable && line.flags & AUTHORIZED != 0 && flags & AUTHORIZED == 0 {
        return Err(result(SetTrustLineFlagsResult::CantRevoke));
    }
    line.flags = flags;
    asset::store_line(scene.overlay, line);
    Ok(result(SetTrustLineFlagsResult::Success))
}
