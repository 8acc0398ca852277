use soroban_sdk::{Bytes, BytesN, Env, IntoVal, contracttype};

use super::deltas;
use crate::errors::Error;
use crate::events::BatchSettled;
use crate::fees::Charges;
use crate::storage::{self, Channel};

/// Trades of one channel, netted to what each account gains and loses.
#[contracttype]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SettlementBatch {
    pub channel: u32,
    /// The engine's term; rises when another engine takes the channel over.
    pub epoch: u64,
    /// The channel's last sequence + 1; the first batch is 1.
    pub sequence: u64,
    /// Root of the engine's state after these trades. Recorded, not checked.
    pub state_root: BytesN<32>,
    /// Merkle root of the trades. Recorded, not checked.
    pub trades_root: BytesN<32>,
    /// Trades under the root, at least one.
    pub trade_count: u32,
    /// What the trades come to, and the fees on them; empty where they cancel out. See [`deltas`].
    pub deltas: Bytes,
}

/// Everything in the batch but the deltas, as the digest has it.
const DIGEST_HEAD_BYTES: usize = 4 + 8 + 8 + 32 + 32 + 4;

/// Settles a batch for the channel's engine.
pub fn settle_batch(env: &Env, batch: &SettlementBatch) -> Result<(), Error> {
    let engine = storage::matching_engine(env, batch.channel).ok_or(Error::MatchingEngineNotSet)?;
    // `require_auth` would put the deltas into the transaction a second time, as arguments of the authorisation. Its digest says
    // the same in 32 bytes. Contract, function and network are bound by the authorisation itself.
    engine.require_auth_for_args((digest(env, batch),).into_val(env));

    let pauses = storage::pauses(env);
    if pauses.all() {
        return Err(Error::Paused);
    }
    if batch.trade_count == 0 {
        return Err(Error::EmptyBatch);
    }
    advance_channel(env, batch)?;
    let mut charges = Charges::of(env, batch);
    deltas::apply(
        env,
        &batch.deltas,
        &mut charges,
        storage::asset_count(env),
        pauses,
    )?;
    charges.close();

    BatchSettled {
        channel: batch.channel,
        epoch: batch.epoch,
        sequence: batch.sequence,
        trade_count: batch.trade_count,
        trades_root: batch.trades_root.clone(),
        state_root: batch.state_root.clone(),
    }
    .publish(env);
    Ok(())
}

/// What the engine authorises: sha256 of channel, epoch, sequence, state root, trades root, trade count and deltas, in this
/// order, integers big-endian at their full width. All but the last are of fixed width, so no two batches share the bytes.
fn digest(env: &Env, batch: &SettlementBatch) -> BytesN<32> {
    let mut head = [0_u8; DIGEST_HEAD_BYTES];
    let fields: [&[u8]; 6] = [
        &batch.channel.to_be_bytes(),
        &batch.epoch.to_be_bytes(),
        &batch.sequence.to_be_bytes(),
        &batch.state_root.to_array(),
        &batch.trades_root.to_array(),
        &batch.trade_count.to_be_bytes(),
    ];
    for (byte, value) in head.iter_mut().zip(fields.iter().copied().flatten()) {
        *byte = *value;
    }
    let mut preimage = Bytes::from_array(env, &head);
    preimage.append(&batch.deltas);
    env.crypto().sha256(&preimage).to_bytes()
}

fn advance_channel(env: &Env, batch: &SettlementBatch) -> Result<(), Error> {
    let last = storage::channel(env, batch.channel);
    let (epoch, sequence) = last
        .as_ref()
        .map_or((0, 0), |channel| (channel.epoch, channel.sequence));
    if batch.epoch < epoch {
        return Err(Error::StaleEpoch);
    }
    if sequence.checked_add(1) != Some(batch.sequence) {
        return Err(Error::WrongSequence);
    }
    let next = Channel {
        epoch: batch.epoch,
        sequence: batch.sequence,
        state_root: batch.state_root.clone(),
        trades_root: batch.trades_root.clone(),
    };
    storage::set_channel(env, batch.channel, &next, last.is_none());
    Ok(())
}
