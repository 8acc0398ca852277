//! Applying a transaction to a ledger: fee, sequence number, operations, refund. The steps and
//! their order are core's (`processFeeSeqNum`, `apply`, `processPostTxSetApply`).

use crate::account;
use crate::classic::{self, Scene};
use crate::envelope::Envelope;
use crate::fees::{self, Refundable};
use crate::ledger::{Changed, Overlay, Source, encode};
use crate::network::sha256;
use crate::settings::Settings;
use crate::signature::SignatureCheck;
use crate::soroban::{self, Consumed, Modules, Stage};
use crate::validity::{Refusal, Rules, operation_source};
use stellar_xdr::TransactionResultResult as Code;
use stellar_xdr::*;

/// The ledger that is being made.
pub struct Making<'a> {
    pub header: &'a LedgerHeader,
    pub settings: &'a Settings,
    pub network_id: &'a Hash,
    pub modules: &'a Modules,
}

/// What a transaction cost, in figures and stroops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    pub consumed: Consumed,
    pub size_bytes: u32,
    /// Inclusion fee that was charged.
    pub inclusion_fee: i64,
    pub non_refundable_fee: i64,
    pub events_fee: i64,
    pub rent_fee: i64,
    /// All of it together, after the refund.
    pub fee_charged: i64,
}

/// A transaction between its steps.
pub struct Applying {
    pub envelope: Envelope,
    fee_charged: i64,
    fee_changes: LedgerEntryChanges,
    refundable: Refundable,
    consumed: Consumed,
    code: Option<Result<Code, Refusal>>,
    meta: TransactionMetaV4,
}

pub struct Applied {
    pub envelope: Envelope,
    pub result: TransactionResult,
    pub processing: TransactionResultMetaV1,
    pub cost: Cost,
    pub succeeded: bool,
}

fn list<T>(items: Vec<T>) -> VecM<T> {
    // Every list here is bounded by what a transaction may hold, far below 2^32.
    VecM::try_from(items).unwrap_or_default()
}

/// Takes the fee; `base_fee` is what inclusion costs per operation. An account that has less pays what it has, and fails later for it.
pub fn charge(
    envelope: Envelope,
    base_fee: i64,
    overlay: &mut Overlay,
    making: &Making,
) -> Applying {
    let mut fees_overlay = overlay.nested();
    let mut fee_charged = 0;
    if let Some(mut payer) = account::load(&fees_overlay, &envelope.fee_source()) {
        fee_charged = fees::charged_before(&envelope, base_fee)
            .min(payer.balance)
            .max(0);
        payer.balance -= fee_charged;
        account::store(&mut fees_overlay, payer);
    }
    let fee_changes = fees_overlay.changes();
    let changed = fees_overlay.into_changed();
    overlay.absorb(changed);
    let refundable = Refundable::new(making.settings, &envelope);
    Applying {
        envelope,
        fee_charged,
        fee_changes,
        refundable,
        consumed: Consumed::default(),
        code: None,
        meta: TransactionMetaV4::default(),
    }
}

impl Applying {
    /// Applies the operations. `index` is the transaction's place in the ledger.
    pub fn execute(&mut self, overlay: &mut Overlay, making: &Making, index: u32) {
        let envelope = self.envelope.clone();
        let mut signatures = SignatureCheck::new(
            envelope.transaction_hash(),
            envelope.transaction_signatures(),
            envelope.verified(),
        );
        let mut before = overlay.nested();
        let checked = rules(&before, making).common(&envelope, &mut signatures, None);
        let uses_sequence = checked.as_ref().map_or_else(|r| r.uses_sequence, |()| true);
        let checked =
            checked.and_then(|()| self.check_signatures(&before, making, &mut signatures));
        if uses_sequence && let Some(mut source) = account::load(&before, &envelope.source()) {
            let sequence = envelope.transaction().seq_num.clone();
            account::move_sequence(&mut source, sequence, making.header);
            account::store(&mut before, source);
        }
        remove_spent_signers(&envelope, &mut before);
        self.meta.tx_changes_before = before.changes();
        let changed = before.into_changed();
        overlay.absorb(changed);

        self.code = Some(match checked {
            Err(refusal) => Err(refusal),
            Ok(()) => Ok(self.execute_operations(overlay, making, index)),
        });
    }

    fn check_signatures(
        &self,
        overlay: &Overlay,
        making: &Making,
        signatures: &mut SignatureCheck,
    ) -> Result<(), Refusal> {
        let refused = |code| Refusal {
            uses_sequence: true,
            ..Refusal::new(code)
        };
        let rules = rules(overlay, making);
        let operations = &self.envelope.transaction().operations;
        let mut results = Vec::with_capacity(operations.len());
        let mut all_signed = true;
        for operation in operations.iter() {
            match rules.check_authority(&self.envelope, operation, signatures) {
                Ok(()) => results.push(crate::validity::initial_result(&operation.body)),
                // An account that an earlier operation makes is not here yet.
                Err(OperationResult::OpNoAccount) => {
                    let relaxed = Rules {
                        applying: false,
                        ..rules
                    };
                    match relaxed.check_authority(&self.envelope, operation, signatures) {
                        Ok(()) => results.push(crate::validity::initial_result(&operation.body)),
                        Err(result) => {
                            all_signed = false;
                            results.push(result);
                        }
                    }
                }
                Err(result) => {
                    all_signed = false;
                    results.push(result);
                }
            }
        }
        if !all_signed {
            return Err(refused(Code::TxFailed(list(results))));
        }
        if !signatures.all_used() {
            return Err(refused(Code::TxBadAuthExtra));
        }
        Ok(())
    }

    fn execute_operations(&mut self, overlay: &mut Overlay, making: &Making, index: u32) -> Code {
        let envelope = self.envelope.clone();
        let mut together = overlay.nested();
        let mut results = Vec::new();
        let mut metas = Vec::new();
        let mut failed = false;
        for operation in envelope.transaction().operations.iter() {
            let mut alone = together.nested();
            let source = operation_source(&envelope, operation);
            let mut events = Vec::new();
            let checked = if account::load(&alone, &source).is_none() {
                Err(OperationResult::OpNoAccount)
            } else {
                rules(&alone, making).check_operation(&envelope, operation)
            };
            let outcome = match (checked, envelope.soroban_data()) {
                (Err(result), _) => Err(result),
                (Ok(()), Some(data)) => {
                    let execution = soroban::apply(
                        &operation.body,
                        Stage {
                            overlay: &mut alone,
                            header: making.header,
                            settings: making.settings,
                            network_id: making.network_id,
                            data,
                            source: &source,
                            seed: seed(making, index),
                            modules: making.modules,
                            refundable: &mut self.refundable,
                        },
                    );
                    self.consumed = execution.consumed;
                    self.meta.diagnostic_events = list(execution.diagnostics);
                    self.meta.soroban_meta = Some(SorobanTransactionMetaV2 {
                        ext: SorobanTransactionMetaExt::V0,
                        return_value: execution.return_value,
                    });
                    events = execution.events;
                    execution.outcome
                }
                (Ok(()), None) => classic::apply(
                    &operation.body,
                    Scene {
                        overlay: &mut alone,
                        header: making.header,
                        source: &source,
                    },
                ),
            };
            match outcome {
                Ok(result) => {
                    metas.push(OperationMetaV2 {
                        ext: ExtensionPoint::V0,
                        changes: alone.changes(),
                        events: list(events),
                    });
                    let changed: Changed = alone.into_changed();
                    together.absorb(changed);
                    results.push(result);
                }
                Err(result) => {
                    failed = true;
                    results.push(result);
                }
            }
        }
        if failed {
            self.refundable.reset();
            return Code::TxFailed(list(results));
        }
        let changed = together.into_changed();
        overlay.absorb(changed);
        self.meta.operations = list(metas);
        Code::TxSuccess(list(results))
    }

    /// Gives back what was not used and closes the books.
    pub fn refund(mut self, overlay: &mut Overlay, making: &Making) -> Applied {
        let mut refund = 0;
        let mut refund_changes = LedgerEntryChanges::default();
        if self.envelope.is_soroban() {
            if !matches!(self.code, Some(Ok(Code::TxSuccess(_)))) {
                self.refundable.reset();
            }
            refund = self.refundable.refund().min(self.fee_charged);
            let mut after = overlay.nested();
            match account::load(&after, &self.envelope.fee_source()) {
                Some(mut payer) if refund > 0 => {
                    payer.balance = payer.balance.saturating_add(refund);
                    account::store(&mut after, payer);
                }
                _ => refund = 0,
            }
            refund_changes = after.changes();
            let changed = after.into_changed();
            overlay.absorb(changed);
        }
        let fee_charged = self.fee_charged - refund;
        let non_refundable = fees::non_refundable(making.settings, &self.envelope);
        if let Some(meta) = &mut self.meta.soroban_meta {
            meta.ext = SorobanTransactionMetaExt::V1(SorobanTransactionMetaExtV1 {
                ext: ExtensionPoint::V0,
                total_non_refundable_resource_fee_charged: non_refundable,
                total_refundable_resource_fee_charged: self.refundable.consumed(),
                rent_fee_charged: self.refundable.rent,
            });
        }
        let succeeded = matches!(self.code, Some(Ok(Code::TxSuccess(_))));
        let result = match self.code {
            Some(Ok(code)) => executed(&self.envelope, fee_charged, code),
            Some(Err(refusal)) => refused(&self.envelope, fee_charged, &refusal, true),
            None => executed(&self.envelope, fee_charged, Code::TxInternalError),
        };
        Applied {
            succeeded,
            cost: Cost {
                consumed: self.consumed,
                size_bytes: self.envelope.size_bytes(),
                inclusion_fee: self.fee_charged - self.envelope.resource_fee(),
                non_refundable_fee: non_refundable,
                events_fee: self.refundable.events,
                rent_fee: self.refundable.rent,
                fee_charged,
            },
            processing: TransactionResultMetaV1 {
                ext: ExtensionPoint::V0,
                result: TransactionResultPair {
                    transaction_hash: self.envelope.hash().clone(),
                    result: result.clone(),
                },
                fee_processing: self.fee_changes,
                tx_apply_processing: TransactionMeta::V4(self.meta),
                post_tx_apply_fee_processing: refund_changes,
            },
            result,
            envelope: self.envelope,
        }
    }
}

fn rules<'a>(source: &'a dyn Source, making: &'a Making) -> Rules<'a> {
    Rules {
        source,
        header: making.header,
        settings: making.settings,
        upper_allowance_s: 0,
        applying: true,
    }
}

/// A signer that is this transaction's hash is spent by it, on every account that takes part; one
/// that is the hash of a fee bump, on the account that pays it.
fn remove_spent_signers(envelope: &Envelope, overlay: &mut Overlay) {
    let pre_authorized = |hash: &Hash| SignerKey::PreAuthTx(Uint256(hash.0));
    let inner = pre_authorized(envelope.transaction_hash());
    let mut spent = vec![(envelope.source(), inner.clone())];
    for operation in envelope.transaction().operations.iter() {
        spent.push((operation_source(envelope, operation), inner.clone()));
    }
    spent.sort();
    spent.dedup();
    if envelope.fee_bump().is_some() {
        spent.insert(0, (envelope.fee_source(), pre_authorized(envelope.hash())));
    }
    for (account_id, key) in spent {
        let Some(mut account) = account::load(overlay, &account_id) else {
            continue;
        };
        let mut signers = account.signers.to_vec();
        signers.retain(|signer| signer.key != key);
        if signers.len() == account.signers.len() {
            continue;
        }
        account.num_sub_entries = account.num_sub_entries.saturating_sub(1);
        account::set_signers(&mut account, VecM::try_from(signers).unwrap_or_default());
        account::store(overlay, account);
    }
}

/// The randomness of a transaction follows from the ledger and its place in it.
fn seed(making: &Making, index: u32) -> [u8; 32] {
    let mut bytes = making.header.previous_ledger_hash.0.to_vec();
    bytes.extend_from_slice(&making.header.ledger_seq.to_be_bytes());
    bytes.extend_from_slice(&index.to_be_bytes());
    sha256(&bytes)
}

fn inner_code(code: &Code) -> InnerTransactionResultResult {
    use InnerTransactionResultResult as Inner;
    match code {
        Code::TxSuccess(results) => Inner::TxSuccess(results.clone()),
        Code::TxFailed(results) => Inner::TxFailed(results.clone()),
        Code::TxTooEarly => Inner::TxTooEarly,
        Code::TxTooLate => Inner::TxTooLate,
        Code::TxMissingOperation => Inner::TxMissingOperation,
        Code::TxBadSeq => Inner::TxBadSeq,
        Code::TxBadAuth => Inner::TxBadAuth,
        Code::TxInsufficientBalance => Inner::TxInsufficientBalance,
        Code::TxNoAccount => Inner::TxNoAccount,
        Code::TxInsufficientFee => Inner::TxInsufficientFee,
        Code::TxBadAuthExtra => Inner::TxBadAuthExtra,
        Code::TxNotSupported => Inner::TxNotSupported,
        Code::TxBadSponsorship => Inner::TxBadSponsorship,
        Code::TxBadMinSeqAgeOrGap => Inner::TxBadMinSeqAgeOrGap,
        Code::TxMalformed => Inner::TxMalformed,
        Code::TxSorobanInvalid => Inner::TxSorobanInvalid,
        Code::TxFrozenKeyAccessed => Inner::TxFrozenKeyAccessed,
        Code::TxInternalError | Code::TxFeeBumpInnerSuccess(_) | Code::TxFeeBumpInnerFailed(_) => {
            Inner::TxInternalError
        }
    }
}

fn inner_pair(envelope: &Envelope, code: &Code) -> InnerTransactionResultPair {
    InnerTransactionResultPair {
        transaction_hash: envelope.transaction_hash().clone(),
        result: InnerTransactionResult {
            // The outer transaction pays.
            fee_charged: 0,
            result: inner_code(code),
            ext: InnerTransactionResultExt::V0,
        },
    }
}

/// The result of a transaction that was applied: a fee bump carries the code of the one inside.
pub fn executed(envelope: &Envelope, fee_charged: i64, code: Code) -> TransactionResult {
    let result = match (&code, envelope.inner_hash()) {
        (_, None) => code,
        (Code::TxSuccess(_), Some(_)) => Code::TxFeeBumpInnerSuccess(inner_pair(envelope, &code)),
        (_, Some(_)) => Code::TxFeeBumpInnerFailed(inner_pair(envelope, &code)),
    };
    TransactionResult {
        fee_charged,
        result,
        ext: TransactionResultExt::V0,
    }
}

/// The result that goes with a refusal. In a ledger every fault of a fee bump is the inner one's.
pub fn refused(
    envelope: &Envelope,
    fee_charged: i64,
    refusal: &Refusal,
    applying: bool,
) -> TransactionResult {
    if refusal.inner || applying {
        return executed(envelope, fee_charged, refusal.code.clone());
    }
    TransactionResult {
        fee_charged,
        result: refusal.code.clone(),
        ext: TransactionResultExt::V0,
    }
}

/// The bytes that a ledger's result hash is over.
pub fn result_hash(processing: &[TransactionResultMetaV1]) -> Hash {
    let results: Vec<TransactionResultPair> =
        processing.iter().map(|one| one.result.clone()).collect();
    Hash(sha256(&encode(&TransactionResultSet {
        results: list(results),
    })))
}
