//! Closing a ledger: which of the candidates enter, in what order they are applied, and the header
//! and metadata that come out.

use super::capacity::Capacity;
use super::entry::{Source, encode};
use super::overlay::Overlay;
use super::snapshot::{Snapshot, header_hash};
use crate::apply::{self, Applied, Making};
use crate::envelope::Envelope;
use crate::fees;
use crate::network::sha256;
use crate::soroban::Modules;
use crate::validity::{Refusal, Rules};
use std::collections::HashMap;
use stellar_xdr::*;

/// A chain of ledgers: the last one and what it takes to make the next.
pub struct Ledger {
    snapshot: Snapshot,
    modules: Modules,
}

/// A closed ledger and what became of the candidates.
pub struct Closed {
    pub meta: LedgerCloseMeta,
    /// In the order in which they were applied.
    pub applied: Vec<Applied>,
    /// What could not enter, and never will in this form.
    pub refused: Vec<(Envelope, Refusal)>,
    /// What did not fit and may enter a later ledger.
    pub left: Vec<Envelope>,
}

impl Ledger {
    pub fn new(snapshot: Snapshot) -> Result<Self, String> {
        let modules = Modules::of(&snapshot)?;
        Ok(Self { snapshot, modules })
    }

    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Forgets temporary entries that have expired.
    pub fn sweep(&mut self) {
        self.snapshot.sweep();
    }

    /// Whether a transaction could enter the next ledger. `upper_allowance_s`: see [`Rules`].
    pub fn check(&self, envelope: &Envelope, upper_allowance_s: u64) -> Result<(), Refusal> {
        check(&self.snapshot, envelope, upper_allowance_s)
    }

    /// Closes the next ledger at `close_time` (Unix seconds), but never before the last one's.
    pub fn close(&mut self, close_time: u64, candidates: Vec<Envelope>) -> Result<Closed, String> {
        self.close_with(close_time, Vec::new(), candidates)
    }

    /// The same with transactions that come before all others and need no room: friendbot's.
    pub fn close_with(
        &mut self,
        close_time: u64,
        first: Vec<Envelope>,
        candidates: Vec<Envelope>,
    ) -> Result<Closed, String> {
        let previous = self.snapshot.clone();
        let settings = previous.settings().clone();
        let mut header = next_header(&previous, close_time);
        let (admitted, refused, left) = admit(&previous, &header, first, candidates);

        let making = Making {
            header: &header,
            settings: &settings,
            network_id: previous.network().id(),
            modules: &self.modules,
        };
        let mut overlay = Overlay::new(&previous, header.ledger_seq);
        // All fees are taken before anything is applied, and given back after everything was.
        let mut applying: Vec<_> = admitted
            .into_iter()
            .map(|envelope| apply::charge(envelope, &mut overlay, &making))
            .collect();
        for (one, index) in applying.iter_mut().zip(0u32..) {
            one.execute(&mut overlay, &making, index);
        }
        let applied: Vec<Applied> = applying
            .into_iter()
            .map(|one| one.refund(&mut overlay, &making))
            .collect();

        let tx_set = transaction_set(&previous, &applied);
        let processing: Vec<TransactionResultMetaV1> =
            applied.iter().map(|one| one.processing.clone()).collect();
        header.scp_value.tx_set_hash = Hash(sha256(&encode(&tx_set)));
        header.tx_set_result_hash = apply::result_hash(&processing);
        header.fee_pool += applied.iter().map(|one| one.cost.fee_charged).sum::<i64>();
        header.bucket_list_hash = state_digest(&header.bucket_list_hash, &overlay);

        let changed = overlay.into_changed();
        for stored in changed.values().flatten() {
            // A module that cannot be parsed was refused by the host before it became an entry.
            self.modules.add(stored, &settings)?;
        }
        let meta = close_meta(&header, tx_set, processing);
        self.snapshot = previous.successor(header, changed);
        Ok(Closed {
            meta,
            applied,
            refused,
            left,
        })
    }

    /// Takes a ledger that was closed before, as its metadata describes it.
    pub fn replay(&mut self, meta: &LedgerCloseMeta) -> Result<(), String> {
        let snapshot = super::replay::successor(&self.snapshot, meta)?;
        let changed = super::replay::changed_entries(meta);
        for key in changed {
            if let Some(stored) = snapshot.get(&key) {
                self.modules.add(&stored, snapshot.settings())?;
            }
        }
        self.snapshot = snapshot;
        Ok(())
    }
}

/// Whether a transaction could enter the ledger after `snapshot`.
pub fn check(
    snapshot: &Snapshot,
    envelope: &Envelope,
    upper_allowance_s: u64,
) -> Result<(), Refusal> {
    let mut header = snapshot.header().clone();
    header.ledger_seq += 1;
    let rules = Rules {
        source: snapshot,
        header: &header,
        settings: snapshot.settings(),
        upper_allowance_s,
        applying: false,
    };
    rules.check(envelope, None)
}

fn next_header(previous: &Snapshot, close_time: u64) -> LedgerHeader {
    let mut header = previous.header().clone();
    header.previous_ledger_hash = previous.hash().clone();
    header.ledger_seq += 1;
    header.scp_value.close_time = TimePoint(close_time.max(previous.close_time()));
    header
}

type Admitted = (Vec<Envelope>, Vec<(Envelope, Refusal)>, Vec<Envelope>);

/// Sorts the candidates into those that enter, those that are invalid by now, and those that must
/// wait. Classic transactions are applied before contract ones (CAP-63).
fn admit(
    previous: &Snapshot,
    header: &LedgerHeader,
    first: Vec<Envelope>,
    candidates: Vec<Envelope>,
) -> Admitted {
    let settings = previous.settings();
    let rules = Rules {
        source: previous,
        header,
        settings,
        upper_allowance_s: 0,
        applying: false,
    };
    let mut capacity = Capacity::new(settings, header.max_tx_set_size);
    let mut sequences: HashMap<AccountId, i64> = HashMap::new();
    let (mut classic, mut contracts) = (Vec::new(), Vec::new());
    let (mut refused, mut left) = (Vec::new(), Vec::new());
    let first = first.into_iter().map(|envelope| (envelope, false));
    let candidates = candidates.into_iter().map(|envelope| (envelope, true));
    for (envelope, needs_room) in first.chain(candidates) {
        let source = envelope.source();
        if let Err(refusal) = rules.check(&envelope, sequences.get(&source).copied()) {
            refused.push((envelope, refusal));
        } else if needs_room && !capacity.admit(&envelope) {
            left.push(envelope);
        } else {
            sequences.insert(source, envelope.transaction().seq_num.0);
            if envelope.is_soroban() {
                contracts.push(envelope)
            } else {
                classic.push(envelope)
            }
        }
    }
    classic.append(&mut contracts);
    (classic, refused, left)
}

fn list<T>(items: Vec<T>) -> VecM<T> {
    // A ledger's lists are bounded by its capacity, far below 2^32.
    VecM::try_from(items).unwrap_or_default()
}

fn transaction_set(previous: &Snapshot, applied: &[Applied]) -> GeneralizedTransactionSet {
    let base_fee = Some(i64::from(previous.header().base_fee));
    let (contracts, classic): (Vec<&Applied>, Vec<&Applied>) =
        applied.iter().partition(|one| one.envelope.is_soroban());
    let envelopes = |of: Vec<&Applied>| {
        list(
            of.into_iter()
                .map(|one| one.envelope.xdr().clone())
                .collect(),
        )
    };
    let components = if classic.is_empty() {
        Vec::new()
    } else {
        vec![TxSetComponent::TxsetCompTxsMaybeDiscountedFee(
            TxSetComponentTxsMaybeDiscountedFee {
                base_fee,
                txs: envelopes(classic),
            },
        )]
    };
    let stages = if contracts.is_empty() {
        Vec::new()
    } else {
        vec![ParallelTxExecutionStage(list(vec![DependentTxCluster(
            envelopes(contracts),
        )]))]
    };
    GeneralizedTransactionSet::V1(TransactionSetV1 {
        previous_ledger_hash: previous.hash().clone(),
        phases: list(vec![
            TransactionPhase::V0(list(components)),
            TransactionPhase::V1(ParallelTxsComponent {
                base_fee,
                execution_stages: list(stages),
            }),
        ]),
    })
}

/// The header's commitment to the state: the last one, hashed with what this ledger changed. (On
/// the network it is the root of the bucket list, which needs all the state at hand.)
pub(super) fn state_digest(last: &Hash, overlay: &Overlay) -> Hash {
    let changes = overlay.changes();
    if changes.0.is_empty() {
        return last.clone();
    }
    let mut bytes = last.0.to_vec();
    bytes.extend(encode(&changes));
    Hash(sha256(&bytes))
}

fn close_meta(
    header: &LedgerHeader,
    tx_set: GeneralizedTransactionSet,
    processing: Vec<TransactionResultMetaV1>,
) -> LedgerCloseMeta {
    LedgerCloseMeta::V2(LedgerCloseMetaV2 {
        ext: LedgerCloseMetaExt::V0,
        ledger_header: LedgerHeaderHistoryEntry {
            hash: header_hash(header),
            header: header.clone(),
            ext: LedgerHeaderHistoryEntryExt::V0,
        },
        tx_set,
        tx_processing: list(processing),
        upgrades_processing: VecM::default(),
        scp_info: VecM::default(),
        total_byte_size_of_live_soroban_state: 0,
        evicted_keys: VecM::default(),
    })
}

/// The result a transaction gets that is refused before it enters a ledger. It names the fee that
/// would have been charged.
pub fn refusal_result(
    snapshot: &Snapshot,
    envelope: &Envelope,
    refusal: &Refusal,
) -> TransactionResult {
    let fee = match refusal.code {
        // Without a fee that makes sense none is named.
        TransactionResultResult::TxMalformed => 0,
        _ => fees::named_in_refusal(envelope, snapshot.header()),
    };
    apply::refused(envelope, fee, refusal, false)
}
