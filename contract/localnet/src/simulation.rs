//! What a contract operation would need and return if it were in the next ledger, for
//! `simulateTransaction`: the same crate that Stellar RPC uses, over the last closed ledger.

use crate::envelope::Envelope;
use crate::ledger::{Snapshot, Source, is_persistent};
use crate::validity::operation_source;
use soroban_env_host::e2e_invoke::RecordingInvocationAuthMode;
use soroban_env_host::events::HostEvent;
use soroban_env_host::storage::{EntryWithLiveUntil, SnapshotSource};
use soroban_env_host::{HostError, LedgerInfo};
use soroban_simulation::simulation::{
    LedgerEntryDiff, SimulationAdjustmentConfig, simulate_extend_ttl_op,
    simulate_invoke_host_function_op, simulate_restore_op,
};
use std::rc::Rc;
use stellar_xdr::*;

/// How authorisation is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMode {
    /// Enforce entries if the operation has some, record them otherwise.
    Default,
    Enforce,
    Record,
    RecordAllowNonRoot,
}

pub struct Request<'a> {
    pub envelope: &'a Envelope,
    pub auth_mode: AuthMode,
    /// Recorded entries bind the signer's address into what is signed.
    pub upgraded_auth: bool,
    /// Instructions to add to what was measured.
    pub instruction_leeway: u32,
}

pub struct Simulated {
    pub data: SorobanTransactionData,
    /// Return value and authorisation entries; absent for operations that return nothing.
    pub invocation: Option<(ScVal, Vec<SorobanAuthorizationEntry>)>,
    pub events: Vec<DiagnosticEvent>,
    pub differences: Vec<LedgerEntryDiff>,
}

/// A simulation that says no: a text for people and the events up to there.
pub struct Refused {
    pub error: String,
    pub events: Vec<DiagnosticEvent>,
}

impl Refused {
    fn because(error: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            events: Vec::new(),
        }
    }
}

struct Entries {
    snapshot: Snapshot,
    ledger: u32,
}

impl SnapshotSource for Entries {
    fn get(&self, key: &Rc<LedgerKey>) -> Result<Option<EntryWithLiveUntil>, HostError> {
        let Some(stored) = self.snapshot.get(key) else {
            return Ok(None);
        };
        if !is_persistent(key) && !stored.is_live(self.ledger) {
            return Ok(None);
        }
        let until = stored.lifetime.map(|lifetime| lifetime.until);
        Ok(Some((Rc::new((*stored.entry).clone()), until)))
    }
}

pub fn simulate(snapshot: &Snapshot, request: &Request) -> Result<Simulated, Refused> {
    let transaction = request.envelope.transaction();
    let [operation] = transaction.operations.as_slice() else {
        return Err(Refused::because(
            "Transaction contains more than one operation",
        ));
    };
    // As if in the next ledger: what the last one changed is seen at once.
    let mut header = snapshot.header().clone();
    header.ledger_seq += 1;
    let info = snapshot
        .settings()
        .ledger_info(&header, snapshot.network().id());
    let entries = Entries {
        snapshot: snapshot.clone(),
        ledger: header.ledger_seq,
    };
    let mut adjustment = SimulationAdjustmentConfig::default_adjustment();
    let leeway = &mut adjustment.instructions.additive_factor;
    *leeway = (*leeway).max(request.instruction_leeway);

    match &operation.body {
        OperationBody::InvokeHostFunction(invoke) => {
            let is_muxed =
                |account: &MuxedAccount| matches!(account, MuxedAccount::MuxedEd25519(_));
            if transaction.memo != Memo::None {
                return Err(Refused::because(
                    "Transaction contains a memo. Soroban transactions do not support memos.",
                ));
            }
            if is_muxed(&transaction.source_account)
                || operation.source_account.as_ref().is_some_and(is_muxed)
            {
                return Err(Refused::because(
                    "Transaction has a muxed source. Soroban transactions do not support those.",
                ));
            }
            let source = operation_source(request.envelope, operation);
            invocation(
                request,
                invoke,
                &source,
                snapshot,
                entries,
                &info,
                &adjustment,
            )
        }
        OperationBody::ExtendFootprintTtl(extend) => {
            let keys = footprint(request.envelope, |footprint| &footprint.read_only)?;
            let settings = snapshot.settings();
            simulate_extend_ttl_op(
                &entries,
                &settings.host,
                &adjustment,
                &info,
                keys,
                extend.extend_to,
            )
            .map(|result| plain(result.transaction_data))
            .map_err(|error| Refused::because(format!("{error:#}")))
        }
        OperationBody::RestoreFootprint(_) => {
            let keys = footprint(request.envelope, |footprint| &footprint.read_write)?;
            let settings = snapshot.settings();
            simulate_restore_op(&entries, &settings.host, &adjustment, &info, keys)
                .map(|result| plain(result.transaction_data))
                .map_err(|error| Refused::because(format!("{error:#}")))
        }
        other => Err(Refused::because(format!(
            "Transaction contains unsupported operation type: {}",
            other.name()
        ))),
    }
}

fn plain(data: SorobanTransactionData) -> Simulated {
    Simulated {
        data,
        invocation: None,
        events: Vec::new(),
        differences: Vec::new(),
    }
}

fn footprint(
    envelope: &Envelope,
    pick: impl Fn(&LedgerFootprint) -> &VecM<LedgerKey>,
) -> Result<&[LedgerKey], Refused> {
    match envelope.soroban_data() {
        Some(data) => Ok(pick(&data.resources.footprint).as_slice()),
        None => Err(Refused::because(
            "To simulate this operation the transaction needs a footprint",
        )),
    }
}

fn invocation(
    request: &Request,
    operation: &InvokeHostFunctionOp,
    source: &AccountId,
    snapshot: &Snapshot,
    entries: Entries,
    info: &LedgerInfo,
    adjustment: &SimulationAdjustmentConfig,
) -> Result<Simulated, Refused> {
    let recording = |allow_non_root: bool| {
        RecordingInvocationAuthMode::recording(!allow_non_root, request.upgraded_auth)
    };
    let auth = match request.auth_mode {
        AuthMode::Default if operation.auth.is_empty() => recording(false),
        AuthMode::Record | AuthMode::RecordAllowNonRoot if !operation.auth.is_empty() => {
            return Err(Refused::because(
                "cannot record authorization for an operation that has authorization entries",
            ));
        }
        AuthMode::Default | AuthMode::Enforce => {
            RecordingInvocationAuthMode::Enforcing(operation.auth.to_vec())
        }
        AuthMode::Record => recording(false),
        AuthMode::RecordAllowNonRoot => recording(true),
    };
    let result = simulate_invoke_host_function_op(
        Rc::new(entries),
        &snapshot.settings().host,
        adjustment,
        info,
        operation.host_function.clone(),
        auth,
        source,
        snapshot.hash().0,
        true,
    )
    .map_err(|error| Refused::because(format!("{error:#}")))?;
    match (result.invoke_result, result.transaction_data) {
        (Ok(value), Some(data)) => Ok(Simulated {
            data,
            invocation: Some((value, result.auth)),
            events: result.diagnostic_events,
            differences: result.modified_entries,
        }),
        (Ok(_), None) => Err(Refused::because("the simulation gave no resources")),
        (Err(error), _) => Err(Refused {
            error: with_event_log(&error, &result.diagnostic_events),
            events: result.diagnostic_events,
        }),
    }
}

/// The host's error and what led to it, newest first, as Stellar RPC words it.
fn with_event_log(error: &HostError, events: &[DiagnosticEvent]) -> String {
    let mut text = format!("HostError: {:?}\n", error.error);
    if !events.is_empty() {
        text.push_str("\nEvent log (newest first):\n");
    }
    for (at, event) in events.iter().rev().enumerate() {
        let shown = HostEvent {
            event: event.event.clone(),
            failed_call: !event.in_successful_contract_call,
        };
        text.push_str(&format!("   {at}: {shown}\n"));
    }
    text
}
