//! Parsed contracts, kept across transactions as validators keep them (CAP-65): a call pays for
//! instantiating its contract, not for parsing it.

use crate::ledger::{Snapshot, Stored};
use crate::network::PROTOCOL;
use crate::settings::Settings;
use soroban_env_host::budget::{AsBudget, Budget};
use soroban_env_host::vm::VersionedContractCodeCostInputs;
use soroban_env_host::{CompilationContext, Error, ErrorHandler, HostError, ModuleCache, Val};
use stellar_xdr::*;

/// Parsing for the cache is the node's own work, which nobody pays for.
#[derive(Clone)]
pub struct Parsing(Budget);

impl Parsing {
    /// Without bounds, priced by the ledger's cost parameters.
    pub fn priced(cpu: ContractCostParams, memory: ContractCostParams) -> Result<Self, String> {
        Budget::try_from_configs(u64::MAX, u64::MAX, cpu, memory)
            .map(Self)
            .map_err(|error| format!("no budget from the ledger's cost parameters: {error:?}"))
    }
}

impl AsBudget for Parsing {
    fn as_budget(&self) -> &Budget {
        &self.0
    }
}

impl ErrorHandler for Parsing {
    fn map_err<T, E>(&self, result: Result<T, E>) -> Result<T, HostError>
    where
        Error: From<E>,
        E: core::fmt::Debug,
    {
        result.map_err(|error| HostError::from(Error::from(error)))
    }

    fn error(&self, error: Error, _message: &str, _arguments: &[Val]) -> HostError {
        HostError::from(error)
    }
}

impl CompilationContext for Parsing {}

#[derive(Clone)]
pub struct Modules(ModuleCache);

impl Modules {
    /// The modules of all contracts in a ledger.
    pub fn of(snapshot: &Snapshot) -> Result<Self, String> {
        let cache = ModuleCache::new(&parsing(snapshot.settings())?)
            .map_err(|error| format!("no module cache: {error:?}"))?;
        let modules = Self(cache);
        for (_, stored) in snapshot.entries() {
            modules.add(stored, snapshot.settings())?;
        }
        Ok(modules)
    }

    /// Adds the module of an entry that is contract code; other entries are none of its business.
    pub fn add(&self, stored: &Stored, settings: &Settings) -> Result<(), String> {
        let LedgerEntryData::ContractCode(code) = &stored.entry.data else {
            return Ok(());
        };
        parse(&self.0, &parsing(settings)?, code)
    }

    pub(super) fn cache(&self) -> ModuleCache {
        self.0.clone()
    }
}

/// Parses a contract into the cache.
pub fn parse(
    cache: &ModuleCache,
    parsing: &Parsing,
    code: &ContractCodeEntry,
) -> Result<(), String> {
    let inputs = match &code.ext {
        ContractCodeEntryExt::V0 => VersionedContractCodeCostInputs::V0 {
            wasm_bytes: code.code.len(),
        },
        ContractCodeEntryExt::V1(v1) => VersionedContractCodeCostInputs::V1(v1.cost_inputs.clone()),
    };
    cache
        .parse_and_cache_module(parsing, PROTOCOL, &code.hash, &code.code, inputs)
        .map_err(|error| format!("contract {:?} cannot be parsed: {error:?}", code.hash))
}

fn parsing(settings: &Settings) -> Result<Parsing, String> {
    let host = &settings.host;
    Parsing::priced(
        host.cpu_cost_params.clone(),
        host.memory_cost_params.clone(),
    )
}
