//! The HTTP server: one path for JSON-RPC, one for friendbot, and `/admin` for tests and
//! operators. It listens on loopback only.

use super::answer::{Answer, Fault, body};
use super::*;
use crate::node::{Node, Summary};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;
use std::future::Future;
use std::io::Write;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};

/// Bytes of a request. The largest honest one carries a transaction of 132,096 bytes in base64.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;

pub struct Rpc {
    pub node: Arc<Node>,
    friendbot_url: String,
    /// Whether the admin interface is served.
    has_admin: bool,
    /// Simulations that run at once; they are long, and others wait.
    simulating: Semaphore,
    /// Where the end of this process is announced when a ledger cannot be kept.
    fatal: mpsc::UnboundedSender<String>,
}

impl Rpc {
    pub fn new(
        node: Arc<Node>,
        friendbot_url: String,
        has_admin: bool,
        fatal: mpsc::UnboundedSender<String>,
    ) -> Arc<Self> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let simulating = Semaphore::new(threads);
        Arc::new(Self {
            node,
            friendbot_url,
            has_admin,
            simulating,
            fatal,
        })
    }

    /// Closes a ledger on a thread of its own and prints a line if something was in it.
    pub async fn close(&self) -> Result<Summary, String> {
        let node = self.node.clone();
        let closed = tokio::task::spawn_blocking(move || node.close())
            .await
            .unwrap_or_else(|error| Err(format!("closing a ledger broke off: {error}")));
        match &closed {
            Ok(summary) => print(summary),
            // Nobody listens any more when the process is ending anyway.
            Err(error) => drop(self.fatal.send(error.clone())),
        }
        closed
    }
}

fn print(summary: &Summary) {
    let Summary {
        sequence,
        transactions,
        failed,
        refused,
        left,
        took,
    } = summary;
    if transactions + refused + left == 0 {
        return;
    }
    let line = format!(
        "ledger {sequence}: {transactions} applied, {failed} of them failed, {refused} refused, \
         {left} left, {:.1} ms",
        took.as_secs_f64() * 1_000.0
    );
    // Whoever read our output may be gone; the network goes on.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Serves until `stop` resolves.
pub async fn serve(
    rpc: Arc<Rpc>,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let mut router = Router::new()
        .route("/", post(call))
        .route("/friendbot", get(fund::answer).post(fund::answer));
    if rpc.has_admin {
        router = router.merge(admin::routes());
    }
    let router = router
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(rpc);
    axum::serve(listener, router)
        .with_graceful_shutdown(stop)
        .await
}

/// Answers with HTTP 200 whatever the outcome: clients take other codes for a broken connection
/// and lose the error inside.
async fn call(State(rpc): State<Arc<Rpc>>, request: Bytes) -> Response {
    let request: Value = match serde_json::from_slice(&request) {
        Ok(request) => request,
        Err(error) => {
            let fault = Fault::parse(format!("the request is not JSON: {error}"));
            return Json(body(Value::Null, Err(fault))).into_response();
        }
    };
    let id = request["id"].clone();
    let answered = match request["method"].as_str() {
        Some(method) if request["jsonrpc"] == "2.0" => {
            let method = method.to_owned();
            let parameters = request["params"].clone();
            dispatch(rpc, method, parameters).await
        }
        _ => Err(Fault::request("not a JSON-RPC 2.0 request")),
    };
    let bytes = serde_json::to_vec(&body(id, answered)).unwrap_or_default();
    ([(CONTENT_TYPE, "application/json")], bytes).into_response()
}

async fn dispatch(rpc: Arc<Rpc>, method: String, parameters: Value) -> Answer {
    if !matches!(parameters, Value::Null | Value::Object(_)) {
        return Err(Fault::parameters("parameters are given by name"));
    }
    let node = rpc.node.clone();
    match method.as_str() {
        "getHealth" => get_health::answer(&node),
        "getNetwork" => get_network::answer(&node, &rpc.friendbot_url),
        "getVersionInfo" => get_version_info::answer(),
        "getLatestLedger" => get_latest_ledger::answer(&node),
        "getTransaction" => get_transaction::answer(&node, &parameters),
        "getFeeStats" => aside(move || get_fee_stats::answer(&node)).await,
        "getLedgerEntries" => aside(move || get_ledger_entries::answer(&node, &parameters)).await,
        "getEvents" => aside(move || get_events::answer(&node, &parameters)).await,
        "sendTransaction" => aside(move || send_transaction::answer(&node, &parameters)).await,
        "simulateTransaction" => {
            let _turn = rpc.simulating.acquire().await;
            aside(move || simulate_transaction::answer(&node, &parameters)).await
        }
        other => Err(Fault::method(other)),
    }
}

/// Works on a thread where it may take its time.
async fn aside(work: impl FnOnce() -> Answer + Send + 'static) -> Answer {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Fault::internal(format!("the call broke off: {error}"))))
}
