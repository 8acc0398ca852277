//! Checks ed25519 signatures for the gateway: a module of Node's, loaded by each thread that checks.
//!
//! The rule is the strict one (RFC 8032 without the cofactor, and nothing of small order), which is also that of Soroban's host:
//!
//! - `A`, the key, is the one encoding of a point, and that point is not of small order;
//! - `S` is below the order of the group;
//! - `R`, the first half of the signature, is byte for byte the encoding of `[S]B - [k]A`, where `k` is SHA-512 of `R`, `A` and the message, and not of small order.

mod keys;

use std::cell::RefCell;

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use napi::bindgen_prelude::Uint8Array;
use napi::{Error, Result, Status};
use napi_derive::napi;
use sha2::{Digest, Sha512};

use keys::Keys;

/// One check as it lies in a task's buffer (packing.ts): the key, both halves of the signature, and a digest, the message. 32 bytes each.
const CHECK_BYTES: usize = 128;

thread_local! {
    static KEYS: RefCell<Keys> = RefCell::new(Keys::default());
}

/// One bit for each check, the first in the lowest bit of the first byte. Throws where the bytes are not whole checks.
#[napi]
pub fn verify(packed: &[u8]) -> Result<Uint8Array> {
    let (checks, rest) = packed.as_chunks::<CHECK_BYTES>();
    if checks.is_empty() || !rest.is_empty() {
        return Err(Error::new(
            Status::InvalidArg,
            format!("{} bytes are not whole checks", packed.len()),
        ));
    }
    let expected: Vec<EdwardsPoint> = KEYS.with_borrow_mut(|keys| {
        let point = |check| expected(keys, check).unwrap_or_default();
        checks.iter().map(point).collect()
    });
    // Together, since what is dear about an encoding, an inversion, can be shared.
    let encoded = EdwardsPoint::compress_batch_alloc(&expected);
    let mut valid = vec![0; checks.len().div_ceil(8)];
    for (at, check) in checks.iter().enumerate() {
        // The identity, which stands for what is refused already, is of small order.
        if encoded[at].as_bytes() == part(check, 1) && !expected[at].is_small_order() {
            valid[at / 8] |= 1 << (at % 8);
        }
    }
    Ok(valid.into())
}

/// What the first half of the signature has to be; None where it can be nothing.
fn expected(keys: &mut Keys, check: &[u8; CHECK_BYTES]) -> Option<EdwardsPoint> {
    let (key, r, message) = (part(check, 0), part(check, 1), part(check, 3));
    let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(*part(check, 2)))?;
    let negated = keys.negated(key)?;
    let hash = Sha512::new()
        .chain_update(r)
        .chain_update(key)
        .chain_update(message);
    let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    // All of it is public: it may take a time that depends on it.
    Some(EdwardsPoint::vartime_double_scalar_mul_basepoint(
        &k, &negated, &s,
    ))
}

fn part(check: &[u8; CHECK_BYTES], at: usize) -> &[u8; 32] {
    check[32 * at..][..32].try_into().expect("32 bytes")
}
