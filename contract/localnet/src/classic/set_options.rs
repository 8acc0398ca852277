//! SetOptions: an account's flags, weights, thresholds, home domain and signers.

use super::{Outcome, Scene, is_printable};
use crate::account::{self, Owning, Threshold};
use stellar_xdr::*;

const REQUIRED: u32 = AccountFlags::RequiredFlag as u32;
const REVOCABLE: u32 = AccountFlags::RevocableFlag as u32;
const IMMUTABLE: u32 = AccountFlags::ImmutableFlag as u32;
const CLAWBACK: u32 = AccountFlags::ClawbackEnabledFlag as u32;
const KNOWN: u32 = REQUIRED | REVOCABLE | IMMUTABLE | CLAWBACK;
const WEIGHT_MAX: u32 = 255;

fn result(code: SetOptionsResult) -> OperationResult {
    OperationResult::OpInner(OperationResultTr::SetOptions(code))
}

/// Whoever changes who may sign needs the high threshold.
pub fn threshold(operation: &SetOptionsOp) -> Threshold {
    let changes_authority = operation.master_weight.is_some()
        || operation.low_threshold.is_some()
        || operation.med_threshold.is_some()
        || operation.high_threshold.is_some()
        || operation.signer.is_some();
    if changes_authority {
        Threshold::High
    } else {
        Threshold::Medium
    }
}

pub fn check(operation: &SetOptionsOp, source: &AccountId) -> Result<(), OperationResult> {
    let set = operation.set_flags.unwrap_or(0);
    let clear = operation.clear_flags.unwrap_or(0);
    if set & !KNOWN != 0 || clear & !KNOWN != 0 {
        return Err(result(SetOptionsResult::UnknownFlag));
    }
    if set & clear != 0 {
        return Err(result(SetOptionsResult::BadFlags));
    }
    let weights = [
        operation.master_weight,
        operation.low_threshold,
        operation.med_threshold,
        operation.high_threshold,
    ];
    if weights
        .into_iter()
        .flatten()
        .any(|weight| weight > WEIGHT_MAX)
    {
        return Err(result(SetOptionsResult::ThresholdOutOfRange));
    }
    if let Some(signer) = &operation.signer {
        let is_source =
            matches!(&signer.key, SignerKey::Ed25519(key) if key == account::public_key(source));
        let is_empty = matches!(&signer.key,
            SignerKey::Ed25519SignedPayload(payload) if payload.payload.is_empty());
        if is_source || is_empty || signer.weight > WEIGHT_MAX {
            return Err(result(SetOptionsResult::BadSigner));
        }
    }
    if operation
        .home_domain
        .as_ref()
        .is_some_and(|domain| !is_printable(domain.as_slice()))
    {
        return Err(result(SetOptionsResult::InvalidHomeDomain));
    }
    Ok(())
}

pub fn apply(operation: &SetOptionsOp, scene: Scene) -> Outcome {
    let Some(mut source) = account::load(scene.overlay, scene.source) else {
        return Err(OperationResult::OpNoAccount);
    };
    if let Some(destination) = &operation.inflation_dest {
        if destination != scene.source && account::load(scene.overlay, destination).is_none() {
            return Err(result(SetOptionsResult::InvalidInflation));
        }
        source.inflation_dest = Some(destination.clone());
    }
    change_flags(operation, &mut source).map_err(result)?;
    if let Some(domain) = &operation.home_domain {
        source.home_domain = domain.clone();
    }
    let weights = [
        operation.master_weight,
        operation.low_threshold,
        operation.med_threshold,
        operation.high_threshold,
    ];
    for (place, weight) in source.thresholds.0.iter_mut().zip(weights) {
        if let Some(weight) = weight {
            // `check` has seen that it fits a byte.
            *place = u8::try_from(weight).unwrap_or(u8::MAX);
        }
    }
    if let Some(signer) = &operation.signer {
        change_signer(signer, &mut source, scene.header)?;
    }
    account::store(scene.overlay, source);
    Ok(result(SetOptionsResult::Success))
}

fn change_flags(
    operation: &SetOptionsOp,
    source: &mut AccountEntry,
) -> Result<(), SetOptionsResult> {
    let set = operation.set_flags.unwrap_or(0);
    let clear = operation.clear_flags.unwrap_or(0);
    if source.flags & IMMUTABLE != 0 && (set | clear) & KNOWN != 0 {
        return Err(SetOptionsResult::CantChange);
    }
    let flags = (source.flags & !clear) | set;
    if flags & CLAWBACK != 0 && flags & REVOCABLE == 0 {
        return Err(SetOptionsResult::AuthRevocableRequired);
    }
    source.flags = flags;
    Ok(())
}

fn change_signer(
    signer: &Signer,
    source: &mut AccountEntry,
    header: &LedgerHeader,
) -> Result<(), OperationResult> {
    let mut signers = source.signers.to_vec();
    let found = signers.iter().position(|other| other.key == signer.key);
    match (found, signer.weight) {
        (None, 0) => {}
        (Some(at), 0) => {
            signers.remove(at);
            source.num_sub_entries = source.num_sub_entries.saturating_sub(1);
        }
        (Some(at), weight) => signers[at].weight = weight,
        (None, _) => {
            if signers.len() >= 20 {
                return Err(result(SetOptionsResult::TooManySigners));
            }
            match account::own_one_more(source, header) {
                Owning::Done => {}
                Owning::LowReserve => return Err(result(SetOptionsResult::LowReserve)),
                Owning::TooMany => return Err(OperationResult::OpTooManySubentries),
            }
            signers.push(signer.clone());
            signers.sort_by(|left, right| left.key.cmp(&right.key));
        }
    }
    let signers = VecM::try_from(signers).map_err(|_| result(SetOptionsResult::TooManySigners))?;
    account::set_signers(source, signers);
    Ok(())
}
