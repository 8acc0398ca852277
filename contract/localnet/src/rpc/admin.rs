//! The admin interface, for tests and for whoever runs a development network. It is there only where
//! the command line asks for it, and it takes no requests from web pages.

use super::server::Rpc;
use super::{close_ledger, faults, jump, limits};
use axum::extract::Request;
use axum::http::{StatusCode, header::ORIGIN};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::json;
use std::sync::Arc;

pub fn routes() -> Router<Arc<Rpc>> {
    Router::new()
        .route("/admin/close", post(close_ledger::answer))
        .route("/admin/jump", post(jump::answer))
        .route(
            "/admin/faults",
            get(faults::show).post(faults::add).delete(faults::clear),
        )
        .route("/admin/faults/{id}", delete(faults::remove))
        .route(
            "/admin/limits",
            get(limits::show).post(limits::set).delete(limits::clear),
        )
        .layer(from_fn(no_web_pages))
}

/// A page that somebody visits could otherwise speak to localnet through the visitor's browser.
async fn no_web_pages(request: Request, next: Next) -> Response {
    if request.headers().contains_key(ORIGIN) {
        let body = json!({ "error": "web pages may not use the admin interface" });
        return (StatusCode::FORBIDDEN, Json(body)).into_response();
    }
    next.run(request).await
}
