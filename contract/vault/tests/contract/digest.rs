//! The digest that an engine authorises, computed from its description in docs/contract.md by other means than the contract's.

use sha2::{Digest, Sha256};
use soroban_sdk::Env;
use vault::SettlementBatch;

use crate::chain::Chain;

pub fn of(batch: &SettlementBatch) -> [u8; 32] {
    let mut sha256 = Sha256::new();
    sha256.update(batch.channel.to_be_bytes());
    sha256.update(batch.epoch.to_be_bytes());
    sha256.update(batch.sequence.to_be_bytes());
    sha256.update(batch.state_root.to_array());
    sha256.update(batch.trades_root.to_array());
    sha256.update(batch.trade_count.to_be_bytes());
    sha256.update(batch.deltas.iter().collect::<Vec<u8>>());
    sha256.finalize().into()
}

/// A batch as a test vector for other languages.
pub fn example(env: &Env, deltas: &[u8]) -> SettlementBatch {
    SettlementBatch {
        channel: 0,
        epoch: 1,
        sequence: 1,
        state_root: soroban_sdk::BytesN::from_array(env, &[0x11; 32]),
        trades_root: soroban_sdk::BytesN::from_array(env, &[0x22; 32]),
        trade_count: 2,
        deltas: soroban_sdk::Bytes::from_slice(env, deltas),
    }
}

/// Each field counts: an authority for a batch that differs in one of them is none.
#[test]
fn the_digest_covers_every_field() {
    let (chain, tokens) = Chain::with_assets(2);
    chain.depositor(&tokens, 100);
    chain.depositor(&tokens, 100);
    let authorised = chain.batch(&crate::encoding::swap(0, 1, 10, 20));
    type Change = fn(&mut SettlementBatch);
    let changes: [Change; 6] = [
        |batch| batch.epoch += 1,
        |batch| batch.sequence += 1,
        |batch| batch.state_root = batch.trades_root.clone(),
        |batch| batch.trades_root = batch.state_root.clone(),
        |batch| batch.trade_count += 1,
        |batch| batch.deltas = soroban_sdk::Bytes::new(batch.deltas.env()),
    ];
    for change in changes {
        let mut batch = authorised.clone();
        change(&mut batch);
        chain.authorise(&[chain.batch_authority(&chain.engine, &authorised)]);
        let outcome = crate::chain::outcome!(chain.vault.try_settle_batch(&batch));
        assert_eq!(outcome, Err(crate::chain::Refusal::Host));
    }
    assert_eq!(chain.settle_batch(&authorised), Ok(()));
}
