//! Friendbot gives new accounts their first XLM. Whoever asks before the same ledger shares a
//! transaction with up to nine others, and these transactions take no room from others, so
//! that a benchmark gets its thousands of accounts in one ledger.

use crate::account;
use crate::envelope::Envelope;
use crate::ledger::Snapshot;
use crate::network::account_of;
use ed25519_dalek::Signer as _;
use std::collections::BTreeSet;
use stellar_xdr::*;

/// Stroops that a new account gets: 10,000 XLM.
pub const GIFT: i64 = 100_000_000_000;
/// Accounts per transaction. Every answer carries the whole transaction's metadata, so that more
/// would cost more than it saves.
const OPERATIONS_MAX: usize = 10;

/// The transactions that make these accounts, to be applied before any other of the next ledger.
pub fn transactions(snapshot: &Snapshot, wanted: &BTreeSet<AccountId>) -> Vec<Envelope> {
    let network = snapshot.network();
    let key = network.friendbot_key();
    let source = account_of(&key);
    let Some(friendbot) = account::load(snapshot, &source) else {
        return Vec::new();
    };
    let wanted: Vec<&AccountId> = wanted.iter().collect();
    wanted
        .chunks(OPERATIONS_MAX)
        .zip(friendbot.seq_num.0 + 1..)
        .map(|(part, sequence)| {
            let operations: Vec<Operation> = part
                .iter()
                .map(|account_id| Operation {
                    source_account: None,
                    body: OperationBody::CreateAccount(CreateAccountOp {
                        destination: (*account_id).clone(),
                        starting_balance: GIFT,
                    }),
                })
                .collect();
            let transaction = Transaction {
                source_account: source.clone().into(),
                fee: snapshot.header().base_fee
                    * u32::try_from(operations.len()).unwrap_or(u32::MAX),
                seq_num: SequenceNumber(sequence),
                cond: Preconditions::None,
                memo: Memo::None,
                // A chunk has at most as many as a transaction may.
                operations: VecM::try_from(operations).unwrap_or_default(),
                ext: TransactionExt::V0,
            };
            sign(transaction, &key, network)
        })
        .collect()
}

fn sign(
    tx: Transaction,
    key: &ed25519_dalek::SigningKey,
    network: &crate::network::Network,
) -> Envelope {
    let mut v1 = TransactionV1Envelope {
        tx,
        signatures: VecM::default(),
    };
    let unsigned = Envelope::new(TransactionEnvelope::Tx(v1.clone()), network);
    let public = key.verifying_key().to_bytes();
    let signature = key.sign(&unsigned.hash().0).to_bytes().to_vec();
    let decorated = DecoratedSignature {
        hint: SignatureHint([public[28], public[29], public[30], public[31]]),
        signature: Signature(BytesM::try_from(signature).unwrap_or_default()),
    };
    v1.signatures = VecM::try_from(vec![decorated]).unwrap_or_default();
    Envelope::new(TransactionEnvelope::Tx(v1), network)
}
