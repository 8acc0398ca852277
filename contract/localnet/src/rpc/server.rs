//! The HTTP server: one path for JSON-RPC, one for friendbot, and `/admin` for tests and
//! operators. It listens on loopback only.

use super::answer::{Answer, Fault, body};
use super::faults::{Faults, Lie, Struck};
use super::wire::{Scissors, Wires};
use super::*;
use crate::envelope::Envelope;
use crate::ledger::Order;
use crate::node::{Node, Sent, Summary};
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;
use std::future::Future;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

/// Bytes of a request. The largest honest one carries a transaction of 132,096 bytes in base64.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;
/// How often is looked whether a transaction has been included.
const INCLUSION_POLL: Duration = Duration::from_millis(20);

pub struct Rpc {
    pub node: Arc<Node>,
    friendbot_url: String,
    /// Faults on demand; `None` where the admin interface is not served.
    faults: Option<Faults>,
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
            faults: has_admin.then(Faults::default),
            simulating,
            fatal,
        })
    }

    pub fn faults(&self) -> Option<&Faults> {
        self.faults.as_ref()
    }

    fn order(&self) -> Order {
        self.faults().map_or_else(Order::default, Faults::order)
    }

    /// Closes a ledger.
    pub async fn close(self: &Arc<Self>) -> Result<Summary, String> {
        let rpc = self.clone();
        self.closing(move || rpc.node.close(|| rpc.order())).await
    }

    /// Goes ledgers and seconds ahead.
    pub async fn jump(self: &Arc<Self>, ledgers: u32, seconds: u64) -> Result<Summary, String> {
        let rpc = self.clone();
        self.closing(move || rpc.node.jump(ledgers, seconds, || rpc.order()))
            .await
    }

    /// Closes on a thread of its own and prints a line if something was in the ledger.
    async fn closing(
        &self,
        close: impl FnOnce() -> Result<Summary, String> + Send + 'static,
    ) -> Result<Summary, String> {
        let closed = tokio::task::spawn_blocking(close)
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
    if rpc.faults.is_some() {
        router = router.merge(admin::routes());
    }
    let router = router
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(rpc);
    let service = router.into_make_service_with_connect_info::<Scissors>();
    axum::serve(Wires(listener), service)
        .with_graceful_shutdown(stop)
        .await
}

/// Answers with HTTP 200 whatever the outcome: clients take other codes for a broken connection
/// and lose the error inside.
async fn call(
    State(rpc): State<Arc<Rpc>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    request: Bytes,
) -> Response {
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
            let parameters = request["params"].clone();
            match rpc.faults() {
                None => dispatch(rpc.clone(), method.to_owned(), parameters).await,
                Some(faults) => {
                    let struck = faults.strike(method);
                    match suffer(&rpc, faults, struck, method, parameters).await {
                        Some(answered) => answered,
                        None => {
                            scissors.cut();
                            return Response::default();
                        }
                    }
                }
            }
        }
        _ => Err(Fault::request("not a JSON-RPC 2.0 request")),
    };
    let bytes = serde_json::to_vec(&body(id, answered)).unwrap_or_default();
    ([(CONTENT_TYPE, "application/json")], bytes).into_response()
}

/// Answers under the faults that strike; `None`: the client gets no answer.
async fn suffer(
    rpc: &Arc<Rpc>,
    faults: &Faults,
    struck: Struck,
    method: &str,
    parameters: Value,
) -> Option<Answer> {
    if struck.dropped {
        return None;
    }
    let submitted = about(rpc, faults, method, &parameters);
    let swallowed = struck.lies.iter().any(Lie::swallows);
    let ask = || dispatch(rpc.clone(), method.to_owned(), parameters.clone());
    let mut answered = match &submitted {
        Some(envelope) if swallowed => Ok(send_transaction::describe(
            &rpc.node,
            envelope.hash(),
            Sent::Pending,
        )),
        _ => ask().await,
    };
    if struck.duplicated && method == "sendTransaction" {
        answered = ask().await;
    }
    if let Ok(answer) = &mut answered {
        if struck.duplicated
            && let Some(Value::Array(events)) = answer.get_mut("events")
        {
            *events = events
                .iter()
                .flat_map(|event| [event.clone(), event.clone()])
                .collect();
        }
        for lie in &struck.lies {
            lie.tell(&parameters, submitted.as_ref(), answer);
        }
    }
    if let (Some(longest), Some(envelope)) = (struck.timed_out, &submitted) {
        await_inclusion(&rpc.node, envelope, longest).await;
        return None;
    }
    tokio::time::sleep(struck.delay).await;
    (!struck.lost).then_some(answered)
}

/// The transaction that a call is about: the one that is submitted, or one that was.
fn about(rpc: &Rpc, faults: &Faults, method: &str, parameters: &Value) -> Option<Envelope> {
    match method {
        "sendTransaction" => {
            let text = parameters["transaction"].as_str()?;
            let envelope = Envelope::from_base64(text, rpc.node.network()).ok()?;
            faults.remember(envelope.clone());
            Some(envelope)
        }
        "getTransaction" => {
            let hash = get_transaction::hash(parameters["hash"].as_str()?).ok()?;
            faults.submitted(&hash)
        }
        _ => None,
    }
}

/// Waits until a transaction is in a ledger, and then until the client must have given up.
async fn await_inclusion(node: &Node, envelope: &Envelope, longest: Duration) {
    let until = Instant::now() + longest;
    let included = || node.with_history(|history| history.transaction(envelope.hash()).is_some());
    while Instant::now() < until && !included() {
        tokio::time::sleep(INCLUSION_POLL).await;
    }
    tokio::time::sleep_until(until).await;
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
        "getLatestLedger" => aside(move || get_latest_ledger::answer(&node)).await,
        "getTransaction" => get_transaction::answer(&node, &parameters),
        "getLedgers" => aside(move || get_ledgers::answer(&node, &parameters)).await,
        "getTransactions" => aside(move || get_transactions::answer(&node, &parameters)).await,
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
