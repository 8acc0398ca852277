//! `getVersionInfo`

use super::answer::Answer;
use crate::network::PROTOCOL;
use serde_json::json;

pub fn answer() -> Answer {
    let version = concat!("localnet ", env!("CARGO_PKG_VERSION"));
    Ok(json!({
        "version": version,
        "commitHash": "",
        "buildTimestamp": "",
        "captiveCoreVersion": version,
        "protocolVersion": PROTOCOL,
    }))
}
