//! The deltas of a batch: what each account gains and loses once its trades are netted. The encoding is described, with worked
//! examples, in docs/contract.md; whatever does not follow it to the byte is refused.
//!
//! ```text
//! deltas  := section*                            sections in strictly rising order of group
//! section := varint(group) varint(count ≥ 1) record × count fees?
//! record  := varint(gap) mask:byte zigzag-varint(delta ≠ 0) × ones in mask
//! fees    := 0:byte mask:byte (varint(amount ≥ 1) varint(turnover)) × ones in mask
//! ```

use soroban_sdk::{Bytes, Env};

use super::varint::VarintReader;
use crate::balances::{ASSETS_PER_GROUP, Balances};
use crate::errors::Error;
use crate::fees::Charges;
use crate::storage::Pauses;

/// One bit for each asset of a group.
const FULL_MASK: u8 = (1 << ASSETS_PER_GROUP) - 1;

/// Where the next section would begin it says that the fees of this one follow: groups rise, so no second section is of group 0.
const FEES: u8 = 0;

/// Per asset of a group, what its deltas and fees come to.
type Sums = [i128; ASSETS_PER_GROUP as usize];

/// Applies all deltas, or none: an error makes the host roll the whole call back.
pub fn apply(
    env: &Env,
    deltas: &Bytes,
    charges: &mut Charges,
    asset_count: u32,
    pauses: Pauses,
) -> Result<(), Error> {
    let mut reader = VarintReader::new(deltas);
    let mut balances = Balances::new(env);
    let mut last_group: Option<u32> = None;
    while !reader.at_end() {
        let group = reader.u32()?;
        if last_group.is_some_and(|last| group <= last) {
            return Err(Error::GroupOrder);
        }
        last_group = Some(group);
        let assets = GroupAssets::of(group, asset_count, pauses)?;
        let mut sums = apply_section(&mut reader, &mut balances, group, &assets)?;
        if reader.take(FEES)? {
            charge(&mut reader, charges, group, &mut sums)?;
        }
        // A group has one section, so its end is the end of its assets' deltas: what one account gains, or the venue, others have
        // lost.
        if sums.iter().any(|sum| *sum != 0) {
            return Err(Error::DeltasUnbalanced);
        }
    }
    balances.close()
}

fn apply_section(
    reader: &mut VarintReader,
    balances: &mut Balances,
    group: u32,
    assets: &GroupAssets,
) -> Result<Sums, Error> {
    let count = reader.u32()?;
    if count == 0 {
        return Err(Error::EmptySection);
    }
    let mut sums: Sums = [0; ASSETS_PER_GROUP as usize];
    let mut last_account: Option<u32> = None;
    for _ in 0..count {
        let account = next_account(last_account, reader.u32()?)?;
        last_account = Some(account);
        let mask = reader.byte()?;
        if mask == 0 || mask & !FULL_MASK != 0 {
            return Err(Error::InvalidMask);
        }
        if mask & !assets.known != 0 {
            return Err(Error::UnknownAsset);
        }
        if mask & assets.paused != 0 {
            return Err(Error::AssetPaused);
        }
        balances.open_existing(account, group)?;
        for (position, sum) in (0..ASSETS_PER_GROUP).zip(sums.iter_mut()) {
            if mask & (1 << position) == 0 {
                continue;
            }
            let delta = reader.zigzag_i128()?;
            if delta == 0 {
                return Err(Error::ZeroDelta);
            }
            *sum = sum.checked_add(delta).ok_or(Error::DeltaSumOverflow)?;
            balances.add_at(account, position, delta)?;
        }
    }
    Ok(sums)
}

/// An asset that has no deltas has no fees either: they would be left over.
#[cold]
#[inline(never)]
fn charge(
    reader: &mut VarintReader,
    charges: &mut Charges,
    group: u32,
    sums: &mut Sums,
) -> Result<(), Error> {
    let mask = reader.byte()?;
    if mask == 0 || mask & !FULL_MASK != 0 {
        return Err(Error::InvalidMask);
    }
    for (position, sum) in (0..ASSETS_PER_GROUP).zip(sums.iter_mut()) {
        if mask & (1 << position) == 0 {
            continue;
        }
        let amount = reader.unsigned_i128()?;
        let turnover = reader.unsigned_i128()?;
        *sum = sum.checked_add(amount).ok_or(Error::DeltaSumOverflow)?;
        charges.add(group * ASSETS_PER_GROUP + position, amount, turnover)?;
    }
    Ok(())
}

/// Masks of a group: the assets that are in the registry, and those that are paused.
struct GroupAssets {
    known: u8,
    paused: u8,
}

impl GroupAssets {
    fn of(group: u32, asset_count: u32, pauses: Pauses) -> Result<Self, Error> {
        let first = group
            .checked_mul(ASSETS_PER_GROUP)
            .ok_or(Error::UnknownAsset)?;
        let known = match asset_count.checked_sub(first) {
            None | Some(0) => return Err(Error::UnknownAsset),
            Some(count) if count < ASSETS_PER_GROUP => (1 << count) - 1,
            Some(_) => FULL_MASK,
        };
        let paused = pauses.from(first) & FULL_MASK;
        Ok(Self { known, paused })
    }
}

/// The first gap of a section is the account itself, a later one the distance from the account before.
fn next_account(last: Option<u32>, gap: u32) -> Result<u32, Error> {
    match last {
        None => Ok(gap),
        Some(_) if gap == 0 => Err(Error::AccountOrder),
        Some(last) => last.checked_add(gap).ok_or(Error::UnknownAccount),
    }
}
