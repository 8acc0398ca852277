//! What happened lately: closed ledgers, their transactions and events, for as long as the window
//! reaches. Everything here is made from a ledger's metadata, so that what a restart reads from
//! its log is what was there before.

use crate::envelope::Envelope;
use crate::ledger::encode;
use crate::network::Network;
use crate::store::{LEDGERS_KEPT, Place};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use stellar_xdr::*;

/// Bytes of transactions and metadata that are remembered; whichever bound is reached first holds.
pub const BYTES_KEPT: usize = 512 * 1024 * 1024;

/// An event that a contract emitted in a transaction that succeeded.
#[derive(Clone, Debug)]
pub struct EventRecord {
    pub contract: Option<ContractId>,
    pub kind: ContractEventType,
    pub topics: Vec<ScVal>,
    pub value: ScVal,
    pub operation: u32,
    /// Place among the events of its operation.
    pub index: u32,
}

pub struct TransactionRecord {
    pub hash: Hash,
    pub inner_hash: Option<Hash>,
    pub succeeded: bool,
    /// Place in the ledger, from 1.
    pub order: u32,
    pub ledger: u32,
    pub close_time: u64,
    /// XDR of `TransactionEnvelope`, `TransactionResult` and `TransactionMeta`.
    pub envelope: Vec<u8>,
    pub result: Vec<u8>,
    pub meta: Vec<u8>,
    pub events: Vec<EventRecord>,
    /// What it paid for inclusion; absent where a contract operation was not reached.
    pub inclusion: Option<Inclusion>,
}

/// What a transaction paid for its place in a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inclusion {
    pub is_contract: bool,
    /// Stroops per operation.
    pub fee: u64,
}

pub struct LedgerRecord {
    pub sequence: u32,
    pub close_time: u64,
    pub hash: Hash,
    pub header: LedgerHeader,
    pub transactions: Vec<Arc<TransactionRecord>>,
    bytes: usize,
    /// `None` for the ledger that the network started from.
    place: Option<Place>,
}

impl LedgerRecord {
    pub fn of_header(header: &LedgerHeader, hash: &Hash) -> Self {
        Self {
            sequence: header.ledger_seq,
            close_time: header.scp_value.close_time.0,
            hash: hash.clone(),
            header: header.clone(),
            transactions: Vec::new(),
            bytes: 0,
            place: None,
        }
    }

    /// The record of a ledger; the error says what its metadata lacks.
    pub fn of_meta(
        meta: &LedgerCloseMeta,
        place: Place,
        network: &Network,
    ) -> Result<Self, String> {
        let LedgerCloseMeta::V2(meta) = meta else {
            return Err("a ledger's metadata is of an unknown form".to_owned());
        };
        let entry = &meta.ledger_header;
        let mut record = Self::of_header(&entry.header, &entry.hash);
        record.place = Some(place);
        let mut envelopes: HashMap<Hash, Envelope> = envelopes(&meta.tx_set)
            .map(|xdr| Envelope::new(xdr.clone(), network))
            .map(|envelope| (envelope.hash().clone(), envelope))
            .collect();
        for (processing, order) in meta.tx_processing.iter().zip(1u32..) {
            let pair = &processing.result;
            let envelope = envelopes
                .remove(&pair.transaction_hash)
                .ok_or("a ledger has a result without its transaction")?;
            let transaction = TransactionRecord {
                hash: pair.transaction_hash.clone(),
                inner_hash: envelope.inner_hash().cloned(),
                succeeded: matches!(
                    pair.result.result,
                    TransactionResultResult::TxSuccess(_)
                        | TransactionResultResult::TxFeeBumpInnerSuccess(_)
                ),
                order,
                ledger: record.sequence,
                close_time: record.close_time,
                envelope: encode(envelope.xdr()),
                result: encode(&pair.result),
                meta: encode(&processing.tx_apply_processing),
                events: events(&processing.tx_apply_processing),
                inclusion: inclusion(
                    &envelope,
                    pair.result.fee_charged,
                    &processing.tx_apply_processing,
                ),
            };
            record.bytes +=
                transaction.envelope.len() + transaction.result.len() + transaction.meta.len();
            record.transactions.push(Arc::new(transaction));
        }
        Ok(record)
    }

    pub fn header_entry(&self) -> LedgerHeaderHistoryEntry {
        LedgerHeaderHistoryEntry {
            hash: self.hash.clone(),
            header: self.header.clone(),
            ext: LedgerHeaderHistoryEntryExt::V0,
        }
    }

    /// XDR of the ledger's `LedgerCloseMeta`, from the log. Of the ledger that the network started
    /// from only the header is known.
    pub fn meta(&self) -> Result<Vec<u8>, String> {
        match &self.place {
            Some(place) => place.read(),
            None => Ok(encode(&self.bare_meta())),
        }
    }

    fn bare_meta(&self) -> LedgerCloseMeta {
        LedgerCloseMeta::V2(LedgerCloseMetaV2 {
            ext: LedgerCloseMetaExt::V0,
            ledger_header: self.header_entry(),
            tx_set: GeneralizedTransactionSet::V1(TransactionSetV1 {
                previous_ledger_hash: self.header.previous_ledger_hash.clone(),
                phases: VecM::default(),
            }),
            tx_processing: VecM::default(),
            upgrades_processing: VecM::default(),
            scp_info: VecM::default(),
            total_byte_size_of_live_soroban_state: 0,
            evicted_keys: VecM::default(),
        })
    }
}

fn envelopes(set: &GeneralizedTransactionSet) -> impl Iterator<Item = &TransactionEnvelope> {
    let GeneralizedTransactionSet::V1(set) = set;
    set.phases
        .iter()
        .flat_map(|phase| -> Vec<&TransactionEnvelope> {
            match phase {
                TransactionPhase::V0(components) => components
                    .iter()
                    .flat_map(|TxSetComponent::TxsetCompTxsMaybeDiscountedFee(part)| {
                        part.txs.iter()
                    })
                    .collect(),
                TransactionPhase::V1(contracts) => contracts
                    .execution_stages
                    .iter()
                    .flat_map(|stage| stage.0.iter())
                    .flat_map(|cluster| cluster.0.iter())
                    .collect(),
            }
        })
}

/// As Stellar RPC counts it: for a contract operation what is left of the fee without its
/// resources, for others the fee by operation, where that of a fee bump counts for those inside.
fn inclusion(envelope: &Envelope, charged: i64, meta: &TransactionMeta) -> Option<Inclusion> {
    let is_contract = envelope.is_soroban();
    let fee = if is_contract {
        let TransactionMeta::V4(meta) = meta else {
            return None;
        };
        let SorobanTransactionMetaExt::V1(paid) = &meta.soroban_meta.as_ref()?.ext else {
            return None;
        };
        charged
            - paid.total_non_refundable_resource_fee_charged
            - paid.total_refundable_resource_fee_charged
    } else {
        charged / envelope.transaction().operations.len().max(1) as i64
    };
    let fee = u64::try_from(fee).unwrap_or(0);
    Some(Inclusion { is_contract, fee })
}

fn events(meta: &TransactionMeta) -> Vec<EventRecord> {
    let TransactionMeta::V4(meta) = meta else {
        return Vec::new();
    };
    let mut records = Vec::new();
    for (operation, at) in meta.operations.iter().zip(0u32..) {
        for (event, index) in operation.events.iter().zip(0u32..) {
            let ContractEventBody::V0(body) = &event.body;
            records.push(EventRecord {
                contract: event.contract_id.clone(),
                kind: event.type_,
                topics: body.topics.to_vec(),
                value: body.data.clone(),
                operation: at,
                index,
            });
        }
    }
    records
}

/// The window. It is never empty: it starts with the ledger that the network continues from. Its
/// ledgers follow each other without a gap.
pub struct History {
    ledgers: VecDeque<Arc<LedgerRecord>>,
    transactions: HashMap<Hash, Arc<TransactionRecord>>,
    bytes: usize,
    latest: Arc<LedgerRecord>,
}

impl History {
    pub fn new(first: LedgerRecord) -> Self {
        let latest = Arc::new(first);
        let mut history = Self {
            ledgers: VecDeque::new(),
            transactions: HashMap::new(),
            bytes: 0,
            latest,
        };
        history.enter();
        history
    }

    pub fn push(&mut self, record: LedgerRecord) {
        // What lies before a jump is further back than the window reaches.
        let jumped = record.sequence != self.latest.sequence + 1;
        self.latest = Arc::new(record);
        self.enter();
        while self.ledgers.len() > LEDGERS_KEPT
            || ((jumped || self.bytes > BYTES_KEPT) && self.ledgers.len() > 1)
        {
            let Some(old) = self.ledgers.pop_front() else {
                break;
            };
            self.bytes -= old.bytes;
            for transaction in &old.transactions {
                self.transactions.remove(&transaction.hash);
                if let Some(inner) = &transaction.inner_hash {
                    self.transactions.remove(inner);
                }
            }
        }
    }

    fn enter(&mut self) {
        for transaction in &self.latest.transactions {
            self.transactions
                .insert(transaction.hash.clone(), transaction.clone());
            if let Some(inner) = &transaction.inner_hash {
                self.transactions.insert(inner.clone(), transaction.clone());
            }
        }
        self.bytes += self.latest.bytes;
        self.ledgers.push_back(self.latest.clone());
    }

    pub fn latest(&self) -> &Arc<LedgerRecord> {
        &self.latest
    }

    pub fn oldest(&self) -> &Arc<LedgerRecord> {
        self.ledgers.front().unwrap_or(&self.latest)
    }

    /// Finds a transaction by its hash; a fee bump also by that of the transaction inside.
    pub fn transaction(&self, hash: &Hash) -> Option<&Arc<TransactionRecord>> {
        self.transactions.get(hash)
    }

    /// The kept ledgers from `first` to `last`, both included.
    pub fn range(&self, first: u32, last: u32) -> Vec<Arc<LedgerRecord>> {
        let oldest = self.oldest().sequence;
        let skip = first.saturating_sub(oldest) as usize;
        let take = (u64::from(last) + 1).saturating_sub(u64::from(first.max(oldest)));
        let take = usize::try_from(take).unwrap_or(usize::MAX);
        self.ledgers.iter().skip(skip).take(take).cloned().collect()
    }
}
