//! The admin call `POST /admin/close`: closes a ledger now.

use super::server::Rpc;
use crate::node::Summary;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::json;
use std::sync::Arc;

pub async fn answer(State(rpc): State<Arc<Rpc>>) -> impl IntoResponse {
    describe(rpc.close().await)
}

/// What became of a ledger that was asked for.
pub fn describe(closed: Result<Summary, String>) -> impl IntoResponse {
    match closed {
        Ok(summary) => Json(json!({
            "ledger": summary.sequence,
            "transactions": summary.transactions,
            "failed": summary.failed,
            "refused": summary.refused,
            "left": summary.left,
        }))
        .into_response(),
        Err(error) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            Json(json!({ "error": error })),
        )
            .into_response(),
    }
}
