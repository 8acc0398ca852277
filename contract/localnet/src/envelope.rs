//! A transaction as it was sent: decoded once, with its hash and the parts that rules ask for.

use crate::account;
use crate::ledger::{encode, encoded_len};
use crate::network::{Network, sha256};
use crate::signature::Verified;
use soroban_env_host::DEFAULT_XDR_RW_LIMITS;
use std::sync::Arc;
use stellar_xdr::*;

#[derive(Clone, Debug)]
pub struct Envelope {
    xdr: TransactionEnvelope,
    /// Size in bytes of the XDR that pays for bandwidth and history: without a fee bump's wrapper.
    size_bytes: u32,
    hash: Hash,
    /// The hash of the transaction inside a fee bump.
    inner_hash: Option<Hash>,
    verified: Arc<Verified>,
}

fn hash_of(network: &Network, tagged: TransactionSignaturePayloadTaggedTransaction) -> Hash {
    Hash(sha256(&encode(&TransactionSignaturePayload {
        network_id: network.id().clone(),
        tagged_transaction: tagged,
    })))
}

/// The old form of an envelope means the same transaction (CAP-15) and has the same hash.
fn modern(envelope: TransactionEnvelope) -> TransactionEnvelope {
    let TransactionEnvelope::TxV0(TransactionV0Envelope { tx, signatures }) = envelope else {
        return envelope;
    };
    TransactionEnvelope::Tx(TransactionV1Envelope {
        tx: Transaction {
            source_account: MuxedAccount::Ed25519(tx.source_account_ed25519),
            fee: tx.fee,
            seq_num: tx.seq_num,
            cond: tx
                .time_bounds
                .map_or(Preconditions::None, Preconditions::Time),
            memo: tx.memo,
            operations: tx.operations,
            ext: TransactionExt::V0,
        },
        signatures,
    })
}

impl Envelope {
    pub fn from_base64(text: &str, network: &Network) -> Result<Self, String> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let bytes = STANDARD
            .decode(text)
            .map_err(|error| format!("not base64: {error}"))?;
        Self::from_bytes(&bytes, network)
    }

    pub fn from_bytes(bytes: &[u8], network: &Network) -> Result<Self, String> {
        let xdr = TransactionEnvelope::from_xdr(bytes, DEFAULT_XDR_RW_LIMITS)
            .map_err(|error| format!("not a transaction envelope: {error}"))?;
        Ok(Self::new(xdr, network))
    }

    pub fn new(xdr: TransactionEnvelope, network: &Network) -> Self {
        use TransactionSignaturePayloadTaggedTransaction as Tagged;
        let xdr = modern(xdr);
        let (hash, inner_hash) = match &xdr {
            TransactionEnvelope::Tx(v1) => (hash_of(network, Tagged::Tx(v1.tx.clone())), None),
            TransactionEnvelope::TxFeeBump(bump) => {
                let FeeBumpTransactionInnerTx::Tx(inner) = &bump.tx.inner_tx;
                (
                    hash_of(network, Tagged::TxFeeBump(bump.tx.clone())),
                    Some(hash_of(network, Tagged::Tx(inner.tx.clone()))),
                )
            }
            // `modern` leaves no other form.
            TransactionEnvelope::TxV0(_) => (Hash([0; 32]), None),
        };
        let mut envelope = Self {
            xdr,
            size_bytes: 0,
            hash,
            inner_hash,
            verified: Arc::default(),
        };
        envelope.size_bytes = encoded_len(&TransactionEnvelope::Tx(envelope.inner().clone()));
        envelope
    }

    pub fn xdr(&self) -> &TransactionEnvelope {
        &self.xdr
    }

    pub fn hash(&self) -> &Hash {
        &self.hash
    }

    /// Shared by all copies of this envelope.
    pub fn verified(&self) -> &Verified {
        &self.verified
    }

    pub fn inner_hash(&self) -> Option<&Hash> {
        self.inner_hash.as_ref()
    }

    pub fn size_bytes(&self) -> u32 {
        self.size_bytes
    }

    fn inner(&self) -> &TransactionV1Envelope {
        match &self.xdr {
            TransactionEnvelope::Tx(v1) => v1,
            TransactionEnvelope::TxFeeBump(bump) => {
                let FeeBumpTransactionInnerTx::Tx(inner) = &bump.tx.inner_tx;
                inner
            }
            TransactionEnvelope::TxV0(_) => unreachable!("`new` converts the old form"),
        }
    }

    /// The transaction that does something: the inner one of a fee bump.
    pub fn transaction(&self) -> &Transaction {
        &self.inner().tx
    }

    /// The hash that the signatures of `transaction` are over.
    pub fn transaction_hash(&self) -> &Hash {
        self.inner_hash.as_ref().unwrap_or(&self.hash)
    }

    pub fn transaction_signatures(&self) -> &[DecoratedSignature] {
        self.inner().signatures.as_slice()
    }

    pub fn fee_bump(&self) -> Option<&FeeBumpTransactionEnvelope> {
        match &self.xdr {
            TransactionEnvelope::TxFeeBump(bump) => Some(bump),
            _ => None,
        }
    }

    pub fn source(&self) -> AccountId {
        account::id_of(&self.transaction().source_account)
    }

    pub fn fee_source(&self) -> AccountId {
        match self.fee_bump() {
            Some(bump) => account::id_of(&bump.tx.fee_source),
            None => self.source(),
        }
    }

    /// The most that the transaction may cost, in stroops.
    pub fn fee_max(&self) -> i64 {
        match self.fee_bump() {
            Some(bump) => bump.tx.fee,
            None => i64::from(self.transaction().fee),
        }
    }

    pub fn soroban_data(&self) -> Option<&SorobanTransactionData> {
        match &self.transaction().ext {
            TransactionExt::V0 => None,
            TransactionExt::V1(data) => Some(data),
        }
    }

    pub fn is_soroban(&self) -> bool {
        self.transaction()
            .operations
            .first()
            .is_some_and(|operation| is_soroban(&operation.body))
    }

    /// Operations that pay an inclusion fee; a fee bump counts as one more (CAP-15).
    pub fn fee_operations(&self) -> i64 {
        let operations = self.transaction().operations.len().max(1) as i64;
        operations + i64::from(self.fee_bump().is_some())
    }

    /// The declared resource fee in stroops; zero without contract operations.
    pub fn resource_fee(&self) -> i64 {
        match self.soroban_data() {
            Some(data) if self.is_soroban() => data.resource_fee,
            _ => 0,
        }
    }

    /// What is left of the fee for inclusion, in stroops.
    pub fn inclusion_fee(&self) -> i64 {
        self.fee_max().saturating_sub(self.resource_fee())
    }
}

pub fn is_soroban(body: &OperationBody) -> bool {
    matches!(
        body,
        OperationBody::InvokeHostFunction(_)
            | OperationBody::ExtendFootprintTtl(_)
            | OperationBody::RestoreFootprint(_)
    )
}
