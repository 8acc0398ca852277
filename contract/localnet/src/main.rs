//! The command `localnet`.

use localnet::network::Network;
use localnet::node::Node;
use localnet::options::{self, Command, Options};
use localnet::rpc::{Rpc, serve};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

/// How long open requests may hold up the end.
const STOPPING: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let options = match options::parse(std::env::args().skip(1)) {
        Ok(Command::Run(options)) => options,
        Ok(Command::Help) => {
            println!("{}", options::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(sentence) => {
            eprintln!("{sentence}");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("localnet cannot start: {error}.");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("{sentence}.");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), String> {
    // The port first: a second localnet on it should say so before it touches any state.
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("Port {} cannot be used: {error}", options.port))?;
    let url = match listener.local_addr() {
        Ok(address) => format!("http://{address}"),
        Err(error) => return Err(format!("Port {} cannot be used: {error}", options.port)),
    };
    let network = Network::new(&options.passphrase);
    let (state, ledger_time) = (options.state.clone(), options.ledger_time);
    let node = tokio::task::spawn_blocking(move || Node::open(network, &state, ledger_time))
        .await
        .map_err(|error| format!("Opening the state broke off: {error}"))?
        .map_err(|error| format!("The state cannot be used: {error}"))?;
    let node = Arc::new(node);

    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let (fatal, mut failed) = mpsc::unbounded_channel();
    let rpc = Rpc::new(
        node.clone(),
        format!("{url}/friendbot"),
        options.admin,
        fatal,
    );
    let (stop, mut stopping) = tokio::sync::watch::channel(false);

    println!(
        "localnet at {url}, ledger {}, passphrase \"{}\"",
        node.snapshot().sequence(),
        node.network().passphrase()
    );
    std::io::stdout()
        .flush()
        .map_err(|error| error.to_string())?;

    let server = tokio::spawn(serve(rpc.clone(), listener, async move {
        // An error means that the sender is gone, and then it is time to stop as well.
        let _ = stopping.wait_for(|stop| *stop).await;
    }));
    let timer = options
        .ledger_time
        .map(|time| tokio::spawn(keep_closing(rpc.clone(), time)));

    let failure = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        error = failed.recv() => error,
    };
    if let Some(timer) = timer {
        timer.abort();
    }
    // The receiver lives as long as the server; without it there is nothing to stop.
    let _ = stop.send(true);
    // Idle connections of clients must not keep the process.
    if let Ok(Ok(Err(error))) = tokio::time::timeout(STOPPING, server).await {
        eprintln!("The server stopped with an error: {error}.");
    }
    let finished = tokio::task::spawn_blocking(move || node.finish())
        .await
        .unwrap_or_else(|error| Err(format!("finishing broke off: {error}")));
    match failure {
        Some(error) => Err(format!("A ledger could not be kept: {error}")),
        None => finished.map_err(|error| format!("The state could not be kept: {error}")),
    }
}

async fn keep_closing(rpc: Arc<Rpc>, time: Duration) {
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + time, time);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if rpc.close().await.is_err() {
            // The failure has been announced where the process waits for it.
            return;
        }
    }
}
