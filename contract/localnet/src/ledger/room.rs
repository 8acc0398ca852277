//! What a ledger has room for, what a transaction takes of it, and limits that a test may set in
//! place of the network's.

use crate::envelope::Envelope;
use crate::fees;
use crate::settings::Settings;
use stellar_xdr::LedgerHeader;

/// The kinds of room, as the admin interface names them. The first one is that of classic
/// transactions, the others are those of contract transactions.
pub const KINDS: [&str; 8] = [
    "operations",
    "contractTransactions",
    "instructions",
    "diskReadEntries",
    "diskReadBytes",
    "writeEntries",
    "writeBytes",
    "transactionBytes",
];
const INSTRUCTIONS: usize = 2;

/// An amount of each kind of room, in the order of `KINDS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room([u64; KINDS.len()]);

impl Room {
    /// A ledger's, by the network's settings. Instructions are those of one cluster.
    pub fn of_ledger(settings: &Settings, header: &LedgerHeader) -> Self {
        let cost = &settings.ledger_cost;
        Self([
            u64::from(header.max_tx_set_size),
            u64::from(settings.ledger_transactions_max),
            settings.compute.ledger_max_instructions.unsigned_abs(),
            u64::from(cost.ledger_max_disk_read_entries),
            u64::from(cost.ledger_max_disk_read_bytes),
            u64::from(cost.ledger_max_write_ledger_entries),
            u64::from(cost.ledger_max_write_bytes),
            u64::from(settings.bandwidth.ledger_max_txs_size_bytes),
        ])
    }

    /// What a transaction declares that it takes. A fee bump counts as one operation more, for
    /// contract transactions, too.
    pub fn taken_by(envelope: &Envelope) -> Self {
        let operations = envelope.transaction().operations.as_slice();
        let counted = envelope.fee_operations().unsigned_abs();
        let (Some(data), Some(operation)) = (envelope.soroban_data(), operations.first()) else {
            let mut room = Self::default();
            room.0[0] = counted;
            return room;
        };
        let resources = &data.resources;
        Self([
            0,
            counted,
            u64::from(resources.instructions),
            u64::from(fees::disk_read_entries(data, &operation.body)),
            u64::from(resources.disk_read_bytes),
            resources.footprint.read_write.len() as u64,
            u64::from(resources.write_bytes),
            u64::from(envelope.size_bytes()),
        ])
    }

    pub fn instructions(&self) -> u64 {
        self.0[INSTRUCTIONS]
    }

    /// The same without instructions, which are counted by cluster.
    pub fn without_instructions(mut self) -> Self {
        self.0[INSTRUCTIONS] = 0;
        self
    }

    fn each(self, other: Self, combine: impl Fn(u64, u64) -> u64) -> Self {
        let mut room = self;
        for (mine, others) in room.0.iter_mut().zip(other.0) {
            *mine = combine(*mine, others);
        }
        room
    }

    pub fn plus(self, other: Self) -> Self {
        self.each(other, u64::saturating_add)
    }

    pub fn minus(self, other: Self) -> Self {
        self.each(other, u64::saturating_sub)
    }

    pub fn times(self, count: u64) -> Self {
        self.each(self, |amount, _| amount.saturating_mul(count))
    }

    /// Whether all of `amount` is here, in those kinds of which `needed` takes something.
    pub fn holds(&self, amount: &Self, needed: &Self) -> bool {
        let kinds = self.0.iter().zip(amount.0).zip(needed.0);
        kinds
            .into_iter()
            .all(|((has, amount), needs)| needs == 0 || *has >= amount)
    }

    /// Amounts with their names.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
        KINDS.into_iter().zip(self.0)
    }
}

/// LedgerLimits that stand in place of the network's own, so that a test can make a ledger full. They
/// belong to this process: a restart forgets them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerLimits {
    /// By kind of room; `None`: as the network's settings say.
    pub room: [Option<u64>; KINDS.len()],
    /// How many ledgers' worth of transactions may wait; `None`: as many as memory is meant for.
    pub pool_ledgers: Option<u32>,
    /// How many ledgers may pass a waiting transaction by before it is dropped; `None`: any.
    pub waiting_ledgers: Option<u32>,
}

impl LedgerLimits {
    /// What the next ledger has room for.
    pub fn ledger_room(&self, settings: &Settings, header: &LedgerHeader) -> Room {
        let mut room = Room::of_ledger(settings, header);
        for (amount, limit) in room.0.iter_mut().zip(self.room) {
            *amount = limit.unwrap_or(*amount);
        }
        room
    }

    /// What may wait at once; `None`: no limit but the number of transactions.
    pub fn pool_room(&self, settings: &Settings, header: &LedgerHeader) -> Option<Room> {
        let ledgers = self.pool_ledgers?;
        let mut room = self.ledger_room(settings, header);
        room.0[INSTRUCTIONS] =
            room.0[INSTRUCTIONS].saturating_mul(u64::from(settings.ledger_clusters_max));
        Some(room.times(u64::from(ledgers)))
    }
}
