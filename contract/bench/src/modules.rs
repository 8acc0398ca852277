//! Parsed contracts, kept as validators keep them (CAP-0065): a call pays for instantiating its contract and not for parsing it.

use soroban_env_host::budget::{AsBudget, Budget};
use soroban_env_host::vm::VersionedContractCodeCostInputs;
use soroban_env_host::xdr::{ContractCodeEntry, ContractCodeEntryExt};
use soroban_env_host::{CompilationContext, Error, ErrorHandler, HostError, ModuleCache, Val};

use crate::Outcome;

/// Parsing for the cache is the node's own work, which no transaction pays for.
#[derive(Clone)]
pub struct Unpaid(pub Budget);

impl AsBudget for Unpaid {
    fn as_budget(&self) -> &Budget {
        &self.0
    }
}

impl ErrorHandler for Unpaid {
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

impl CompilationContext for Unpaid {}

pub fn add(cache: &ModuleCache, unpaid: &Unpaid, code: &ContractCodeEntry) -> Outcome<()> {
    let inputs = match &code.ext {
        ContractCodeEntryExt::V0 => VersionedContractCodeCostInputs::V0 {
            wasm_bytes: code.code.len(),
        },
        ContractCodeEntryExt::V1(v1) => VersionedContractCodeCostInputs::V1(v1.cost_inputs.clone()),
    };
    cache
        .parse_and_cache_module(
            unpaid,
            localnet::network::PROTOCOL,
            &code.hash,
            &code.code,
            inputs,
        )
        .map_err(|error| format!("the contract does not parse: {error}"))
}
