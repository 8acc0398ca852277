//! Which signatures of an envelope count for whom. Each signature must be used by somebody
//! (txBAD_AUTH_EXTRA), so the check remembers across accounts which ones were.

use crate::network::sha256;
use ed25519_dalek::{Signature as Ed25519Signature, VerifyingKey};
use std::sync::{Mutex, PoisonError};
use stellar_xdr::*;

/// Which ed25519 signatures of an envelope have been verified, and how that ended. The same
/// signatures are asked for at submission, when a ledger is made, and for each operation; verifying
/// one costs more than all else that a payment takes.
#[derive(Debug, Default)]
pub struct Verified(Mutex<Vec<(Hash, usize, Uint256, bool)>>);

impl Verified {
    fn once(&self, hash: &Hash, at: usize, key: &Uint256, verify: impl FnOnce() -> bool) -> bool {
        let known = |list: &[(Hash, usize, Uint256, bool)]| {
            let found = list
                .iter()
                .find(|(h, a, k, _)| *a == at && h == hash && k == key);
            found.map(|found| found.3)
        };
        // An entry is pushed as a whole, so a list that some thread left behind is good.
        if let Some(known) = known(&self.0.lock().unwrap_or_else(PoisonError::into_inner)) {
            return known;
        }
        let verified = verify();
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.push((hash.clone(), at, key.clone(), verified));
        verified
    }
}

pub struct SignatureCheck<'a> {
    hash: &'a Hash,
    signatures: &'a [DecoratedSignature],
    verified: &'a Verified,
    used: Vec<bool>,
}

fn hint_of(bytes: &[u8; 32]) -> [u8; 4] {
    [bytes[28], bytes[29], bytes[30], bytes[31]]
}

/// CAP-40: the hint of a signed payload is the key's, xored with the payload's last four bytes.
fn payload_hint(signer: &SignerKeyEd25519SignedPayload) -> [u8; 4] {
    let mut hint = hint_of(&signer.ed25519.0);
    let payload = signer.payload.as_slice();
    let mut tail = [0u8; 4];
    if payload.len() >= 4 {
        tail.copy_from_slice(&payload[payload.len() - 4..]);
    } else {
        tail[..payload.len()].copy_from_slice(payload);
    }
    for (byte, other) in hint.iter_mut().zip(tail) {
        *byte ^= other;
    }
    hint
}

fn verifies(key: &Uint256, message: &[u8], signature: &Signature) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(&key.0) else {
        return false;
    };
    let Ok(signature) = Ed25519Signature::from_slice(signature.as_slice()) else {
        return false;
    };
    // Strict as the network's: no small-order keys, no second encoding of a signature.
    key.verify_strict(message, &signature).is_ok()
}

impl<'a> SignatureCheck<'a> {
    pub fn new(
        hash: &'a Hash,
        signatures: &'a [DecoratedSignature],
        verified: &'a Verified,
    ) -> Self {
        Self {
            hash,
            signatures,
            verified,
            used: vec![false; signatures.len()],
        }
    }

    fn signs(&self, key: &SignerKey, at: usize) -> bool {
        let decorated = &self.signatures[at];
        let hint = decorated.hint.0;
        match key {
            SignerKey::PreAuthTx(_) => false,
            SignerKey::HashX(hash) => {
                hint == hint_of(&hash.0) && sha256(decorated.signature.as_slice()) == hash.0
            }
            SignerKey::Ed25519(key) => {
                hint == hint_of(&key.0)
                    && self.verified.once(self.hash, at, key, || {
                        verifies(key, &self.hash.0, &decorated.signature)
                    })
            }
            SignerKey::Ed25519SignedPayload(signer) => {
                hint == payload_hint(signer)
                    && verifies(
                        &signer.ed25519,
                        signer.payload.as_slice(),
                        &decorated.signature,
                    )
            }
        }
    }

    /// Whether the signatures reach `weight` (and at least one signer signed, even for weight
    /// zero). Each signer counts once.
    pub fn reaches(&mut self, signers: &[Signer], weight: u32) -> bool {
        let mut total: u32 = 0;
        for signer in signers {
            if matches!(&signer.key, SignerKey::PreAuthTx(hash) if hash.0 == self.hash.0) {
                total += signer.weight.min(255);
                if total >= weight {
                    return true;
                }
            }
        }
        // By kind, as core does: the order decides which signatures are left unused.
        for kind in [
            SignerKeyType::HashX,
            SignerKeyType::Ed25519,
            SignerKeyType::Ed25519SignedPayload,
        ] {
            let mut left: Vec<&Signer> = signers
                .iter()
                .filter(|signer| signer.key.discriminant() == kind)
                .collect();
            for at in 0..self.signatures.len() {
                let Some(found) = left.iter().position(|signer| self.signs(&signer.key, at)) else {
                    continue;
                };
                self.used[at] = true;
                total += left.swap_remove(found).weight.min(255);
                if total >= weight {
                    return true;
                }
            }
        }
        false
    }

    pub fn all_used(&self) -> bool {
        self.used.iter().all(|used| *used)
    }
}
