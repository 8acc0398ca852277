//! ChangeTrust: opens, resizes or closes the source's trustline. Shares of liquidity pools are not
//! part of this network.

use super::{Outcome, Scene};
use crate::account::{self, Owning};
use crate::asset;
use stellar_xdr::*;

fn result(code: ChangeTrustResult) -> OperationResult {
    OperationResult::OpInner(OperationResultTr::ChangeTrust(code))
}

fn asset_of(line: &ChangeTrustAsset) -> Option<Asset> {
    match line {
        ChangeTrustAsset::Native => Some(Asset::Native),
        ChangeTrustAsset::CreditAlphanum4(asset) => Some(Asset::CreditAlphanum4(asset.clone())),
        ChangeTrustAsset::CreditAlphanum12(asset) => Some(Asset::CreditAlphanum12(asset.clone())),
        ChangeTrustAsset::PoolShare(_) => None,
    }
}

pub fn check(operation: &ChangeTrustOp, source: &AccountId) -> Result<(), OperationResult> {
    let Some(asset) = asset_of(&operation.line) else {
        return Err(OperationResult::OpNotSupported);
    };
    if operation.limit < 0
        || asset == Asset::Native
        || !asset::is_valid(&asset)
        || asset::issuer(&asset) == Some(source)
    {
        return Err(result(ChangeTrustResult::Malformed));
    }
    Ok(())
}

pub fn apply(operation: &ChangeTrustOp, scene: Scene) -> Outcome {
    let Some(asset) = asset_of(&operation.line) else {
        return Err(OperationResult::OpNotSupported);
    };
    let issuer = asset::issuer(&asset).and_then(|issuer| account::load(scene.overlay, issuer));
    let Some(mut source) = account::load(scene.overlay, scene.source) else {
        return Err(OperationResult::OpNoAccount);
    };

    if let Some(mut line) = asset::load_line(scene.overlay, scene.source, &asset) {
        let (buying, _) = asset::liabilities(&line);
        if operation.limit < line.balance.saturating_add(buying) {
            return Err(result(ChangeTrustResult::InvalidLimit));
        }
        if operation.limit == 0 {
            scene.overlay.remove(&asset::line_key(scene.source, &asset));
            source.num_sub_entries = source.num_sub_entries.saturating_sub(1);
            account::store(scene.overlay, source);
        } else {
            if issuer.is_none() {
                return Err(result(ChangeTrustResult::NoIssuer));
            }
            line.limit = operation.limit;
            asset::store_line(scene.overlay, line);
        }
        return Ok(result(ChangeTrustResult::Success));
    }

    if operation.limit == 0 {
        return Err(result(ChangeTrustResult::InvalidLimit));
    }
    let Some(issuer) = issuer else {
        return Err(result(ChangeTrustResult::NoIssuer));
    };
    match account::own_one_more(&mut source, scene.header) {
        Owning::Done => {}
        Owning::LowReserve => return Err(result(ChangeTrustResult::LowReserve)),
        Owning::TooMany => return Err(OperationResult::OpTooManySubentries),
    }
    let mut flags = 0;
    if issuer.flags & AccountFlags::RequiredFlag as u32 == 0 {
        flags |= TrustLineFlags::AuthorizedFlag as u32;
    }
    if issuer.flags & AccountFlags::ClawbackEnabledFlag as u32 != 0 {
        flags |= TrustLineFlags::TrustlineClawbackEnabledFlag as u32;
    }
    account::store(scene.overlay, source);
    asset::store_line(
        scene.overlay,
        asset::new_line(scene.source, &asset, operation.limit, flags),
    );
    Ok(result(ChangeTrustResult::Success))
}
