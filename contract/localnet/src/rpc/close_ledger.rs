//! The admin call `POST /admin/close`: closes a ledger now.

use super::server::Rpc;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

pub async fn answer(State(rpc): State<Arc<Rpc>>) -> Response {
    match rpc.close().await {
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
