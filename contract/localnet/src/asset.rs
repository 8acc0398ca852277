//! Assets: which are well formed, who issues them, and the trustlines that hold them.

use crate::ledger::{Overlay, Source};
use stellar_xdr::*;

/// Letters and digits, then zero bytes only; a code of the long form has at least five.
fn code_is_valid(code: &[u8], length_min: usize) -> bool {
    let length = code
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(code.len());
    length >= length_min
        && code[..length].iter().all(u8::is_ascii_alphanumeric)
        && code[length..].iter().all(|byte| *byte == 0)
}

pub fn is_valid(asset: &Asset) -> bool {
    match asset {
        Asset::Native => true,
        Asset::CreditAlphanum4(asset) => code_is_valid(&asset.asset_code.0, 1),
        Asset::CreditAlphanum12(asset) => code_is_valid(&asset.asset_code.0, 5),
    }
}

pub fn issuer(asset: &Asset) -> Option<&AccountId> {
    match asset {
        Asset::Native => None,
        Asset::CreditAlphanum4(asset) => Some(&asset.issuer),
        Asset::CreditAlphanum12(asset) => Some(&asset.issuer),
    }
}

fn line_asset(asset: &Asset) -> TrustLineAsset {
    match asset {
        Asset::Native => TrustLineAsset::Native,
        Asset::CreditAlphanum4(asset) => TrustLineAsset::CreditAlphanum4(asset.clone()),
        Asset::CreditAlphanum12(asset) => TrustLineAsset::CreditAlphanum12(asset.clone()),
    }
}

/// The asset that a line in a footprint is for; `None` for a liquidity pool's share.
pub fn of_line(asset: &TrustLineAsset) -> Option<Asset> {
    match asset {
        TrustLineAsset::Native => Some(Asset::Native),
        TrustLineAsset::CreditAlphanum4(asset) => Some(Asset::CreditAlphanum4(asset.clone())),
        TrustLineAsset::CreditAlphanum12(asset) => Some(Asset::CreditAlphanum12(asset.clone())),
        TrustLineAsset::PoolShare(_) => None,
    }
}

pub fn line_key(account_id: &AccountId, asset: &Asset) -> LedgerKey {
    LedgerKey::Trustline(LedgerKeyTrustLine {
        account_id: account_id.clone(),
        asset: line_asset(asset),
    })
}

pub fn load_line(
    source: &dyn Source,
    account_id: &AccountId,
    asset: &Asset,
) -> Option<TrustLineEntry> {
    match &source.get(&line_key(account_id, asset))?.entry.data {
        LedgerEntryData::Trustline(line) => Some(line.clone()),
        _ => None,
    }
}

pub fn new_line(account_id: &AccountId, asset: &Asset, limit: i64, flags: u32) -> TrustLineEntry {
    TrustLineEntry {
        account_id: account_id.clone(),
        asset: line_asset(asset),
        balance: 0,
        limit,
        flags,
        ext: TrustLineEntryExt::V0,
    }
}

pub fn store_line(overlay: &mut Overlay, line: TrustLineEntry) {
    overlay.put(LedgerEntryData::Trustline(line));
}

pub fn is_authorized(line: &TrustLineEntry) -> bool {
    line.flags & TrustLineFlags::AuthorizedFlag as u32 != 0
}

/// (buying, selling) liabilities of a line.
pub fn liabilities(line: &TrustLineEntry) -> (i64, i64) {
    match &line.ext {
        TrustLineEntryExt::V0 => (0, 0),
        TrustLineEntryExt::V1(v1) => (v1.liabilities.buying, v1.liabilities.selling),
    }
}
