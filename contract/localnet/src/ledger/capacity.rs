//! How much fits into one ledger. Contract transactions that touch what another one writes form a
//! cluster and run one after the other (CAP-63); the network runs so many clusters side by side,
//! and each has its own limit of instructions.

use super::room::Room;
use crate::envelope::Envelope;
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

pub struct Capacity {
    /// Instructions in it are those of one lane.
    room: Room,
    lanes: u32,
    taken: Room,
    clusters: Vec<Cluster>,
}

impl Capacity {
    /// `lanes`: clusters that run side by side.
    pub fn new(room: Room, lanes: u32) -> Self {
        Self {
            room,
            lanes,
            taken: Room::default(),
            clusters: Vec::new(),
        }
    }

    /// Takes the transaction in, or says that it must wait for another ledger.
    pub fn admit(&mut self, envelope: &Envelope) -> bool {
        let needed = Room::taken_by(envelope).without_instructions();
        let taken = self.taken.plus(needed);
        let clusters_fit = |this: &mut Self| match envelope.soroban_data() {
            Some(data) => this.admit_cluster(&data.resources),
            None => true,
        };
        if !self.room.holds(&taken, &needed) || !clusters_fit(self) {
            return false;
        }
        self.taken = taken;
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
        let mut lanes = vec![0u64; self.lanes as usize];
        sizes.sort_unstable_by(|left, right| right.cmp(left));
        for size in sizes {
            let Some(lane) = lanes.iter_mut().min() else {
                return false;
            };
            *lane = lane.saturating_add(size);
            if *lane > self.room.instructions() {
                return false;
            }
        }
        true
    }
}
