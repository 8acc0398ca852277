//! Tests of the compiled contract: the wasm that would be deployed, run and metered by the host that validators run.

mod access;
mod accounts;
mod batch;
mod chain;
mod channels;
mod custody;
mod deltas;
mod digest;
mod encoding;
mod events;
mod exits;
mod fees;
mod governance;
mod lasting;
mod property;
mod registry;
mod storage_life;
mod tokens;
mod trade;
mod upgrade;
mod wallets;
