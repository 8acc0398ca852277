use std::collections::HashMap;

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};

/// Keys in a generation: 4,096 of them take a megabyte.
const GENERATION: usize = 4_096;

/// The points of keys, negated as a check needs them. To find one takes a sixth of a check, and the same traders come back. Memory is bounded by keeping two
/// generations: when the young one is full it becomes the old one, and what was not asked for since is forgotten.
#[derive(Default)]
pub struct Keys {
    young: HashMap<[u8; 32], EdwardsPoint>,
    old: HashMap<[u8; 32], EdwardsPoint>,
}

impl Keys {
    /// None where the bytes are not the encoding of a point, or of one of small order. Those are not kept.
    pub fn negated(&mut self, key: &[u8; 32]) -> Option<EdwardsPoint> {
        if let Some(known) = self.young.get(key) {
            return Some(*known);
        }
        let negated = match self.old.get(key) {
            Some(known) => *known,
            None => -point(key)?,
        };
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(*key, negated);
        Some(negated)
    }
}

fn point(key: &[u8; 32]) -> Option<EdwardsPoint> {
    let encoded = CompressedEdwardsY(*key);
    let point = encoded.decompress()?;
    // A coordinate that is not reduced, or a zero with a sign, is another spelling of the same point.
    (point.compress() == encoded && !point.is_small_order()).then_some(point)
}
