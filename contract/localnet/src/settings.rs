//! The network's settings: limits, fees and lifetimes, as they stand in the ledger's
//! ConfigSetting entries and as the rules read them.

use crate::cost;
use crate::ledger::Source;
use soroban_env_host::storage::{EntryWithLiveUntil, SnapshotSource};
use soroban_env_host::{HostError, LedgerInfo};
use soroban_simulation::NetworkConfig;
use std::rc::Rc;
use stellar_xdr::*;

/// Size of all contract state in bytes that rent is priced for. On the public network it grows with
/// what everybody stores, and rent with it; a development ledger is nearly empty and would price
/// rent at the minimum. It is held at a size that makes rent 2,500 stroops per KB (and 1,215
/// ledgers), at which code of the largest size can still be uploaded within the largest fee that a
/// transaction can offer.
const STATE_SIZE_BYTES: u64 = 2_166_666_666;
const STATE_SIZE_SAMPLES: u32 = 30;

/// The settings entries of genesis.
pub fn entries() -> Vec<ConfigSettingEntry> {
    use ConfigSettingEntry as E;
    vec![
        E::ContractMaxSizeBytes(131_072),
        E::ContractComputeV0(ConfigSettingContractComputeV0 {
            ledger_max_instructions: 580_000_000,
            tx_max_instructions: 400_000_000,
            fee_rate_per_instructions_increment: 7,
            tx_memory_limit: 41_943_040,
        }),
        E::ContractLedgerCostV0(ConfigSettingContractLedgerCostV0 {
            ledger_max_disk_read_entries: 1_000,
            ledger_max_disk_read_bytes: 400_000,
            ledger_max_write_ledger_entries: 1_000,
            ledger_max_write_bytes: 286_720,
            tx_max_disk_read_entries: 200,
            tx_max_disk_read_bytes: 200_000,
            tx_max_write_ledger_entries: 200,
            tx_max_write_bytes: 132_096,
            fee_disk_read_ledger_entry: 1_563,
            fee_write_ledger_entry: 2_500,
            fee_disk_read1_kb: 447,
            soroban_state_target_size_bytes: 3_000_000_000,
            rent_fee1_kb_soroban_state_size_low: -17_000,
            rent_fee1_kb_soroban_state_size_high: 10_000,
            soroban_state_rent_fee_growth_factor: 5_000,
        }),
        E::ContractHistoricalDataV0(ConfigSettingContractHistoricalDataV0 {
            fee_historical1_kb: 4_059,
        }),
        E::ContractEventsV0(ConfigSettingContractEventsV0 {
            tx_max_contract_events_size_bytes: 16_384,
            fee_contract_events1_kb: 5_000,
        }),
        E::ContractBandwidthV0(ConfigSettingContractBandwidthV0 {
            ledger_max_txs_size_bytes: 266_240,
            tx_max_size_bytes: 132_096,
            fee_tx_size1_kb: 406,
        }),
        E::ContractCostParamsCpuInstructions(cost::instructions()),
        E::ContractCostParamsMemoryBytes(cost::memory()),
        E::ContractDataKeySizeBytes(250),
        E::ContractDataEntrySizeBytes(65_536),
        E::StateArchival(StateArchivalSettings {
            max_entry_ttl: 3_110_400,
            min_temporary_ttl: 17_280,
            min_persistent_ttl: 2_073_600,
            persistent_rent_rate_denominator: 1_215,
            temp_rent_rate_denominator: 2_430,
            max_entries_to_archive: 1_000,
            live_soroban_state_size_window_sample_size: STATE_SIZE_SAMPLES,
            live_soroban_state_size_window_sample_period: 64,
            eviction_scan_size: 100_000,
            starting_eviction_scan_level: 7,
        }),
        E::ContractExecutionLanes(ConfigSettingContractExecutionLanesV0 {
            ledger_max_tx_count: 500,
        }),
        E::LiveSorobanStateSizeWindow(
            VecM::try_from(vec![STATE_SIZE_BYTES; STATE_SIZE_SAMPLES as usize]).unwrap_or_default(),
        ),
        E::EvictionIterator(EvictionIterator {
            bucket_list_level: 7,
            is_curr_bucket: true,
            bucket_file_offset: 0,
        }),
        E::ContractParallelComputeV0(ConfigSettingContractParallelComputeV0 {
            ledger_max_dependent_tx_clusters: 2,
        }),
        E::ContractLedgerCostExtV0(ConfigSettingContractLedgerCostExtV0 {
            tx_max_footprint_entries: 400,
            fee_write1_kb: 875,
        }),
        E::ScpTiming(ConfigSettingScpTiming {
            ledger_target_close_time_milliseconds: 5_000,
            nomination_timeout_initial_milliseconds: 1_000,
            nomination_timeout_increment_milliseconds: 1_000,
            ballot_timeout_initial_milliseconds: 1_000,
            ballot_timeout_increment_milliseconds: 1_000,
        }),
    ]
}

/// The settings as the rules read them.
pub struct Settings {
    /// Fees, lifetimes and the cost model, in the form that the host's crates take.
    pub host: NetworkConfig,
    pub compute: ConfigSettingContractComputeV0,
    pub ledger_cost: ConfigSettingContractLedgerCostV0,
    pub bandwidth: ConfigSettingContractBandwidthV0,
    pub archival: StateArchivalSettings,
    pub footprint_entries_max: u32,
    pub events_bytes_max: u32,
    pub contract_code_bytes_max: u32,
    pub contract_key_bytes_max: u32,
    pub contract_entry_bytes_max: u32,
    pub ledger_transactions_max: u32,
    pub ledger_clusters_max: u32,
}

/// Reads settings out of a ledger for the host's own loader, which asks for nothing else.
struct SettingsOnly<'a>(&'a dyn Source);

impl SnapshotSource for SettingsOnly<'_> {
    fn get(&self, key: &Rc<LedgerKey>) -> Result<Option<EntryWithLiveUntil>, HostError> {
        Ok(self
            .0
            .get(key)
            .map(|stored| (Rc::new((*stored.entry).clone()), None)))
    }
}

impl Settings {
    /// Reads the settings of a ledger; the error names the first entry that is missing.
    pub fn load(source: &dyn Source) -> Result<Self, String> {
        let host = NetworkConfig::load_from_snapshot(&SettingsOnly(source))
            .map_err(|error| format!("the ledger's settings cannot be read: {error:#}"))?;
        macro_rules! setting {
            ($name:ident) => {{
                let key = LedgerKey::ConfigSetting(LedgerKeyConfigSetting {
                    config_setting_id: ConfigSettingId::$name,
                });
                match source.get(&key).map(|stored| stored.entry.data.clone()) {
                    Some(LedgerEntryData::ConfigSetting(ConfigSettingEntry::$name(value))) => value,
                    _ => return Err(format!("the ledger has no setting {}", stringify!($name))),
                }
            }};
        }
        Ok(Self {
            host,
            compute: setting!(ContractComputeV0),
            ledger_cost: setting!(ContractLedgerCostV0),
            bandwidth: setting!(ContractBandwidthV0),
            archival: setting!(StateArchival),
            footprint_entries_max: setting!(ContractLedgerCostExtV0).tx_max_footprint_entries,
            events_bytes_max: setting!(ContractEventsV0).tx_max_contract_events_size_bytes,
            contract_code_bytes_max: setting!(ContractMaxSizeBytes),
            contract_key_bytes_max: setting!(ContractDataKeySizeBytes),
            contract_entry_bytes_max: setting!(ContractDataEntrySizeBytes),
            ledger_transactions_max: setting!(ContractExecutionLanes).ledger_max_tx_count,
            ledger_clusters_max: setting!(ContractParallelComputeV0)
                .ledger_max_dependent_tx_clusters,
        })
    }

    /// What contracts see of the ledger that is being made.
    pub fn ledger_info(&self, header: &LedgerHeader, network_id: &Hash) -> LedgerInfo {
        LedgerInfo {
            protocol_version: header.ledger_version,
            sequence_number: header.ledger_seq,
            timestamp: header.scp_value.close_time.0,
            network_id: network_id.0,
            base_reserve: header.base_reserve,
            min_temp_entry_ttl: self.archival.min_temporary_ttl,
            min_persistent_entry_ttl: self.archival.min_persistent_ttl,
            max_entry_ttl: self.archival.max_entry_ttl,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::genesis::genesis;
    use crate::network::Network;
    use std::sync::Arc;

    #[test]
    fn rates_are_those_that_are_documented() {
        let snapshot = genesis(Arc::new(Network::new("rates")), 0, []).unwrap();
        let host = &snapshot.settings().host;
        assert_eq!(host.rent_fee_configuration.fee_per_rent_1kb, 2_500);
        assert_eq!(host.rent_fee_configuration.fee_per_write_1kb, 875);
        assert_eq!(host.fee_configuration.fee_per_instruction_increment, 7);
        assert_eq!(host.tx_max_instructions, 400_000_000);
    }
}
