//! The JSON-RPC interface that Stellar SDKs speak, with friendbot and the admin calls beside it.

mod admin;
mod answer;
mod close_ledger;
mod faults;
mod fund;
mod get_events;
mod get_fee_stats;
mod get_health;
mod get_latest_ledger;
mod get_ledger_entries;
mod get_ledgers;
mod get_network;
mod get_transaction;
mod get_transactions;
mod get_version_info;
mod jump;
mod limits;
mod page;
mod refusal;
mod send_transaction;
mod server;
mod simulate_transaction;
mod time;
mod wire;

pub use server::{Rpc, serve};
