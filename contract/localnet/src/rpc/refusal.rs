//! How the admin interface says no.

use axum::Json;
use axum::http::StatusCode;
use serde_json::{Value, json};

/// A request that cannot be followed, with one sentence.
pub type Refused = (StatusCode, Json<Value>);

pub fn refuse(sentence: impl Into<String>) -> Refused {
    let body = json!({ "error": sentence.into() });
    (StatusCode::BAD_REQUEST, Json(body))
}
