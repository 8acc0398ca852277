//! The classic operations a venue needs, one file each. `check` is what can be said without the
//! ledger; `apply` does the work. Both answer with the network's own result codes. Rules are those
//! of the operation's frame in stellar-core (`src/transactions/*OpFrame.cpp`).

mod bump_sequence;
mod change_trust;
mod create_account;
mod manage_data;
mod payment;
mod set_options;
mod set_trust_line_flags;

use crate::account::Threshold;
use crate::ledger::Overlay;
use stellar_xdr::*;

/// Where an operation happens.
pub struct Scene<'a, 'b> {
    pub overlay: &'a mut Overlay<'b>,
    pub header: &'a LedgerHeader,
    /// The account that the operation acts for.
    pub source: &'a AccountId,
}

/// Success or refusal, both with the code that the network would give.
pub type Outcome = Result<OperationResult, OperationResult>;

/// The signature weight that an operation asks of its source.
pub fn threshold(body: &OperationBody) -> Threshold {
    match body {
        OperationBody::SetTrustLineFlags(_)
        | OperationBody::AllowTrust(_)
        | OperationBody::BumpSequence(_)
        | OperationBody::ClaimClaimableBalance(_)
        | OperationBody::Inflation
        | OperationBody::ExtendFootprintTtl(_)
        | OperationBody::RestoreFootprint(_) => Threshold::Low,
        OperationBody::AccountMerge(_) => Threshold::High,
        OperationBody::SetOptions(operation) => set_options::threshold(operation),
        _ => Threshold::Medium,
    }
}

pub fn check(body: &OperationBody, source: &AccountId) -> Result<(), OperationResult> {
    match body {
        OperationBody::CreateAccount(operation) => create_account::check(operation, source),
        OperationBody::Payment(operation) => payment::check(operation),
        OperationBody::ChangeTrust(operation) => change_trust::check(operation, source),
        OperationBody::SetTrustLineFlags(operation) => {
            set_trust_line_flags::check(operation, source)
        }
        OperationBody::SetOptions(operation) => set_options::check(operation, source),
        OperationBody::ManageData(operation) => manage_data::check(operation),
        OperationBody::BumpSequence(operation) => bump_sequence::check(operation),
        _ => Err(OperationResult::OpNotSupported),
    }
}

pub fn apply(body: &OperationBody, scene: Scene) -> Outcome {
    match body {
        OperationBody::CreateAccount(operation) => create_account::apply(operation, scene),
        OperationBody::Payment(operation) => payment::apply(operation, scene),
        OperationBody::ChangeTrust(operation) => change_trust::apply(operation, scene),
        OperationBody::SetTrustLineFlags(operation) => {
            set_trust_line_flags::apply(operation, scene)
        }
        OperationBody::SetOptions(operation) => set_options::apply(operation, scene),
        OperationBody::ManageData(operation) => manage_data::apply(operation, scene),
        OperationBody::BumpSequence(operation) => bump_sequence::apply(operation, scene),
        _ => Err(OperationResult::OpNotSupported),
    }
}

/// A name or domain may hold ASCII without control characters (core: isStringValid).
fn is_printable(text: &[u8]) -> bool {
    text.iter()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_control())
}
