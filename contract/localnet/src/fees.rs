//! What a transaction pays: inclusion, resources, and what comes back.

use crate::envelope::Envelope;
use crate::ledger::is_contract_entry;
use crate::settings::Settings;
use soroban_env_host::fees::{
    LedgerEntryRentChange, TransactionResources, compute_rent_fee, compute_transaction_resource_fee,
};
use std::cmp::Ordering;
use stellar_xdr::*;

/// A declared resource fee above this is malformed (core: MAX_RESOURCE_FEE).
pub const RESOURCE_FEE_MAX: i64 = 1 << 50;

/// The positions in the read-write footprint that the transaction declares as archived (CAP-66).
pub fn archived_indices(data: &SorobanTransactionData) -> &[u32] {
    match &data.ext {
        SorobanTransactionDataExt::V0 => &[],
        SorobanTransactionDataExt::V1(ext) => ext.archived_soroban_entries.as_slice(),
    }
}

/// Entries that come from disk: classic ones and those to be restored. Live contract state is in
/// memory (CAP-62). A restore reads everything it names.
pub fn disk_read_entries(data: &SorobanTransactionData, operation: &OperationBody) -> u32 {
    let footprint = &data.resources.footprint;
    let count = if matches!(operation, OperationBody::RestoreFootprint(_)) {
        footprint.read_write.len()
    } else {
        let keys = footprint
            .read_only
            .iter()
            .chain(footprint.read_write.iter());
        keys.filter(|key| !is_contract_entry(key)).count() + archived_indices(data).len()
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// (non-refundable, refundable) fee in stroops for declared resources and emitted events.
fn resource_fee(
    settings: &Settings,
    data: &SorobanTransactionData,
    operation: &OperationBody,
    size_bytes: u32,
    events_bytes: u32,
) -> (i64, i64) {
    let resources = &data.resources;
    compute_transaction_resource_fee(
        &TransactionResources {
            instructions: resources.instructions,
            disk_read_entries: disk_read_entries(data, operation),
            write_entries: u32::try_from(resources.footprint.read_write.len()).unwrap_or(u32::MAX),
            disk_read_bytes: resources.disk_read_bytes,
            write_bytes: resources.write_bytes,
            contract_events_size_bytes: events_bytes,
            transaction_size_bytes: size_bytes,
        },
        &settings.host.fee_configuration,
    )
}

/// What declared resources cost in stroops whatever happens.
pub fn non_refundable(settings: &Settings, envelope: &Envelope) -> i64 {
    match (
        envelope.soroban_data(),
        envelope.transaction().operations.first(),
    ) {
        (Some(data), Some(operation)) => {
            resource_fee(settings, data, &operation.body, envelope.size_bytes(), 0).0
        }
        _ => 0,
    }
}

/// The fee for `bytes` of events and return value, in stroops.
pub fn events(settings: &Settings, bytes: u32) -> i64 {
    compute_transaction_resource_fee(
        &TransactionResources {
            instructions: 0,
            disk_read_entries: 0,
            write_entries: 0,
            disk_read_bytes: 0,
            write_bytes: 0,
            contract_events_size_bytes: bytes,
            transaction_size_bytes: 0,
        },
        &settings.host.fee_configuration,
    )
    .1
}

/// Rent in stroops for entries that grew or live longer.
pub fn rent(settings: &Settings, changes: &[LedgerEntryRentChange], ledger: u32) -> i64 {
    compute_rent_fee(changes, &settings.host.rent_fee_configuration, ledger)
}

/// The least that inclusion costs: the ledger's base fee for each operation.
pub fn inclusion_min(envelope: &Envelope, header: &LedgerHeader) -> i64 {
    envelope.fee_operations() * i64::from(header.base_fee)
}

/// What is taken before a transaction is applied: its declared resource fee in full, and for
/// inclusion `base_fee` stroops per operation but not more than it bids.
pub fn charged_before(envelope: &Envelope, base_fee: i64) -> i64 {
    let asked = base_fee.saturating_mul(envelope.fee_operations());
    let inclusion = envelope.inclusion_fee().min(asked);
    envelope.resource_fee().saturating_add(inclusion)
}

/// What a transaction bids for each operation, compared without rounding.
#[derive(Clone, Copy, Debug)]
pub struct FeeRate {
    bid: i64,
    operations: i64,
}

impl FeeRate {
    pub fn of(envelope: &Envelope) -> Self {
        Self {
            bid: envelope.inclusion_fee(),
            operations: envelope.fee_operations(),
        }
    }

    /// Whole stroops per operation.
    pub fn floor(self) -> i64 {
        self.bid / self.operations
    }

    /// The least bid for so many operations that is higher than this one.
    pub fn bid_above(self, operations: i64) -> i64 {
        let same = i128::from(self.bid) * i128::from(operations) / i128::from(self.operations);
        i64::try_from(same + 1).unwrap_or(i64::MAX)
    }

    /// The least bid for so many operations that is at least `times` this one.
    pub fn bid_of_times(self, times: i64, operations: i64) -> i64 {
        let product = i128::from(self.bid) * i128::from(operations) * i128::from(times);
        let divisor = i128::from(self.operations);
        i64::try_from((product + divisor - 1) / divisor).unwrap_or(i64::MAX)
    }
}

impl Ord for FeeRate {
    fn cmp(&self, other: &Self) -> Ordering {
        let mine = i128::from(self.bid) * i128::from(other.operations);
        mine.cmp(&(i128::from(other.bid) * i128::from(self.operations)))
    }
}

impl PartialOrd for FeeRate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for FeeRate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for FeeRate {}

/// The fee that a refusal names: what would have been charged had the bid been enough.
pub fn named_in_refusal(envelope: &Envelope, header: &LedgerHeader) -> i64 {
    envelope
        .resource_fee()
        .saturating_add(inclusion_min(envelope, header))
}

/// What executing a contract operation used up of the refundable part of its resource fee.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refundable {
    /// The part of the declared fee that is there to be used, in stroops.
    pub limit: i64,
    pub events: i64,
    pub rent: i64,
}

impl Refundable {
    pub fn new(settings: &Settings, envelope: &Envelope) -> Self {
        let limit = envelope
            .resource_fee()
            .saturating_sub(non_refundable(settings, envelope));
        Self {
            limit,
            events: 0,
            rent: 0,
        }
    }

    pub fn consumed(&self) -> i64 {
        self.events.saturating_add(self.rent)
    }

    /// Uses up fees for events and rent; false if they are more than was declared.
    pub fn consume(&mut self, events: i64, rent: i64) -> bool {
        self.events = self.events.saturating_add(events);
        self.rent = self.rent.saturating_add(rent);
        self.consumed() <= self.limit
    }

    /// A failed transaction keeps nothing: all of the refundable part comes back.
    pub fn reset(&mut self) {
        self.events = 0;
        self.rent = 0;
    }

    pub fn refund(&self) -> i64 {
        self.limit.saturating_sub(self.consumed()).max(0)
    }
}
