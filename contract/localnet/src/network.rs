//! Which network this is: the passphrase, its id, and the keys that follow from them.

use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};
use stellar_xdr::{AccountId, Hash, PublicKey, Uint256};

/// The protocol that the ledger runs.
pub const PROTOCOL: u32 = 27;

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub fn account_of(key: &SigningKey) -> AccountId {
    AccountId(PublicKey::PublicKeyTypeEd25519(Uint256(
        key.verifying_key().to_bytes(),
    )))
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    passphrase: String,
    id: Hash,
}

impl Network {
    pub fn new(passphrase: &str) -> Self {
        Self {
            passphrase: passphrase.to_owned(),
            id: Hash(sha256(passphrase.as_bytes())),
        }
    }

    pub fn passphrase(&self) -> &str {
        &self.passphrase
    }

    /// sha256 of the passphrase: every signature is over it.
    pub fn id(&self) -> &Hash {
        &self.id
    }

    /// The root account's key. As on any Stellar network its seed is the network id, so whoever
    /// knows the passphrase owns it.
    pub fn root_key(&self) -> SigningKey {
        SigningKey::from_bytes(&self.id.0)
    }

    /// The key that friendbot pays from. Separate from the root's so that a test that spends as
    /// root does not race friendbot for a sequence number.
    pub fn friendbot_key(&self) -> SigningKey {
        let mut seed = b"friendbot".to_vec();
        seed.extend_from_slice(&self.id.0);
        SigningKey::from_bytes(&sha256(&seed))
    }
}
