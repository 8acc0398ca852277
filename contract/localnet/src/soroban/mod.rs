//! The three contract operations, executed by the host that validators run. The checks around the
//! host are those of stellar-core (`InvokeHostFunctionOpFrame`, `ExtendFootprintTTLOpFrame`,
//! `RestoreFootprintOpFrame`).

mod extend;
mod invoke;
mod modules;
mod restore;

pub use modules::{Modules, Parsing, parse};

use crate::fees::Refundable;
use crate::ledger::Overlay;
use crate::settings::Settings;
use soroban_env_host::budget::Budget;
use soroban_env_host::{HostError, LedgerInfo};
use stellar_xdr::*;

/// Where a contract operation happens.
pub struct Stage<'a, 'b> {
    pub overlay: &'a mut Overlay<'b>,
    pub header: &'a LedgerHeader,
    pub settings: &'a Settings,
    pub network_id: &'a Hash,
    pub data: &'a SorobanTransactionData,
    /// The account that the operation acts for.
    pub source: &'a AccountId,
    /// What contracts draw their random numbers from.
    pub seed: [u8; 32],
    pub modules: &'a Modules,
    pub refundable: &'a mut Refundable,
}

impl Stage<'_, '_> {
    fn ledger_info(&self) -> LedgerInfo {
        self.settings.ledger_info(self.header, self.network_id)
    }

    fn budget(&self, instructions: u64) -> Result<Budget, HostError> {
        Budget::try_from_configs(
            instructions,
            u64::from(self.settings.compute.tx_memory_limit),
            self.settings.host.cpu_cost_params.clone(),
            self.settings.host.memory_cost_params.clone(),
        )
    }

    /// The ledger until which a persistent entry lives that is made or restored now.
    fn persistent_until(&self) -> u32 {
        let lifetime = self.settings.archival.min_persistent_ttl.saturating_sub(1);
        self.header.ledger_seq.saturating_add(lifetime)
    }

    /// No contract entry may be larger than the network allows.
    fn entry_fits(&self, key: &LedgerKey, bytes: usize) -> bool {
        let limit = match key {
            LedgerKey::ContractData(_) => self.settings.contract_entry_bytes_max,
            LedgerKey::ContractCode(_) => self.settings.contract_code_bytes_max,
            _ => return true,
        };
        bytes <= limit as usize
    }
}

/// What executing a contract operation took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consumed {
    pub instructions: u64,
    pub memory_bytes: u64,
    /// Bytes of classic entries and of entries brought back from the archive.
    pub disk_read_bytes: u32,
    pub write_entries: u32,
    pub write_bytes: u32,
    /// Contract events and return value.
    pub events_bytes: u32,
}

/// A contract operation's end, with everything that the ledger and its metadata keep of it.
pub struct Execution {
    pub outcome: Result<OperationResult, OperationResult>,
    pub return_value: Option<ScVal>,
    pub events: Vec<ContractEvent>,
    pub diagnostics: Vec<DiagnosticEvent>,
    pub consumed: Consumed,
}

impl Execution {
    fn ended(outcome: Result<OperationResult, OperationResult>) -> Self {
        Self {
            outcome,
            return_value: None,
            events: Vec::new(),
            diagnostics: Vec::new(),
            consumed: Consumed::default(),
        }
    }
}

/// What can be said about a contract operation without executing it.
pub fn check(
    body: &OperationBody,
    data: &SorobanTransactionData,
    settings: &Settings,
) -> Result<(), OperationResult> {
    match body {
        OperationBody::InvokeHostFunction(operation) => invoke::check(operation, settings),
        OperationBody::ExtendFootprintTtl(operation) => extend::check(operation, data, settings),
        OperationBody::RestoreFootprint(_) => restore::check(data),
        _ => Err(OperationResult::OpNotSupported),
    }
}

pub fn apply(body: &OperationBody, stage: Stage) -> Execution {
    match body {
        OperationBody::InvokeHostFunction(operation) => invoke::apply(operation, stage),
        OperationBody::ExtendFootprintTtl(operation) => extend::apply(operation, stage),
        OperationBody::RestoreFootprint(_) => restore::apply(stage),
        _ => Execution::ended(Err(OperationResult::OpNotSupported)),
    }
}
