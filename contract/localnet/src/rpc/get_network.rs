//! `getNetwork`

use super::answer::Answer;
use crate::network::PROTOCOL;
use crate::node::Node;
use serde_json::json;

pub fn answer(node: &Node, friendbot_url: &str) -> Answer {
    Ok(json!({
        "friendbotUrl": friendbot_url,
        "passphrase": node.network().passphrase(),
        "protocolVersion": PROTOCOL,
    }))
}
