use soroban_sdk::{Bytes, Env, contracttype};

use crate::errors::Error;

/// Money that its owner has asked for without the engine.
#[contracttype]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exit {
    /// At most this much leaves, in the asset's smallest unit; above zero.
    pub amount: i128,
    /// Ledger time in Unix seconds from which on it may be claimed, and settlement may no longer use it.
    pub due: u64,
}

const DUE_BYTES: usize = 8;
const AMOUNT_BYTES: usize = 16;
/// Slot and position, a byte each, then due time and amount in big-endian.
const RECORD_BYTES: usize = 2 + DUE_BYTES + AMOUNT_BYTES;
const RECORD_LENGTH: u32 = RECORD_BYTES as u32;

/// The exits under way in a page, stored behind its slots: records in the order of their request, then their number in one byte. A
/// page without any has nothing there. A record has an even length and so has a slot, so an odd length says that there are some.
///
/// They stand in the page, and not in entries of their own, because a batch has to look at them: what it reads anyway costs
/// nothing, and a request that comes between a batch's simulation and its ledger does not change which entries the batch touches.
pub struct Exits {
    /// The records without their number; nothing where there are none.
    records: Option<Bytes>,
}

impl Exits {
    pub const fn none() -> Self {
        Self { records: None }
    }

    pub const fn is_empty(&self) -> bool {
        self.records.is_none()
    }

    /// Splits a stored page into the length of its slots and the exits behind them.
    pub fn split(page: &Bytes) -> Result<(usize, Self), Error> {
        let length = page.len();
        if length.is_multiple_of(2) {
            return Ok((length as usize, Self::none()));
        }
        let count = page.last().map_or(0, u32::from);
        let end = length.checked_sub(1).ok_or(Error::CorruptPage)?;
        let start = count
            .checked_mul(RECORD_LENGTH)
            .and_then(|records| end.checked_sub(records))
            .ok_or(Error::CorruptPage)?;
        if start == end {
            return Err(Error::CorruptPage);
        }
        let records = Some(page.slice(start..end));
        Ok((start as usize, Self { records }))
    }

    pub fn append_to(&self, page: &mut Bytes) -> Result<(), Error> {
        if let Some(records) = &self.records {
            let count =
                u8::try_from(records.len() / RECORD_LENGTH).map_err(|_| Error::CorruptPage)?;
            page.append(records);
            page.push_back(count);
        }
        Ok(())
    }

    pub fn find(&self, slot: u32, position: u32) -> Option<Exit> {
        let records = self.records.as_ref()?;
        let start = start_of(records, slot, position)?;
        let mut record = [0_u8; RECORD_BYTES];
        records
            .slice(start..start.saturating_add(RECORD_LENGTH))
            .copy_into_slice(&mut record);
        let (_, value) = record.split_first_chunk::<2>()?;
        let (due, amount) = value.split_first_chunk::<DUE_BYTES>()?;
        Some(Exit {
            amount: i128::from_be_bytes(*amount.first_chunk::<AMOUNT_BYTES>()?),
            due: u64::from_be_bytes(*due),
        })
    }

    /// Sets the exit of a slot's asset, or takes it away.
    pub fn set(
        &mut self,
        env: &Env,
        slot: u32,
        position: u32,
        exit: Option<&Exit>,
    ) -> Result<(), Error> {
        let mut records = self.records.take().unwrap_or_else(|| Bytes::new(env));
        if let Some(start) = start_of(&records, slot, position) {
            let end = start.saturating_add(RECORD_LENGTH);
            let behind = records.slice(end..);
            records = records.slice(..start);
            records.append(&behind);
        }
        if let Some(Exit { amount, due }) = exit {
            records.push_back(u8::try_from(slot).map_err(|_| Error::CorruptPage)?);
            records.push_back(u8::try_from(position).map_err(|_| Error::CorruptPage)?);
            records.extend_from_array(&due.to_be_bytes());
            records.extend_from_array(&amount.to_be_bytes());
        }
        self.records = (!records.is_empty()).then_some(records);
        Ok(())
    }
}

/// Where the record of a slot's asset begins.
fn start_of(records: &Bytes, slot: u32, position: u32) -> Option<u32> {
    (0..records.len()).step_by(RECORD_BYTES).find(|start| {
        let place = [*start, start.saturating_add(1)].map(|at| records.get(at).map(u32::from));
        place == [Some(slot), Some(position)]
    })
}
