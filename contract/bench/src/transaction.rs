//! One transaction: simulated for its footprint, then executed as validators do it, and what that took.

use ed25519_dalek::{Signer as _, SigningKey};
use soroban_env_host::DEFAULT_XDR_RW_LIMITS;
use soroban_env_host::budget::Budget;
use soroban_env_host::e2e_invoke::{
    InvokeHostFunctionResult, LedgerEntryChange, RecordingInvocationAuthMode, extract_rent_changes,
    invoke_host_function,
};
use soroban_env_host::fees::{
    TransactionResources, compute_rent_fee, compute_transaction_resource_fee,
};
use soroban_env_host::xdr::{
    AccountId, DecoratedSignature, Hash, HashIdPreimage, HashIdPreimageSorobanAuthorization,
    HostFunction, InvokeHostFunctionOp, LedgerEntry, LedgerKey, Limits as XdrLimits, Memo,
    MuxedAccount, Operation, OperationBody, Preconditions, PublicKey, ReadXdr, ScVal,
    SequenceNumber, Signature, SignatureHint, SorobanAuthorizationEntry, SorobanCredentials,
    SorobanTransactionData, Transaction, TransactionEnvelope, TransactionExt,
    TransactionV1Envelope, TtlEntry, Uint256,
};
use soroban_simulation::simulation::{
    SimulationAdjustmentConfig, simulate_invoke_host_function_op,
};

use crate::Outcome;
use crate::chain::Chain;
use crate::xdr::{bytes, encode, list, map, sha256, vec};

const SEED: [u8; 32] = [1; 32];
/// Ledgers for which a signed authorisation is good.
const AUTHORISATION_LEDGERS: u32 = 100;

/// What one transaction took, and what the network charges for it.
#[derive(Clone, Debug)]
pub struct Cost {
    pub instructions: u64,
    pub memory_bytes: u64,
    pub write_entries: u32,
    pub write_bytes: u32,
    pub footprint_entries: u32,
    pub transaction_bytes: u32,
    pub event_bytes: u32,
    /// Resource fee without rent, in stroops, for exactly these resources. Inclusion (100 or more) comes on top.
    pub fee: i64,
    /// Rent, in stroops: what new and grown entries pay for the time they live.
    pub rent: i64,
}

impl Cost {
    pub fn fits(&self, chain: &Chain) -> bool {
        let limits = &chain.limits;
        self.instructions <= limits.instructions
            && self.memory_bytes <= limits.memory_bytes
            && self.write_entries <= limits.write_entries
            && self.write_bytes <= limits.write_bytes
            && self.transaction_bytes <= limits.transaction_bytes
            && self.footprint_entries <= limits.footprint_entries
            && self.event_bytes <= limits.event_bytes
    }
}

pub struct Executed {
    pub cost: Cost,
    pub value: ScVal,
    changes: Vec<LedgerEntryChange>,
}

impl Executed {
    /// Makes the ledger what the transaction made of it.
    pub fn apply(self, chain: &mut Chain) -> Outcome<ScVal> {
        for change in &self.changes {
            let key = LedgerKey::from_xdr(&change.encoded_key, DEFAULT_XDR_RW_LIMITS)
                .map_err(|error| format!("a key does not decode: {error}"))?;
            let live_until = change
                .ttl_change
                .as_ref()
                .map(|ttl| ttl.new_live_until_ledger);
            match &change.encoded_new_value {
                Some(value) => {
                    let entry = LedgerEntry::from_xdr(value, DEFAULT_XDR_RW_LIMITS)
                        .map_err(|error| format!("an entry does not decode: {error}"))?;
                    chain.put(key, entry, live_until)?;
                }
                None if change.read_only => {}
                None => chain.remove(&key),
            }
        }
        Ok(self.value)
    }
}

/// Executes a host function for a source account; `signer` signs for whatever needs another authority than the source's.
pub fn execute(
    chain: &Chain,
    source: &AccountId,
    function: HostFunction,
    signer: Option<&SigningKey>,
) -> Outcome<Executed> {
    let recording = RecordingInvocationAuthMode::recording(true, false);
    let (mut data, mut auth) = simulate(chain, source, &function, recording)?;
    if let Some(signer) = signer {
        for entry in &mut auth {
            sign(chain, entry, signer)?;
        }
        let signed = RecordingInvocationAuthMode::Enforcing(auth.clone());
        data = simulate(chain, source, &function, signed)?.0;
    }
    enforce(chain, source, function, data, auth)
}

fn simulate(
    chain: &Chain,
    source: &AccountId,
    function: &HostFunction,
    mode: RecordingInvocationAuthMode,
) -> Outcome<(SorobanTransactionData, Vec<SorobanAuthorizationEntry>)> {
    let result = simulate_invoke_host_function_op(
        chain.snapshot(),
        &chain.config,
        &SimulationAdjustmentConfig::no_adjustments(),
        &chain.info,
        function.clone(),
        mode,
        source,
        SEED,
        false,
    )
    .map_err(|error| format!("simulation failed: {error:#}"))?;
    match (result.invoke_result, result.transaction_data) {
        (Ok(_), Some(data)) => Ok((data, result.auth)),
        (Err(error), _) => Err(format!("the call is refused: {:?}", error.error)),
        (Ok(_), None) => Err("simulation gave no resources".to_owned()),
    }
}

/// Signs as a classic account does, if the entry is not the source account's.
fn sign(chain: &Chain, entry: &mut SorobanAuthorizationEntry, signer: &SigningKey) -> Outcome<()> {
    let SorobanCredentials::Address(credentials) = &mut entry.credentials else {
        return Ok(());
    };
    credentials.signature_expiration_ledger = chain.info.sequence_number + AUTHORISATION_LEDGERS;
    let preimage = HashIdPreimage::SorobanAuthorization(HashIdPreimageSorobanAuthorization {
        network_id: Hash(chain.info.network_id),
        nonce: credentials.nonce,
        signature_expiration_ledger: credentials.signature_expiration_ledger,
        invocation: entry.root_invocation.clone(),
    });
    let signature = signer.sign(&sha256(&encode(&preimage)?)).to_bytes();
    credentials.signature = vec(vec![map(vec![
        ("public_key", bytes(signer.verifying_key().as_bytes())?),
        ("signature", bytes(&signature)?),
    ])?])?;
    Ok(())
}

fn enforce(
    chain: &Chain,
    source: &AccountId,
    function: HostFunction,
    data: SorobanTransactionData,
    auth: Vec<SorobanAuthorizationEntry>,
) -> Outcome<Executed> {
    let footprint = &data.resources.footprint;
    let (mut entries, mut lifetimes, mut disk_entries, mut disk_bytes) = (vec![], vec![], 0, 0);
    for key in footprint
        .read_only
        .iter()
        .chain(footprint.read_write.iter())
    {
        let Some((entry, live_until)) = chain.get(key) else {
            continue;
        };
        let encoded = encode(entry.as_ref())?;
        // Contract state is in memory (CAP-0062); only classic entries are read from disk.
        if !matches!(key, LedgerKey::ContractData(_) | LedgerKey::ContractCode(_)) {
            disk_entries += 1;
            disk_bytes += length(&encoded)?;
        }
        entries.push(encoded);
        lifetimes.push(match live_until {
            Some(live_until) => encode(&TtlEntry {
                key_hash: Hash(sha256(&encode(key)?)),
                live_until_ledger_seq: *live_until,
            })?,
            None => Vec::new(),
        });
    }
    let budget = Budget::try_from_configs(
        chain.limits.instructions.saturating_mul(10),
        chain.limits.memory_bytes.saturating_mul(10),
        chain.config.cpu_cost_params.clone(),
        chain.config.memory_cost_params.clone(),
    )
    .map_err(|error| format!("no budget: {error}"))?;
    let encoded_auth = auth.iter().map(encode).collect::<Outcome<Vec<_>>>()?;
    let result = invoke_host_function(
        &budget,
        false,
        encode(&function)?,
        encode(&data.resources)?,
        &[],
        encode(source)?,
        encoded_auth.into_iter(),
        chain.info.clone(),
        entries.into_iter(),
        lifetimes.into_iter(),
        SEED.to_vec(),
        &mut Vec::new(),
        None,
        Some(chain.modules.clone()),
    )
    .map_err(|error| format!("the host failed: {error}"))?;

    let footprint_entries = footprint.read_only.len() + footprint.read_write.len();
    let write_entries = footprint.read_write.len();
    let mut cost = Cost {
        instructions: consumed(budget.get_cpu_insns_consumed())?,
        memory_bytes: consumed(budget.get_mem_bytes_consumed())?,
        write_entries: u32::try_from(write_entries).map_err(|error| error.to_string())?,
        write_bytes: written(&result)?,
        footprint_entries: u32::try_from(footprint_entries).map_err(|error| error.to_string())?,
        transaction_bytes: envelope_bytes(source, function, data, auth)?,
        event_bytes: 0,
        fee: 0,
        rent: 0,
    };
    let value = result
        .encoded_invoke_result
        .map_err(|error| format!("the call is refused: {:?}", error.error))?;
    for event in result.encoded_contract_events.iter().chain([&value]) {
        cost.event_bytes += length(event)?;
    }
    charge(
        chain,
        &mut cost,
        disk_entries,
        disk_bytes,
        &result.ledger_changes,
    )?;
    Ok(Executed {
        cost,
        value: ScVal::from_xdr(&value, XdrLimits::none()).map_err(|error| error.to_string())?,
        changes: result.ledger_changes,
    })
}

fn charge(
    chain: &Chain,
    cost: &mut Cost,
    disk_entries: u32,
    disk_bytes: u32,
    changes: &[LedgerEntryChange],
) -> Outcome<()> {
    let resources = TransactionResources {
        instructions: u32::try_from(cost.instructions).map_err(|error| error.to_string())?,
        disk_read_entries: disk_entries,
        write_entries: cost.write_entries,
        disk_read_bytes: disk_bytes,
        write_bytes: cost.write_bytes,
        contract_events_size_bytes: cost.event_bytes,
        transaction_size_bytes: cost.transaction_bytes,
    };
    let (fixed, events) =
        compute_transaction_resource_fee(&resources, &chain.config.fee_configuration);
    cost.fee = fixed + events;
    cost.rent = compute_rent_fee(
        &extract_rent_changes(changes),
        &chain.config.rent_fee_configuration,
        chain.info.sequence_number,
    );
    Ok(())
}

fn written(result: &InvokeHostFunctionResult) -> Outcome<u32> {
    let values = result.ledger_changes.iter();
    values
        .filter_map(|change| change.encoded_new_value.as_ref())
        .try_fold(0, |sum, value| Ok(sum + length(value)?))
}

/// The transaction as it travels, with one signature.
fn envelope_bytes(
    source: &AccountId,
    host_function: HostFunction,
    data: SorobanTransactionData,
    auth: Vec<SorobanAuthorizationEntry>,
) -> Outcome<u32> {
    let PublicKey::PublicKeyTypeEd25519(Uint256(key)) = source.0.clone();
    let operation = Operation {
        source_account: None,
        body: OperationBody::InvokeHostFunction(InvokeHostFunctionOp {
            host_function,
            auth: list(auth)?,
        }),
    };
    let signature = DecoratedSignature {
        hint: SignatureHint([0; 4]),
        signature: Signature(
            vec![0; 64]
                .try_into()
                .map_err(|_| "a signature is too long")?,
        ),
    };
    let envelope = TransactionEnvelope::Tx(TransactionV1Envelope {
        tx: Transaction {
            source_account: MuxedAccount::Ed25519(Uint256(key)),
            fee: u32::MAX,
            seq_num: SequenceNumber(1),
            cond: Preconditions::None,
            memo: Memo::None,
            operations: list(vec![operation])?,
            ext: TransactionExt::V1(data),
        },
        signatures: list(vec![signature])?,
    });
    length(&encode(&envelope)?)
}

fn consumed(count: Result<u64, soroban_env_host::HostError>) -> Outcome<u64> {
    count.map_err(|error| format!("nothing was metered: {error}"))
}

fn length(bytes: &[u8]) -> Outcome<u32> {
    u32::try_from(bytes.len()).map_err(|error| error.to_string())
}
