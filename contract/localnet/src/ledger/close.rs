//! Closing a ledger: which of the candidates enter, in what order they are applied, and the header
//! and metadata that come out.

use super::capacity::Capacity;
use super::entry::{Source, encode};
use super::overlay::Overlay;
use super::room::LedgerLimits;
use super::snapshot::{Snapshot, header_hash};
use crate::apply::{self, Applied, Making};
use crate::envelope::Envelope;
use crate::fees::{self, FeeRate};
use crate::network::sha256;
use crate::soroban::Modules;
use crate::validity::{Refusal, Rules};
use std::cmp::Reverse;
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

/// On what terms a ledger is made, beside the network's settings.
#[derive(Default)]
pub struct Terms {
    /// Unix seconds.
    pub close_time: u64,
    /// Transactions that come before all others and need no room: friendbot's.
    pub first: Vec<Envelope>,
    pub limits: LedgerLimits,
    /// The ledger's number, where it is not the one after the last ledger's.
    pub number: Option<u32>,
    pub order: Order,
}

/// In what order the transactions of a ledger are applied, contract ones always after classic ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As they bid, and those that bid the same as they arrived.
    #[default]
    Bid,
    Reversed,
    /// An order that follows from this number and nothing else.
    Drawn(u64),
}

impl Order {
    fn arrange(self, envelopes: &mut [Envelope]) {
        match self {
            Order::Bid => {}
            Order::Reversed => envelopes.reverse(),
            Order::Drawn(seed) => envelopes.sort_by_cached_key(|envelope| {
                sha256(&[seed.to_be_bytes().as_slice(), &envelope.hash().0].concat())
            }),
        }
    }
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
        self.close_with(
            Terms {
                close_time,
                ..Terms::default()
            },
            candidates,
        )
    }

    /// The same, on terms of one's own.
    pub fn close_with(
        &mut self,
        terms: Terms,
        candidates: Vec<Envelope>,
    ) -> Result<Closed, String> {
        let previous = self.snapshot.clone();
        let settings = previous.settings().clone();
        let mut header = next_header(&previous, &terms);
        let Admission {
            components,
            refused,
            left,
        } = admit(&previous, &header, terms, candidates);

        let making = Making {
            header: &header,
            settings: &settings,
            network_id: previous.network().id(),
            modules: &self.modules,
        };
        let mut overlay = Overlay::new(&previous, header.ledger_seq);
        // All fees are taken before anything is applied, and given back after everything was.
        let tx_set = transaction_set(&previous, &components);
        let mut applying: Vec<_> = components
            .into_iter()
            .flat_map(|part| {
                part.envelopes
                    .into_iter()
                    .map(move |one| (one, part.base_fee))
            })
            .map(|(envelope, base_fee)| apply::charge(envelope, base_fee, &mut overlay, &making))
            .collect();
        for (one, index) in applying.iter_mut().zip(0u32..) {
            one.execute(&mut overlay, &making, index);
        }
        let applied: Vec<Applied> = applying
            .into_iter()
            .map(|one| one.refund(&mut overlay, &making))
            .collect();

        let processing: Vec<TransactionResultMetaV1> =
            applied.iter().map(|one| one.processing.clone()).collect();
        header.scp_value.tx_set_hash = Hash(sha256(&encode(&tx_set)));
        header.tx_set_result_hash = apply::result_hash(&processing);
        header.fee_pool += applied.iter().map(|one| one.cost.fee_charged).sum::<i64>();
        header.bucket_list_hash = overlay.state_digest(&header.bucket_list_hash);

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

fn next_header(previous: &Snapshot, terms: &Terms) -> LedgerHeader {
    let mut header = previous.header().clone();
    header.previous_ledger_hash = previous.hash().clone();
    header.ledger_seq += 1;
    // Numbers only go up.
    header.ledger_seq = terms
        .number
        .map_or(header.ledger_seq, |number| number.max(header.ledger_seq));
    let close_time = terms.close_time.max(previous.close_time());
    header.scp_value.close_time = TimePoint(close_time);
    header
}

/// Transactions that pay the same for inclusion.
struct Component {
    kind: Kind,
    /// Stroops per operation.
    base_fee: i64,
    envelopes: Vec<Envelope>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Classic,
    Contract,
}

struct Admission {
    /// In the order in which they are applied: classic transactions come before contract ones
    /// (CAP-63).
    components: Vec<Component>,
    refused: Vec<(Envelope, Refusal)>,
    left: Vec<Envelope>,
}

/// Sorts the candidates into those that enter, those that are invalid by now, and those that must
/// wait. Who bids more per operation comes first, and who bids the same in the order of arrival.
fn admit(
    previous: &Snapshot,
    header: &LedgerHeader,
    terms: Terms,
    candidates: Vec<Envelope>,
) -> Admission {
    let settings = previous.settings();
    let rules = Rules {
        source: previous,
        header,
        settings,
        upper_allowance_s: 0,
        applying: false,
    };
    let room = terms.limits.ledger_room(settings, header);
    let mut capacity = Capacity::new(room, settings.ledger_clusters_max);
    let mut sequences: HashMap<AccountId, i64> = HashMap::new();
    let (mut first, mut classic, mut contracts) = (Vec::new(), Vec::new(), Vec::new());
    let (mut refused, mut left) = (Vec::new(), Vec::new());
    let gifts = terms.first.into_iter().map(|envelope| (envelope, false));
    let candidates = by_bid(candidates).into_iter();
    let candidates = candidates.map(|envelope| (envelope, true));
    for (envelope, needs_room) in gifts.chain(candidates) {
        let source = envelope.source();
        if let Err(refusal) = rules.check(&envelope, sequences.get(&source).copied()) {
            refused.push((envelope, refusal));
        } else if needs_room && !capacity.admit(&envelope) {
            left.push(envelope);
        } else {
            sequences.insert(source, envelope.transaction().seq_num.0);
            match (needs_room, envelope.is_soroban()) {
                (false, _) => first.push(envelope),
                (true, false) => classic.push(envelope),
                (true, true) => contracts.push(envelope),
            }
        }
    }
    terms.order.arrange(&mut classic);
    terms.order.arrange(&mut contracts);
    let base_fee = i64::from(header.base_fee);
    let component = |kind, envelopes: Vec<Envelope>, base_fee| Component {
        kind,
        base_fee,
        envelopes,
    };
    let (classic_fee, contract_fee) = (
        surge_fee(base_fee, &classic, left.iter().any(|one| !one.is_soroban())),
        surge_fee(base_fee, &contracts, left.iter().any(Envelope::is_soroban)),
    );
    let mut components = vec![
        component(Kind::Classic, first, base_fee),
        component(Kind::Classic, classic, classic_fee),
        component(Kind::Contract, contracts, contract_fee),
    ];
    components.retain(|part| !part.envelopes.is_empty());
    Admission {
        components,
        refused,
        left,
    }
}

/// The highest bid first. An account's transactions keep their order: a later one counts for no
/// more than those before it.
fn by_bid(candidates: Vec<Envelope>) -> Vec<Envelope> {
    let mut least: HashMap<AccountId, FeeRate> = HashMap::new();
    let mut bids: Vec<(FeeRate, Envelope)> = candidates
        .into_iter()
        .map(|envelope| {
            let own = FeeRate::of(&envelope);
            let rate = least.entry(envelope.source()).or_insert(own);
            *rate = own.min(*rate);
            (*rate, envelope)
        })
        .collect();
    bids.sort_by_key(|(rate, _)| Reverse(*rate));
    bids.into_iter().map(|(_, envelope)| envelope).collect()
}

/// What inclusion costs per operation, in stroops. Where somebody had to wait, everybody pays as
/// much as the lowest bid that entered.
fn surge_fee(base_fee: i64, entered: &[Envelope], somebody_waits: bool) -> i64 {
    let lowest = entered.iter().map(|one| FeeRate::of(one).floor()).min();
    match lowest {
        Some(lowest) if somebody_waits => lowest.max(base_fee),
        _ => base_fee,
    }
}

fn list<T>(items: Vec<T>) -> VecM<T> {
    // A ledger's lists are bounded by its capacity, far below 2^32.
    VecM::try_from(items).unwrap_or_default()
}

fn transaction_set(previous: &Snapshot, components: &[Component]) -> GeneralizedTransactionSet {
    let of = |kind: Kind| components.iter().filter(move |part| part.kind == kind);
    let envelopes =
        |part: &Component| list(part.envelopes.iter().map(|one| one.xdr().clone()).collect());
    let classic = of(Kind::Classic).map(|part| {
        TxSetComponent::TxsetCompTxsMaybeDiscountedFee(TxSetComponentTxsMaybeDiscountedFee {
            base_fee: Some(part.base_fee),
            txs: envelopes(part),
        })
    });
    let contracts = of(Kind::Contract).next();
    let base_fee = contracts.map_or_else(
        || i64::from(previous.header().base_fee),
        |part| part.base_fee,
    );
    let stages = contracts
        .map(|part| ParallelTxExecutionStage(list(vec![DependentTxCluster(envelopes(part))])));
    GeneralizedTransactionSet::V1(TransactionSetV1 {
        previous_ledger_hash: previous.hash().clone(),
        phases: list(vec![
            TransactionPhase::V0(list(classic.collect())),
            TransactionPhase::V1(ParallelTxsComponent {
                base_fee: Some(base_fee),
                execution_stages: list(stages.into_iter().collect()),
            }),
        ]),
    })
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
        _ => refusal
            .fee
            .unwrap_or_else(|| fees::named_in_refusal(envelope, snapshot.header())),
    };
    apply::refused(envelope, fee, refusal, false)
}
