//! A Stellar development network in one process.

pub mod account;
pub mod apply;
pub mod asset;
pub mod classic;
pub mod cost;
pub mod envelope;
pub mod fees;
pub mod friendbot;
pub mod genesis;
pub mod history;
pub mod ledger;
pub mod network;
pub mod node;
pub mod options;
pub mod pool;
pub mod rpc;
pub mod settings;
pub mod signature;
pub mod simulation;
pub mod soroban;
pub mod store;
pub mod validity;
