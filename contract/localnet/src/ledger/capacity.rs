//! How much fits into one ledger. Contract transactions that touch what another one writes form a
//! cluster and run one after the other (CAP-63); the network runs so many clusters side by side,
//! and each has its own limit of instructions.

use crate::envelope::Envelope;
use crate::fees;
use crate::settings::Settings;
use std::collections::HashSet;
use stellar_xdr::*;

#[derive(Default)]
struct Cluster {
    instructions: u64,
    reads: HashSet<LedgerKey>,
    writes: HashSet<LedgerKey>,
}

impl Cluster {
    fn conflicts(&self, footprint: &LedgerFootprint) -> bool {
        footprint
            .read_write
            .iter()
            .any(|key| self.writes.contains(key) || self.reads.contains(key))
            || footprint
                .read_only
                .iter()
                .any(|key| self.writes.contains(key))
    }
}

pub struct Capacity<'a> {
    settings: &'a Settings,
    classic_operations_left: u64,
    transactions: u64,
    disk_read_entries: u64,
    disk_read_bytes: u64,
    write_entries: u64,
    write_bytes: u64,
    transaction_bytes: u64,
    clusters: Vec<Cluster>,
}

impl<'a> Capacity<'a> {
    pub fn new(settings: &'a Settings, classic_operations_max: u32) -> Self {
        Self {
            settings,
            classic_operations_left: u64::from(classic_operations_max),
            transactions: 0,
            disk_read_entries: 0,
            disk_read_bytes: 0,
            write_entries: 0,
            write_bytes: 0,
            transaction_bytes: 0,
            clusters: Vec::new(),
        }
    }

    /// Takes the transaction in, or says that it must wait for another ledger.
    pub fn admit(&mut self, envelope: &Envelope) -> bool {
        let operations = envelope.transaction().operations.as_slice();
        match (envelope.soroban_data(), operations.first()) {
            (Some(data), Some(operation)) => self.admit_contract(envelope, data, &operation.body),
            _ => {
                let left = self
                    .classic_operations_left
                    .checked_sub(operations.len() as u64);
                self.classic_operations_left = left.unwrap_or(self.classic_operations_left);
                left.is_some()
            }
        }
    }

    fn admit_contract(
        &mut self,
        envelope: &Envelope,
        data: &SorobanTransactionData,
        operation: &OperationBody,
    ) -> bool {
        let resources = &data.resources;
        let cost = &self.settings.ledger_cost;
        let totals = [
            (
                self.transactions + 1,
                u64::from(self.settings.ledger_transactions_max),
            ),
            (
                self.disk_read_entries + u64::from(fees::disk_read_entries(data, operation)),
                u64::from(cost.ledger_max_disk_read_entries),
            ),
            (
                self.disk_read_bytes + u64::from(resources.disk_read_bytes),
                u64::from(cost.ledger_max_disk_read_bytes),
            ),
            (
                self.write_entries + resources.footprint.read_write.len() as u64,
                u64::from(cost.ledger_max_write_ledger_entries),
            ),
            (
                self.write_bytes + u64::from(resources.write_bytes),
                u64::from(cost.ledger_max_write_bytes),
            ),
            (
                self.transaction_bytes + u64::from(envelope.size_bytes()),
                u64::from(self.settings.bandwidth.ledger_max_txs_size_bytes),
            ),
        ];
        if totals.iter().any(|(total, limit)| total > limit) || !self.admit_cluster(resources) {
            return false;
        }
        self.transactions = totals[0].0;
        self.disk_read_entries = totals[1].0;
        self.disk_read_bytes = totals[2].0;
        self.write_entries = totals[3].0;
        self.write_bytes = totals[4].0;
        self.transaction_bytes = totals[5].0;
        true
    }

    fn admit_cluster(&mut self, resources: &SorobanResources) -> bool {
        let footprint = &resources.footprint;
        let joins: Vec<bool> = self
            .clusters
            .iter()
            .map(|cluster| cluster.conflicts(footprint))
            .collect();
        let mut sizes: Vec<u64> = Vec::new();
        let mut merged = u64::from(resources.instructions);
        for (cluster, joins) in self.clusters.iter().zip(&joins) {
            if *joins {
                merged = merged.saturating_add(cluster.instructions);
            } else {
                sizes.push(cluster.instructions);
            }
        }
        sizes.push(merged);
        if !self.packs(sizes) {
            return false;
        }
        let mut together = Cluster {
            instructions: merged,
            ..Cluster::default()
        };
        let mut joins = joins.into_iter();
        self.clusters.retain_mut(|cluster| {
            let joining = joins.next().unwrap_or(false);
            if joining {
                together.reads.extend(cluster.reads.drain());
                together.writes.extend(cluster.writes.drain());
            }
            !joining
        });
        together.reads.extend(footprint.read_only.iter().cloned());
        together.writes.extend(footprint.read_write.iter().cloned());
        self.clusters.push(together);
        true
    }

    /// Whether clusters of these sizes run side by side within the limits: largest first, each to
    /// the least loaded lane, as core's own packing does.
    fn packs(&self, mut sizes: Vec<u64>) -> bool {
        let limit = self.settings.compute.ledger_max_instructions.unsigned_abs();
        let mut lanes = vec![0u64; self.settings.ledger_clusters_max as usize];
        sizes.sort_unstable_by(|left, right| right.cmp(left));
        for size in sizes {
            let Some(lane) = lanes.iter_mut().min() else {
                return false;
            };
            *lane = lane.saturating_add(size);
            if *lane > limit {
                return false;
            }
        }
        true
    }
}
