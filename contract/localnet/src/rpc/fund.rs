//! Friendbot: `/friendbot?addr=G…`, by GET or POST. The answer comes when the account is there.

use super::answer::base64;
use super::server::Rpc;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use stellar_xdr::{AccountId, PublicKey, Uint256};

#[derive(Deserialize)]
pub struct Wanted {
    addr: Option<String>,
}

fn refuse(status: StatusCode, detail: &str) -> Response {
    let body = json!({ "status": status.as_u16(), "title": "Bad Request", "detail": detail });
    (status, Json(body)).into_response()
}

pub async fn answer(State(rpc): State<Arc<Rpc>>, Query(wanted): Query<Wanted>) -> Response {
    let address = wanted.addr.unwrap_or_default();
    let Ok(key) = stellar_strkey::ed25519::PublicKey::from_string(&address) else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "addr must be an account (G…); contracts are not funded by this friendbot",
        );
    };
    let account = AccountId(PublicKey::PublicKeyTypeEd25519(Uint256(key.0)));
    let paid = rpc.node.ask_friendbot(account);
    if rpc.node.ledger_time().is_none()
        && let Err(error) = rpc.close().await
    {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, &error);
    }
    match paid.await {
        Ok(Ok(transaction)) => Json(json!({
            "successful": true,
            "hash": hex::encode(transaction.hash.0),
            "ledger": transaction.ledger,
            "envelope_xdr": base64(&transaction.envelope),
            "result_xdr": base64(&transaction.result),
            "result_meta_xdr": base64(&transaction.meta),
        }))
        .into_response(),
        Ok(Err(detail)) => refuse(StatusCode::BAD_REQUEST, &detail),
        Err(_) => refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            "the network is shutting down",
        ),
    }
}
