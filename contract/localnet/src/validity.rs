//! Whether a transaction may enter a ledger, in the order in which core asks
//! (`TransactionFrame::commonValid`, `FeeBumpTransactionFrame::checkValid`): the order decides the
//! code of a transaction with several faults.

use crate::account::{self, Threshold};
use crate::classic;
use crate::envelope::{Envelope, is_soroban};
use crate::fees;
use crate::ledger::{Source, encoded_len, is_persistent};
use crate::settings::Settings;
use crate::signature::SignatureCheck;
use crate::{asset, soroban};
use std::collections::HashSet;
use stellar_xdr::TransactionResultResult as Code;
use stellar_xdr::*;

/// Why a transaction is refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub code: Code,
    /// The fault is in the transaction inside a fee bump.
    pub inner: bool,
    /// Found only after the sequence number was seen to be right, so a transaction that is already
    /// in a ledger uses it up.
    pub uses_sequence: bool,
    /// For people: what exactly was wrong where the code leaves room.
    pub reason: Option<String>,
    /// The fee in stroops that would have been enough, where it is not the one that would have been
    /// charged.
    pub fee: Option<i64>,
}

impl Refusal {
    pub fn new(code: Code) -> Self {
        Self {
            code,
            inner: false,
            uses_sequence: false,
            reason: None,
            fee: None,
        }
    }

    /// The fee was too low, and `fee` stroops would have been enough.
    pub fn underbid(fee: i64) -> Self {
        Self {
            fee: Some(fee),
            ..Self::new(Code::TxInsufficientFee)
        }
    }

    pub fn because(code: Code, reason: impl Into<String>) -> Self {
        Self {
            reason: Some(reason.into()),
            ..Self::new(code)
        }
    }
}

/// The ledger that a transaction is held against.
pub struct Rules<'a> {
    pub source: &'a dyn Source,
    /// Number and close time of the ledger the transaction would enter.
    pub header: &'a LedgerHeader,
    pub settings: &'a Settings,
    /// Seconds that an upper time bound must lie ahead, so that nothing is accepted that will be
    /// too late when its ledger closes. Zero while a ledger is applied.
    pub upper_allowance_s: u64,
    /// While a ledger is applied the fee has been taken already.
    pub applying: bool,
}

impl Rules<'_> {
    /// All checks before a transaction enters a ledger. `current` overrides the source's sequence
    /// number where other transactions of the same account stand before this one.
    pub fn check(&self, envelope: &Envelope, current: Option<i64>) -> Result<(), Refusal> {
        self.check_fee_fields(envelope)?;
        if envelope.fee_bump().is_some() {
            self.check_fee_bump(envelope)?;
        }
        let inner = envelope.fee_bump().is_some();
        self.check_inner(envelope, current)
            .map_err(|refusal| Refusal { inner, ..refusal })
    }

    fn check_inner(&self, envelope: &Envelope, current: Option<i64>) -> Result<(), Refusal> {
        let mut signatures = SignatureCheck::new(
            envelope.transaction_hash(),
            envelope.transaction_signatures(),
            envelope.verified(),
        );
        self.common(envelope, &mut signatures, current)?;
        let operations = &envelope.transaction().operations;
        for (at, operation) in operations.iter().enumerate() {
            let checked = self
                .check_authority(envelope, operation, &mut signatures)
                .and_then(|()| self.check_operation(envelope, operation));
            if let Err(result) = checked {
                // Core stops at the first fault; the others keep the result they began with.
                let mut results: Vec<OperationResult> = operations
                    .iter()
                    .map(|other| initial_result(&other.body))
                    .collect();
                results[at] = result;
                let results = VecM::try_from(results).unwrap_or_default();
                return Err(Refusal::new(Code::TxFailed(results)));
            }
        }
        if !signatures.all_used() {
            return Err(Refusal::new(Code::TxBadAuthExtra));
        }
        Ok(())
    }

    /// Core: XDRProvidesValidFee. Without these the fee cannot be computed at all.
    fn check_fee_fields(&self, envelope: &Envelope) -> Result<(), Refusal> {
        let malformed = |reason: &str| Err(Refusal::because(Code::TxMalformed, reason));
        if !envelope.is_soroban() {
            return Ok(());
        }
        if envelope.soroban_data().is_none() {
            return malformed("a contract operation without its resources");
        }
        if !(0..=fees::RESOURCE_FEE_MAX).contains(&envelope.resource_fee()) {
            return malformed("the resource fee is out of range");
        }
        // A bump may pay for resources that the inner fee, of 32 bits, cannot name.
        if envelope.inclusion_fee() < 0 {
            return malformed("the fee is lower than the resource fee within it");
        }
        Ok(())
    }

    fn check_fee_bump(&self, envelope: &Envelope) -> Result<(), Refusal> {
        let Some(bump) = envelope.fee_bump() else {
            return Ok(());
        };
        let outer_min = fees::inclusion_min(envelope, self.header);
        if envelope.inclusion_fee() < outer_min {
            return Err(Refusal::new(Code::TxInsufficientFee));
        }
        // CAP-15: the bump must bid at least the inner transaction's rate.
        let inner_bid = i64::from(envelope.transaction().fee) - envelope.resource_fee();
        let inner_min = (envelope.fee_operations() - 1) * i64::from(self.header.base_fee);
        let outer_rate = i128::from(envelope.inclusion_fee()) * i128::from(inner_min);
        let asked = i128::from(inner_bid) * i128::from(outer_min);
        if outer_rate < asked {
            let divisor = i128::from(inner_min);
            let bid = i64::try_from((asked + divisor - 1) / divisor).unwrap_or(i64::MAX);
            return Err(Refusal::underbid(
                bid.saturating_add(envelope.resource_fee()),
            ));
        }
        let payer = account::load(self.source, &envelope.fee_source())
            .ok_or_else(|| Refusal::new(Code::TxNoAccount))?;
        let mut signatures = SignatureCheck::new(
            envelope.hash(),
            bump.signatures.as_slice(),
            envelope.verified(),
        );
        let low = account::threshold(&payer, Threshold::Low);
        if !signatures.reaches(&account::signers(&payer), low) {
            return Err(Refusal::new(Code::TxBadAuth));
        }
        if !self.applying && account::available(&payer, self.header) < envelope.fee_max() {
            return Err(Refusal::new(Code::TxInsufficientBalance));
        }
        if !signatures.all_used() {
            return Err(Refusal::new(Code::TxBadAuthExtra));
        }
        Ok(())
    }

    /// What holds for the transaction as a whole.
    pub fn common(
        &self,
        envelope: &Envelope,
        signatures: &mut SignatureCheck,
        current: Option<i64>,
    ) -> Result<(), Refusal> {
        let transaction = envelope.transaction();
        self.check_form(envelope)?;
        self.check_bounds(&transaction.cond)?;
        if envelope.fee_bump().is_none()
            && envelope.inclusion_fee() < fees::inclusion_min(envelope, self.header)
        {
            return Err(Refusal::new(Code::TxInsufficientFee));
        }
        let source = account::load(self.source, &envelope.source())
            .ok_or_else(|| Refusal::new(Code::TxNoAccount))?;
        let sequence = current.unwrap_or(source.seq_num.0);
        if !self.sequence_follows(transaction, sequence) {
            return Err(Refusal::because(
                Code::TxBadSeq,
                format!("the account's sequence number is {sequence}"),
            ));
        }
        self.check_account(envelope, &source, signatures)
            .map_err(|code| Refusal {
                uses_sequence: true,
                ..Refusal::new(code)
            })
    }

    fn check_form(&self, envelope: &Envelope) -> Result<(), Refusal> {
        let transaction = envelope.transaction();
        if let Preconditions::V2(conditions) = &transaction.cond {
            let extra = conditions.extra_signers.as_slice();
            let is_double = extra.len() == 2 && extra[0] == extra[1];
            let is_empty = extra.iter().any(|signer| {
                matches!(signer, SignerKey::Ed25519SignedPayload(p) if p.payload.is_empty())
            });
            if is_double || is_empty {
                return Err(Refusal::new(Code::TxMalformed));
            }
        }
        let operations = transaction.operations.as_slice();
        if operations.is_empty() {
            return Err(Refusal::new(Code::TxMissingOperation));
        }
        let contract_operations = operations
            .iter()
            .filter(|operation| is_soroban(&operation.body))
            .count();
        if contract_operations > 0 && operations.len() != 1 {
            let reason = "a contract operation must be the only one";
            return Err(Refusal::because(Code::TxMalformed, reason));
        }
        match envelope.soroban_data() {
            Some(data) if contract_operations == 1 => self
                .check_resources(envelope, &operations[0], data)
                .map_err(|reason| Refusal::because(Code::TxSorobanInvalid, reason)),
            Some(_) => Err(Refusal::because(
                Code::TxMalformed,
                "resources are declared but there is no contract operation",
            )),
            None => Ok(()),
        }
    }

    /// Core: validateSorobanMemo, checkSorobanResources and the checks after it.
    fn check_resources(
        &self,
        envelope: &Envelope,
        operation: &Operation,
        data: &SorobanTransactionData,
    ) -> Result<(), String> {
        let transaction = envelope.transaction();
        let is_muxed = |account: &MuxedAccount| matches!(account, MuxedAccount::MuxedEd25519(_));
        if matches!(operation.body, OperationBody::InvokeHostFunction(_))
            && (transaction.memo != Memo::None
                || is_muxed(&transaction.source_account)
                || operation.source_account.as_ref().is_some_and(is_muxed))
        {
            return Err("a contract invocation takes no memo and no muxed account".to_owned());
        }

        let settings = self.settings;
        let resources = &data.resources;
        let footprint = &resources.footprint;
        let entries = footprint.read_only.len() + footprint.read_write.len();
        let within = |what: &str, value: u64, limit: u64| {
            if value <= limit {
                Ok(())
            } else {
                Err(format!("{what}: {value} of at most {limit}"))
            }
        };
        let cost = &settings.ledger_cost;
        within(
            "instructions",
            u64::from(resources.instructions),
            settings.compute.tx_max_instructions.unsigned_abs(),
        )?;
        within(
            "disk read bytes",
            u64::from(resources.disk_read_bytes),
            u64::from(cost.tx_max_disk_read_bytes),
        )?;
        within(
            "write bytes",
            u64::from(resources.write_bytes),
            u64::from(cost.tx_max_write_bytes),
        )?;
        within(
            "footprint entries",
            entries as u64,
            u64::from(settings.footprint_entries_max),
        )?;
        within(
            "disk read entries",
            u64::from(fees::disk_read_entries(data, &operation.body)),
            u64::from(cost.tx_max_disk_read_entries),
        )?;
        within(
            "write entries",
            footprint.read_write.len() as u64,
            u64::from(cost.tx_max_write_ledger_entries),
        )?;
        let mut seen = HashSet::new();
        for key in footprint
            .read_only
            .iter()
            .chain(footprint.read_write.iter())
        {
            self.check_key(key)?;
            if !seen.insert(key) {
                return Err("a key stands in the footprint twice".to_owned());
            }
        }
        within(
            "transaction bytes",
            u64::from(envelope.size_bytes()),
            u64::from(settings.bandwidth.tx_max_size_bytes),
        )?;
        check_archived(data)?;
        let least = fees::non_refundable(settings, envelope);
        if data.resource_fee < least {
            return Err(format!(
                "the resource fee is {} and the declared resources cost {least}",
                data.resource_fee
            ));
        }
        Ok(())
    }

    fn check_key(&self, key: &LedgerKey) -> Result<(), String> {
        match key {
            LedgerKey::Account(_) | LedgerKey::ContractData(_) | LedgerKey::ContractCode(_) => {}
            LedgerKey::Trustline(line) => {
                let valid = asset::of_line(&line.asset).is_some_and(|asset| {
                    asset::is_valid(&asset)
                        && asset::issuer(&asset).is_some_and(|issuer| *issuer != line.account_id)
                });
                if !valid {
                    return Err("the footprint has a trustline that cannot exist".to_owned());
                }
            }
            _ => return Err("the footprint has a key that contracts cannot reach".to_owned()),
        }
        let (size, limit) = (encoded_len(key), self.settings.contract_key_bytes_max);
        if size > limit {
            return Err(format!("a key of {size} bytes, at most {limit}"));
        }
        Ok(())
    }

    fn check_bounds(&self, conditions: &Preconditions) -> Result<(), Refusal> {
        let (time, ledgers) = match conditions {
            Preconditions::None => (None, None),
            Preconditions::Time(time) => (Some(time), None),
            Preconditions::V2(v2) => (v2.time_bounds.as_ref(), v2.ledger_bounds.as_ref()),
        };
        let now = self.header.scp_value.close_time.0;
        let ledger = self.header.ledger_seq;
        let too_early = time.is_some_and(|time| time.min_time.0 > now)
            || ledgers.is_some_and(|ledgers| ledgers.min_ledger > ledger);
        if too_early {
            return Err(Refusal::new(Code::TxTooEarly));
        }
        let latest = now.saturating_add(self.upper_allowance_s);
        let too_late = time.is_some_and(|time| time.max_time.0 != 0 && time.max_time.0 < latest)
            || ledgers.is_some_and(|l| l.max_ledger != 0 && l.max_ledger <= ledger);
        if too_late {
            return Err(Refusal::new(Code::TxTooLate));
        }
        Ok(())
    }

    fn sequence_follows(&self, transaction: &Transaction, current: i64) -> bool {
        let wanted = transaction.seq_num.0;
        // The first number of a new account of this ledger must not be usable in it.
        if wanted == i64::from(self.header.ledger_seq) << 32 {
            return false;
        }
        if let Preconditions::V2(PreconditionsV2 {
            min_seq_num: Some(least),
            ..
        }) = &transaction.cond
        {
            return current >= least.0 && current < wanted;
        }
        current != i64::MAX && current + 1 == wanted
    }

    fn check_account(
        &self,
        envelope: &Envelope,
        source: &AccountEntry,
        signatures: &mut SignatureCheck,
    ) -> Result<(), Code> {
        if let Preconditions::V2(conditions) = &envelope.transaction().cond {
            let (moved_ledger, moved_time) = account::sequence_moved(source);
            let now = self.header.scp_value.close_time.0;
            let old_enough = now
                .checked_sub(conditions.min_seq_age.0)
                .is_some_and(|time| time >= moved_time);
            let far_enough = self
                .header
                .ledger_seq
                .checked_sub(conditions.min_seq_ledger_gap)
                .is_some_and(|ledger| ledger >= moved_ledger);
            if !old_enough || !far_enough {
                return Err(Code::TxBadMinSeqAgeOrGap);
            }
        }
        let low = account::threshold(source, Threshold::Low);
        if !signatures.reaches(&account::signers(source), low) {
            return Err(Code::TxBadAuth);
        }
        if let Preconditions::V2(conditions) = &envelope.transaction().cond {
            for key in conditions.extra_signers.iter() {
                let signer = Signer {
                    key: key.clone(),
                    weight: 1,
                };
                if !signatures.reaches(&[signer], 1) {
                    return Err(Code::TxBadAuth);
                }
            }
        }
        let pays = envelope.fee_bump().is_none();
        let fee = if self.applying { 0 } else { envelope.fee_max() };
        if pays && account::available(source, self.header) < fee {
            return Err(Code::TxInsufficientBalance);
        }
        Ok(())
    }

    /// Whether an operation's source exists and has signed with enough weight.
    pub fn check_authority(
        &self,
        envelope: &Envelope,
        operation: &Operation,
        signatures: &mut SignatureCheck,
    ) -> Result<(), OperationResult> {
        let level = classic::threshold(&operation.body);
        match account::load(self.source, &operation_source(envelope, operation)) {
            Some(account) => {
                let weight = account::threshold(&account, level);
                if signatures.reaches(&account::signers(&account), weight) {
                    Ok(())
                } else {
                    Err(OperationResult::OpBadAuth)
                }
            }
            // The account may yet be made by an operation before this one: then its master key
            // must have signed, which is seen when the ledger is applied.
            None if !self.applying && operation.source_account.is_some() => {
                let source = operation_source(envelope, operation);
                let key = SignerKey::Ed25519(account::public_key(&source).clone());
                if signatures.reaches(&[Signer { key, weight: 1 }], 0) {
                    Ok(())
                } else {
                    Err(OperationResult::OpBadAuth)
                }
            }
            None => Err(OperationResult::OpNoAccount),
        }
    }

    /// What an operation's own rules say without the ledger.
    pub fn check_operation(
        &self,
        envelope: &Envelope,
        operation: &Operation,
    ) -> Result<(), OperationResult> {
        match envelope.soroban_data() {
            Some(data) => soroban::check(&operation.body, data, self.settings),
            None => classic::check(&operation.body, &operation_source(envelope, operation)),
        }
    }
}

/// The account that an operation acts for.
pub fn operation_source(envelope: &Envelope, operation: &Operation) -> AccountId {
    operation
        .source_account
        .as_ref()
        .map_or_else(|| envelope.source(), account::id_of)
}

/// CAP-66: positions in the read-write footprint, ascending, of persistent entries.
fn check_archived(data: &SorobanTransactionData) -> Result<(), String> {
    let mut last = None;
    for index in fees::archived_indices(data) {
        if last.is_some_and(|last| *index <= last) {
            return Err("archived entries are not in ascending order".to_owned());
        }
        last = Some(*index);
        match data.resources.footprint.read_write.get(*index as usize) {
            Some(key) if is_persistent(key) => {}
            Some(_) => return Err("an archived entry is not persistent".to_owned()),
            None => return Err("an archived entry is outside the footprint".to_owned()),
        }
    }
    Ok(())
}

/// The result of an operation that has not been looked at: success, as core initialises it.
pub fn initial_result(body: &OperationBody) -> OperationResult {
    use OperationResultTr as R;
    let result = match body {
        OperationBody::CreateAccount(_) => R::CreateAccount(CreateAccountResult::Success),
        OperationBody::Payment(_) => R::Payment(PaymentResult::Success),
        OperationBody::SetOptions(_) => R::SetOptions(SetOptionsResult::Success),
        OperationBody::ChangeTrust(_) => R::ChangeTrust(ChangeTrustResult::Success),
        OperationBody::ManageData(_) => R::ManageData(ManageDataResult::Success),
        OperationBody::BumpSequence(_) => R::BumpSequence(BumpSequenceResult::Success),
        OperationBody::SetTrustLineFlags(_) => {
            R::SetTrustLineFlags(SetTrustLineFlagsResult::Success)
        }
        OperationBody::InvokeHostFunction(_) => {
            R::InvokeHostFunction(InvokeHostFunctionResult::Success(Hash([0; 32])))
        }
        OperationBody::ExtendFootprintTtl(_) => {
            R::ExtendFootprintTtl(ExtendFootprintTtlResult::Success)
        }
        OperationBody::RestoreFootprint(_) => R::RestoreFootprint(RestoreFootprintResult::Success),
        _ => return OperationResult::OpNotSupported,
    };
    OperationResult::OpInner(result)
}
