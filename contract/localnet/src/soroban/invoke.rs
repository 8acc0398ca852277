//! InvokeHostFunction: calls a contract, makes one, or uploads its code.

use super::{Consumed, Execution, Stage};
use crate::ledger::{Source, encode, is_contract_entry, is_persistent};
use crate::network::sha256;
use crate::settings::Settings;
use crate::{asset, fees};
use soroban_env_host::DEFAULT_XDR_RW_LIMITS;
use soroban_env_host::e2e_invoke::{
    LedgerEntryChange as HostChange, extract_rent_changes, invoke_host_function,
};
use stellar_xdr::*;

fn result(code: InvokeHostFunctionResult) -> OperationResult {
    OperationResult::OpInner(OperationResultTr::InvokeHostFunction(code))
}

fn failed(code: InvokeHostFunctionResult) -> Execution {
    Execution::ended(Err(result(code)))
}

pub fn check(operation: &InvokeHostFunctionOp, settings: &Settings) -> Result<(), OperationResult> {
    let preimage = match &operation.host_function {
        HostFunction::UploadContractWasm(code) => {
            if code.len() > settings.contract_code_bytes_max as usize {
                return Err(result(InvokeHostFunctionResult::Malformed));
            }
            None
        }
        HostFunction::CreateContract(arguments) => Some(&arguments.contract_id_preimage),
        HostFunction::CreateContractV2(arguments) => Some(&arguments.contract_id_preimage),
        HostFunction::InvokeContract(_) => None,
    };
    match preimage {
        Some(ContractIdPreimage::Asset(asset)) if !asset::is_valid(asset) => {
            Err(result(InvokeHostFunctionResult::Malformed))
        }
        _ => Ok(()),
    }
}

/// The footprint's entries as the host takes them.
struct Inputs {
    entries: Vec<Vec<u8>>,
    /// In step with `entries`; empty where the entry has no lifetime.
    lifetimes: Vec<Vec<u8>>,
    /// Positions in the read-write footprint of entries that come back from the archive.
    restored: Vec<u32>,
    disk_read_bytes: u32,
}

fn gather(stage: &Stage) -> Result<Inputs, InvokeHostFunctionResult> {
    let footprint = &stage.data.resources.footprint;
    let archived = fees::archived_indices(stage.data);
    let mut inputs = Inputs {
        entries: Vec::new(),
        lifetimes: Vec::new(),
        restored: Vec::new(),
        disk_read_bytes: 0,
    };
    let read_only = footprint.read_only.iter().map(|key| (key, None));
    let read_write = footprint
        .read_write
        .iter()
        .zip(0u32..)
        .map(|(key, at)| (key, Some(at)));
    for (key, at) in read_only.chain(read_write) {
        let Some(stored) = stage.overlay.get(key) else {
            continue;
        };
        let bytes = encode(&*stored.entry);
        let mut from_disk = !is_contract_entry(key);
        let mut until = stored.lifetime.map(|lifetime| lifetime.until);
        if !stored.is_live(stage.header.ledger_seq) {
            // An expired temporary entry is gone, though its bytes may still be here.
            if !is_persistent(key) {
                continue;
            }
            match at.filter(|at| archived.contains(at)) {
                Some(at) => {
                    inputs.restored.push(at);
                    until = Some(stage.persistent_until());
                    from_disk = true;
                }
                None => return Err(InvokeHostFunctionResult::EntryArchived),
            }
        }
        if !stage.entry_fits(key, bytes.len()) {
            return Err(InvokeHostFunctionResult::ResourceLimitExceeded);
        }
        if from_disk {
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            inputs.disk_read_bytes = inputs.disk_read_bytes.saturating_add(length);
            if inputs.disk_read_bytes > stage.data.resources.disk_read_bytes {
                return Err(InvokeHostFunctionResult::ResourceLimitExceeded);
            }
        }
        inputs.lifetimes.push(until.map_or_else(Vec::new, |until| {
            encode(&TtlEntry {
                key_hash: Hash(sha256(&encode(key))),
                live_until_ledger_seq: until,
            })
        }));
        inputs.entries.push(bytes);
    }
    Ok(inputs)
}

/// Takes over what the host wrote; the error is the network's code for writing too much.
fn write(
    stage: &mut Stage,
    changes: &[HostChange],
    consumed: &mut Consumed,
) -> Result<(), InvokeHostFunctionResult> {
    use InvokeHostFunctionResult::{ResourceLimitExceeded, Trapped};
    for change in changes {
        let key =
            LedgerKey::from_xdr(&change.encoded_key, DEFAULT_XDR_RW_LIMITS).map_err(|_| Trapped)?;
        let until = change
            .ttl_change
            .as_ref()
            .map(|ttl| ttl.new_live_until_ledger);
        match &change.encoded_new_value {
            Some(bytes) => {
                if !stage.entry_fits(&key, bytes.len()) {
                    return Err(ResourceLimitExceeded);
                }
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                consumed.write_bytes = consumed.write_bytes.saturating_add(length);
                consumed.write_entries += 1;
                if consumed.write_bytes > stage.data.resources.write_bytes {
                    return Err(ResourceLimitExceeded);
                }
                let entry =
                    LedgerEntry::from_xdr(bytes, DEFAULT_XDR_RW_LIMITS).map_err(|_| Trapped)?;
                match until {
                    Some(until) => stage.overlay.put_living(key, entry, until),
                    None => stage.overlay.put(entry.data),
                }
            }
            None if change.read_only => {
                let ttl = change.ttl_change.as_ref();
                if let Some(ttl) =
                    ttl.filter(|ttl| ttl.new_live_until_ledger > ttl.old_live_until_ledger)
                {
                    stage.overlay.set_lifetime(&key, ttl.new_live_until_ledger);
                }
            }
            None => {
                let ledger = stage.header.ledger_seq;
                if stage
                    .overlay
                    .get(&key)
                    .is_some_and(|stored| stored.is_live(ledger))
                {
                    consumed.write_entries += 1;
                    stage.overlay.remove(&key);
                }
            }
        }
    }
    Ok(())
}

pub fn apply(operation: &InvokeHostFunctionOp, mut stage: Stage) -> Execution {
    let inputs = match gather(&stage) {
        Ok(inputs) => inputs,
        Err(code) => return failed(code),
    };
    let resources = &stage.data.resources;
    let Ok(budget) = stage.budget(u64::from(resources.instructions)) else {
        return failed(InvokeHostFunctionResult::Trapped);
    };
    let auth: Vec<Vec<u8>> = operation.auth.iter().map(encode).collect();
    let mut diagnostics = Vec::new();
    let invoked = invoke_host_function(
        &budget,
        true,
        encode(&operation.host_function),
        encode(resources),
        &inputs.restored,
        encode(stage.source),
        auth.into_iter(),
        stage.ledger_info(),
        inputs.entries.into_iter(),
        inputs.lifetimes.into_iter(),
        stage.seed.to_vec(),
        &mut diagnostics,
        None,
        Some(stage.modules.cache()),
    );
    let mut consumed = Consumed {
        instructions: budget.get_cpu_insns_consumed().unwrap_or(0),
        memory_bytes: budget.get_mem_bytes_consumed().unwrap_or(0),
        disk_read_bytes: inputs.disk_read_bytes,
        ..Consumed::default()
    };
    let over_budget = consumed.instructions > u64::from(resources.instructions)
        || consumed.memory_bytes > u64::from(stage.settings.compute.tx_memory_limit);
    let finished = invoked.and_then(|invoked| {
        let value = invoked.encoded_invoke_result?;
        Ok((
            value,
            invoked.ledger_changes,
            invoked.encoded_contract_events,
        ))
    });
    let outcome = match finished {
        Err(_) if over_budget => Err(InvokeHostFunctionResult::ResourceLimitExceeded),
        Err(_) => Err(InvokeHostFunctionResult::Trapped),
        Ok((value, changes, events)) => {
            conclude(&mut stage, &value, &changes, &events, &mut consumed)
        }
    };
    match outcome {
        Ok((return_value, events)) => {
            let preimage = InvokeHostFunctionSuccessPreImage {
                return_value: return_value.clone(),
                events: VecM::try_from(events.clone()).unwrap_or_default(),
            };
            let hash = Hash(sha256(&encode(&preimage)));
            Execution {
                outcome: Ok(result(InvokeHostFunctionResult::Success(hash))),
                return_value: Some(return_value),
                events,
                diagnostics,
                consumed,
            }
        }
        Err(code) => Execution {
            diagnostics,
            consumed,
            ..failed(code)
        },
    }
}

type Concluded = (ScVal, Vec<ContractEvent>);

/// What the network checks after the host has finished well.
fn conclude(
    stage: &mut Stage,
    value: &[u8],
    changes: &[HostChange],
    events: &[Vec<u8>],
    consumed: &mut Consumed,
) -> Result<Concluded, InvokeHostFunctionResult> {
    use InvokeHostFunctionResult::*;
    write(stage, changes, consumed)?;
    let emitted: usize = events.iter().map(Vec::len).sum();
    consumed.events_bytes = u32::try_from(emitted + value.len()).unwrap_or(u32::MAX);
    if consumed.events_bytes > stage.settings.events_bytes_max {
        return Err(ResourceLimitExceeded);
    }
    let rent = fees::rent(
        stage.settings,
        &extract_rent_changes(changes),
        stage.header.ledger_seq,
    );
    let events_fee = fees::events(stage.settings, consumed.events_bytes);
    if !stage.refundable.consume(events_fee, rent) {
        return Err(InsufficientRefundableFee);
    }
    let value = ScVal::from_xdr(value, DEFAULT_XDR_RW_LIMITS).map_err(|_| Trapped)?;
    let events = events
        .iter()
        .map(|event| ContractEvent::from_xdr(event, DEFAULT_XDR_RW_LIMITS))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| Trapped)?;
    Ok((value, events))
}
