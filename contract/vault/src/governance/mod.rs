//! What may be done to the vault as a whole, by whom, and how long before it has to be said.
//!
//! The administrator decides; what could harm somebody's money is announced, and waits longer than an exit takes, so that whoever does
//! not agree is out before it happens. The pauser can stop and refuse, at once, and can do nothing else.

mod change;
mod changes;
mod pause;
mod roles;

pub use change::{Announcement, Change};
pub use changes::{announce, announced, apply, cancel, delay};
pub use pause::{is_paused, set_paused};
pub use roles::{admin, pauser, require_admin, require_pauser};

use crate::exits::EXIT_DELAY_SECONDS;

/// Three days: an exit's delay, and two days to hear of the change and to ask for it.
pub const MIN_CHANGE_DELAY_SECONDS: u64 = 3 * 24 * 3_600;
const _: () = assert!(MIN_CHANGE_DELAY_SECONDS >= 2 * EXIT_DELAY_SECONDS);

/// Thirty days: a slip of the pen can't put a change, and the change of the delay itself, out of reach.
pub const MAX_CHANGE_DELAY_SECONDS: u64 = 30 * 24 * 3_600;

/// How long a change may be applied once it is due: two weeks. One that was announced, left alone and forgotten by all does not come
/// back years later.
pub const CHANGE_LIFETIME_SECONDS: u64 = 14 * 24 * 3_600;

/// Changes announced at a time.
pub const MAX_ANNOUNCEMENTS: u32 = 16;
